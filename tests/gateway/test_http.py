"""The HTTP door, asked by http.client from another thread."""

import asyncio
import json
import socket
import threading

import pytest
import uvloop
from http_serving import Blind, Echo, serving, web

from jina import Executor, requests
from jina.excepts import NoAvailablePortError
from jina.gateway.engine import Engine
from jina.gateway.http import HttpDoor
from jina.graph import Graph
from jina.spec import DoorSpec


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=['asyncio', 'uvloop'])
def run(request):
    return request.param


def test_documents_go_in_and_come_out_with_everything_the_contract_names(run):
    async def check():
        async with serving(Echo) as browser:
            status, answer = await browser.post(
                data=[{'text': 'a'}, {'text': 'b', 'tags': {'n': 1}}], execEndpoint='/echo', parameters={'k': 5}
            )
            assert status == 200
            assert set(answer) == {'requestId', 'data', 'header', 'parameters', 'routes', 'status'}
            assert [d['text'] for d in answer['data']['docs']] == ['a', 'b']
            assert all(d['id'] for d in answer['data']['docs'])
            assert answer['header'] == {'execEndpoint': '/echo', 'targetPeapod': ''}
            assert answer['parameters'] == {'k': 5}
            assert [r['pod'] for r in answer['routes']] == ['gateway', 'echo']
            assert set(answer['routes'][1]) == {'pod', 'podId', 'startTime', 'endTime'}
            assert answer['status']['code'] == 0

    run(check())


@pytest.mark.parametrize('method', ['POST', 'PUT', 'DELETE'])
@pytest.mark.parametrize('path', ['/index', '/search', '/update', '/delete'])
def test_crud_routes_imply_their_endpoint(path, method):
    async def check():
        async with serving(Echo) as browser:
            status, answer = await browser.post(path, method, data=['x'], execEndpoint='/fail')
            assert (status, answer['header']['execEndpoint']) == (200, path)
            assert answer['data']['docs'][0]['tags']['was'] == 'x'

    asyncio.run(check())


@pytest.mark.parametrize(
    'keys',
    [
        {'execEndpoint': '/where', 'targetPeapod': 'ech'},
        {'exec_endpoint': '/where', 'target_peapod': 'ech'},
        {'execEndpoint': '/where', 'whatever': 5},
    ],
)
def test_keys_are_read_in_either_case_and_others_ignored(keys):
    async def check():
        async with serving(Echo) as browser:
            assert (await browser.docs(data=['x'], **keys))[0]['text'] == 'here'

    asyncio.run(check())


def test_a_target_that_is_nobody_leaves_the_documents_alone():
    async def check():
        async with serving(Echo) as browser:
            docs = await browser.docs(data=[{'text': 'x'}], execEndpoint='/where', targetPeapod='^$')
            assert docs[0]['text'] == 'x'

    asyncio.run(check())


def test_integers_stay_integers_and_numbers_stay_what_they_are():
    async def check():
        async with serving(Echo) as browser:
            parameters = {'i': 1, 'big': 2**53 + 1, 'f': 1.0, 'b': True, 'n': None, 'l': [1, {'x': 2}], 'ü': 'ß'}
            status, kind, body = await browser.ask(
                'POST', '/post', json.dumps({'data': ['x'], 'execEndpoint': '/echo', 'parameters': parameters})
            )
            assert (status, kind) == (200, 'application/json')
            answer = json.loads(body)
            for got in (answer['parameters'], answer['data']['docs'][0]['tags']['got']):
                assert got == parameters
                assert [type(v) for v in got.values()] == [type(v) for v in parameters.values()]

    asyncio.run(check())


@pytest.mark.parametrize('data', [['a', 'b'], [{'text': 'a'}, 'b'], {'docs': ['a', {'text': 'b'}]}])
def test_data_is_texts_or_documents(data):
    async def check():
        async with serving(Echo) as browser:
            docs = await browser.docs(data=data, execEndpoint='/echo')
            assert [d['tags']['was'] for d in docs] == ['a', 'b']

    asyncio.run(check())


