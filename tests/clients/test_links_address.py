"""What the options of a client say about where its server is."""

import pytest

from jina.clients import Client, GRPCClient, HTTPClient, WebSocketClient
from jina.clients.address import Address, read_address
from jina.enums import GatewayProtocolType
from jina.excepts import BadOption


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        ('grpc://1.2.3.4:5555', Address('grpc', '1.2.3.4', 5555)),
        ('grpcs://name:5555', Address('grpc', 'name', 5555, True)),
        ('http://1.2.3.4:5555', Address('http', '1.2.3.4', 5555)),
        ('http://name', Address('http', 'name', 80)),
        ('HTTPS://name/', Address('http', 'name', 443, True)),
        ('https://name/a/b/', Address('http', 'name', 443, True, '/a/b')),
        ('ws://[::1]:7', Address('websocket', '::1', 7)),
        ('wss://name:7/x', Address('websocket', 'name', 7, True, '/x')),
    ],
)
def test_a_url_says_all(host, expected):
    assert read_address(host, None, None, False) == expected
    assert read_address(host, 1234, 'grpc', False).protocol == expected.protocol


@pytest.mark.parametrize(
    ('host', 'expected'),
    [
        ('name', ('name', 9)),
        ('name:8', ('name', 8)),
        ('::1', ('::1', 9)),
        ('[::1]:8', ('::1', 8)),
        ('127.0.0.1', ('127.0.0.1', 9)),
    ],
)
def test_names_and_addresses(host, expected):
    address = read_address(host, 9, 'http', False)
    assert (address.host, address.port) == expected


@pytest.mark.parametrize('protocol', ['http', 'HTTP', 'Http', GatewayProtocolType.HTTP])
def test_protocols_in_any_spelling(protocol):
    assert Client(port=1, protocol=protocol).protocol == 'http'


def test_shown_as_a_url():
    assert str(Address('websocket', '::1', 7, True, '/x')) == 'wss://[::1]:7/x'
    assert str(Address('grpc', 'name', 7)) == 'grpc://name:7'


def test_what_it_has():
    client = Client('localhost', port_expose=5, https=True)
    assert (client.host, client.port_expose, client.protocol, client.https) == ('localhost', 5, 'grpc', True)
    assert Client(port=5).port_expose == 5


@pytest.mark.parametrize(
    ('options', 'why'),
    [
        ({'protocol': 'ftp', 'port': 1}, 'grpc, http, websocket'),
        ({'host': 'ftp://name', 'port': 1}, 'grpc, http, websocket'),
        ({}, 'port'),
        ({'host': 'name:99999'}, 'Port'),
        ({'port': 99999}, '1 to 65535'),
        ({'port': '80'}, '1 to 65535'),
        ({'host': 'grpc://name:1/path'}, 'takes a name'),
        ({'host': 'http://name:1/?a=b'}, 'takes a name'),
        ({'host': '', 'port': 1}, 'takes a name'),
    ],
)
def test_what_cannot_be(options, why):
    with pytest.raises(BadOption, match=why):
        Client(**options)


@pytest.mark.parametrize(
    ('kind', 'protocol', 'scheme'),
    [(GRPCClient, 'grpc', 'grpc'), (HTTPClient, 'http', 'http'), (WebSocketClient, 'websocket', 'ws')],
)
def test_clients_of_one_protocol(kind, protocol, scheme):
    assert isinstance(kind('localhost', 5), Client)
    assert kind('localhost', 5).protocol == kind(f'{scheme}://localhost:5').protocol == protocol
    other = 'grpc' if protocol == 'http' else 'http'
    with pytest.raises(BadOption, match=f'{kind.__name__}: it speaks {protocol}, not {other}'):
        kind(f'{other}://localhost:5')
