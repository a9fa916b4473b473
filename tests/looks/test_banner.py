import pytest

from jina.looks.banner import SYMBOLS, banner

PORTS = [('grpc', 12346), ('http', 12345), ('websocket', 12347)]


def test_where_it_is_reached_from_this_machine_and_how_to_open_it():
    assert banner(PORTS, '127.0.0.1', executors=3, replicas=5) == (
        'Flow is ready: 3 Executors, 5 replicas\n'
        '  🔗 GRPC       localhost:12346\n'
        '  🔗 HTTP       http://localhost:12345   docs at /docs and /redoc\n'
        '  🔗 WebSocket  ws://localhost:12347\n'
        "  🔒 network    closed; Flow(host='0.0.0.0') opens it"
    )


def test_where_it_is_reached_from_other_machines():
    assert banner(PORTS[:2], '0.0.0.0', '192.0.2.2', executors=1, replicas=1) == (
        'Flow is ready: 1 Executor\n'
        '  🔗 GRPC     localhost:12346\n'
        '  🔗 HTTP     http://localhost:12345   docs at /docs and /redoc\n'
        '  🏠 network  192.0.2.2:12346, http://192.0.2.2:12345'
    )


def test_one_address_only():
    assert banner(PORTS[:1], '10.0.0.5', '10.0.0.5') == 'Flow is ready: no Executors\n  🔗 GRPC  10.0.0.5:12346'


@pytest.mark.parametrize(('host', 'url'), [('::', 'localhost'), ('::1', 'localhost'), ('fe80::1', '[fe80::1]')])
def test_addresses_of_version_six(host, url):
    assert f' {url}:12346' in banner(PORTS[:1], host)


def test_an_interface_without_documentation():
    assert banner([('http', 1)], '10.0.0.5', docs=()).endswith('http://10.0.0.5:1')


@pytest.mark.parametrize('host', ['127.0.0.1', '0.0.0.0'])
def test_ascii_where_symbols_cannot_be_shown(host):
    text = banner(PORTS, host, '192.0.2.2', symbols=False)
    assert text.isascii()
    assert '\n  HTTP       http://' in text
    assert not set(text) & set(SYMBOLS)