@pytest.mark.parametrize(
    'keys',
    [
        {},
        {'data': None},
        {'data': {}},
        {'data': []},
    ],
)
def test_no_data_is_no_documents(keys):
    async def check():
        async with serving(Echo) as browser:
            assert await browser.docs(execEndpoint='/echo', **keys) == []

    asyncio.run(check())


@pytest.mark.parametrize('classes', [(), (Blind,), (Executor,), (Blind, Executor), (Echo,)])
@pytest.mark.parametrize('data', [['a'], [{'text': 'a'}]])
def test_documents_nobody_touched_come_back_as_documents_too(classes, data, request):

    async def check():
        async with serving(*classes) as browser:
            [doc] = await browser.docs(data=data, execEndpoint='/unbound')
            assert doc['text'] == 'a'
            assert doc['id']

    asyncio.run(check())


@pytest.mark.parametrize(
    ('body', 'told'),
    [
        (b'', 'is not the JSON that /post takes'),
        (b'{', 'is not the JSON that /post takes'),
        (b'\xff\xfe', 'is not the JSON that /post takes'),
        (b'[]', 'is not the JSON that /post takes'),
        (b'{"execEndpoint": 5}', 'is not the JSON that /post takes'),
        (b'{"execEndpoint": "/x", "parameters": [1]}', 'is not the JSON that /post takes'),
        (b'{"data": []}', "no 'execEndpoint'"),
        (b'{"execEndpoint": "/echo", "data": 5}', 'takes a list of documents or texts'),
        (b'{"execEndpoint": "/echo", "data": [5]}', 'data[0]'),
        (b'{"execEndpoint": "/echo", "data": [{"text": 5}]}', 'data[0]'),
        (b'{"execEndpoint": "/echo", "data": ["a"], "targetPeapod": "("}', 'is no regular expression'),
    ],
)
def test_what_the_client_did_wrong_is_a_400_that_says_what(body, told):
    async def check():
        async with serving(Echo) as browser:
            status, kind, answer = await browser.ask('POST', '/post', body)
            assert (status, kind) == (400, 'application/json')
            shown = json.loads(answer)
            assert told in shown['status']['description']
            assert (shown['status']['code'], set(shown['data'])) == (3, {'docs'})

    asyncio.run(check())


@pytest.mark.parametrize(
    'keys',
    [
        {'parameters': {'a': 2**64}},
        pytest.param({'targetPeapod': 'a{99999999999999}'}),
    ],
    ids=['integer', 'regex'],
)
@pytest.mark.filterwarnings('ignore')
def test_numbers_beyond_64_bits_are_a_400_too(keys):
    async def check():
        async with serving(Echo) as browser:
            status, _ = await browser.post(data=['a'], execEndpoint='/echo', **keys)
            assert status == 400

    asyncio.run(check())


def test_null_is_the_same_as_a_key_left_out():
    async def check():
        async with serving(Echo) as browser:
            await browser.docs(data=['a'], execEndpoint='/echo', targetPeapod=None, parameters=None)

    asyncio.run(check())


def test_a_handler_that_fails_is_a_500_with_its_name_and_traceback():
    async def check():
        async with serving(Echo) as browser:
            status, answer = await browser.post(data=['a'], execEndpoint='/fail')
            assert status == 500
            raised = answer['status']['exception']
            assert (raised['name'], raised['args'], raised['executor']) == ('ValueError', ['on purpose'], 'Echo')
            assert 'in fail' in ''.join(raised['stacks'])
            assert "Executor 'echo' (Echo) failed on '/fail'" in answer['status']['description']

    asyncio.run(check())


def test_one_connection_serves_many_requests():
    async def check():
        async with serving(Echo) as browser:
            await browser.docs(data=['0'], execEndpoint='/echo')
            kept = browser.connection.sock
            for n in range(20):
                assert (await browser.docs(data=[str(n)], execEndpoint='/echo'))[0]['text'] == str(n)
            assert (await browser.post(data=['a'], execEndpoint='/fail'))[0] == 500
            assert (await browser.ask('POST', '/post', b'{'))[0] == 400
            assert browser.connection.sock is kept

    asyncio.run(check())


def test_a_body_of_many_pieces_arrives_whole():
    async def check():
        async with serving(Echo) as browser:
            data = [{'text': 'x' * 1000} for _ in range(3000)]
            docs = await browser.docs(data=data, execEndpoint='/echo')
            assert len(docs) == 3000
            assert docs[-1]['text'] == data[-1]['text']

    asyncio.run(check())


def test_status_tells_what_runs():
    async def check():
        async with serving(Echo, Blind) as browser:
            status, _, body = await browser.ask('GET', '/status')
            shown = json.loads(body)
            assert status == 200
            assert shown['executors'] == ['echo', 'blind']
            assert shown['jina']['jina']

    asyncio.run(check())


def test_files_are_served_beside_the_routes(tmp_path):
    (tmp_path / 'index.html').write_text('<h1>hi</h1>')
    (tmp_path / 'a.css').write_text('a {}')

    async def check():
        async with serving(Echo, static=str(tmp_path)) as browser:
            for path, kind, text in (('/', 'text/html', b'<h1>hi</h1>'), ('/a.css', 'text/css', b'a {}')):
                status, shown, body = await browser.ask('GET', path)
                assert (status, body) == (200, text)
                assert shown.startswith(kind)
            assert (await browser.ask('GET', '/../conftest.py'))[0] == 404
            assert (await browser.ask('GET', '/status'))[0] == 200
            assert await browser.docs(data=['a'], execEndpoint='/new') == []

    asyncio.run(check())


def test_a_path_that_is_not_there_is_a_404():
    async def check():
        async with serving(Echo) as browser:
            assert (await browser.ask('GET', '/nothing'))[0] == 404
            assert (await browser.ask('POST', '/nothing', b'{}'))[0] == 404

    asyncio.run(check())


@pytest.mark.parametrize('port', ['taken', 70000])
@pytest.mark.filterwarnings('ignore::pytest.PytestUnraisableExceptionWarning')  # socket.create_server(70000)
def test_a_port_that_cannot_be_had_is_named_with_what_to_do(port):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        wanted = taken.getsockname()[1] if port == 'taken' else port
        door = HttpDoor(Engine(Graph({}), {}), DoorSpec(protocol='http', port=wanted), web())
        with pytest.raises(
            NoAvailablePortError, match=f'http cannot listen at 127.0.0.1:{wanted}.*another port_expose'
        ):
            door.bind()


def test_a_door_that_was_only_bound_can_be_stopped():
    async def check():
        door = HttpDoor(Engine(Graph({}), {}), DoorSpec(protocol='http'), web())
        port = door.bind()
        await door.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection('127.0.0.1', port)

    asyncio.run(check())


def test_a_client_that_goes_away_cancels_its_request(until):
    class Waiting(Executor):
        began = threading.Event()
        go = threading.Event()
        calls = 0

        @requests
        def f(self, **kwargs):
            Waiting.calls += 1
            Waiting.began.set()
            Waiting.go.wait(20)

    async def check():
        async with serving(Waiting) as browser:
            body = b'{"execEndpoint": "/x"}'
            request = b'POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%s' % (len(body), body)
            pool = browser.pools['waiting']
            try:
                _, first = await asyncio.open_connection('127.0.0.1', browser.port)
                first.write(request)
                await until(Waiting.began.is_set)
                _, second = await asyncio.open_connection('127.0.0.1', browser.port)
                second.write(request)
                await until(lambda: pool.replicas[0].in_flight == 2)
                second.transport.abort()
                await until(lambda: browser.workers[0]._thread._jobs.qsize() == 1)
                await until(lambda: _cancelled(browser.workers[0]))
            finally:
                Waiting.go.set()
            first.close()
            await browser.post(execEndpoint='/x')
            assert Waiting.calls == 2, 'the request nobody waited for was worked on'

    asyncio.run(check())


def _cancelled(worker):
    """Whether a request that the worker has not begun is cancelled."""
    connections = [channel._peer for channel in worker._listener._channels]
    return any(call.cancelled for connection in connections for call in connection._open.values())
