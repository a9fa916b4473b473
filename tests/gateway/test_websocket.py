"""The WebSocket door, over real sockets, asked by clients that know nothing but the contract."""

import asyncio
import contextlib
import http.client
import json
import socket

import msgspec
import pytest
from fake_engine import FAILED, FakeEngine
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK, InvalidStatus

from jina.excepts import NoAvailablePortError
from jina.gateway.websocket import END, WebSocketDoor
from jina.gateway.window import WINDOW_BYTES
from jina.proto.jina_pb2 import DataRequestProto, RequestProto
from jina.spec import DoorSpec, GatewaySpec
from jina.wire.batches import SUBPROTOCOL, Inbox, Outbox
from jina.wire.frames import Kind
from jina.wire.head import JSON, PROTOBUF, Head, Part, encode_head

HOST = '127.0.0.1'
SECONDS = 20


def door_of(engine, port=0, prefetch=64):
    spec = DoorSpec(protocol='websocket', host=HOST, port=port)
    return WebSocketDoor(engine, spec, GatewaySpec(doors=[spec], prefetch=prefetch))


@contextlib.asynccontextmanager
async def open_door(prefetch=64, needs=None):
    engine = FakeEngine(needs)
    engine.door = door_of(engine, prefetch=prefetch)
    port = engine.door.bind()
    await engine.door.serve()
    try:
        yield engine, port
    finally:
        await engine.door.stop()


def client(port, path='/', **options):
    return connect(f'ws://{HOST}:{port}{path}', proxy=None, compression=None, max_size=None, **options)


def message(number, endpoint='/x', text='hello'):
    request = RequestProto(request_id=str(number), header={'exec_endpoint': endpoint, 'target_peapod': 'pod.*'})
    request.data.docs.add(id='1', text=text)
    request.parameters.update({'top_k': 3})
    return request


async def ask(ws, request):
    await ws.send(request.SerializeToString())
    return RequestProto.FromString(await ws.recv())


async def ask_text(ws, request):
    await ws.send(request if isinstance(request, str) else json.dumps(request))
    answer = await ws.recv()
    assert isinstance(answer, str)
    return json.loads(answer)


@pytest.fixture
def run():
    """Run a check within a deadline."""

    def within(main):
        async def limited():
            async with asyncio.timeout(SECONDS):
                await main()

        asyncio.run(limited())

    return within


class TestBinary:
    def test_a_client_is_answered(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                answer, sent = await ask(ws, message(7)), message(7)
                assert (answer.request_id, answer.header) == ('7', sent.header)
                assert (answer.data, answer.parameters) == (sent.data, sent.parameters)
                assert (answer.status.code, answer.status.description) == (0, '')
                assert [(r.pod, r.pod_id) for r in answer.routes] == [('gateway', 'gateway/1'), ('pod0', 'pod0/1')]

        run(main)

    def test_the_engine_receives_heads_and_bytes(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(7, '/hold').SerializeToString())
                walk = await engine.held.get()
                assert (walk.head.request_id, walk.head.endpoint, walk.head.target) == ('7', '/hold', 'pod.*')
                assert (walk.head.parts, walk.head.accept) == ((Part(PROTOBUF, len(walk.body)),), PROTOBUF)
                assert msgspec.msgpack.decode(walk.head.parameters) == {'top_k': 3}
                assert DataRequestProto.FromString(walk.body) == message(7).data

        run(main)

    def test_answers_come_as_they_are_ready(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                held = await engine.held.get()
                assert (await ask(ws, message(2))).request_id == '2'
                held.answer()
                assert RequestProto.FromString(await ws.recv()).request_id == '1'

        run(main)

    def test_an_error_arrives_with_its_cause(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                status = (await ask(ws, message(1, '/fail'))).status
                assert (status.code, status.description) == (status.ERROR, 'it failed')
                assert (status.exception.name, status.exception.executor) == ('ValueError', 'MyExecutor')

        run(main)

    @pytest.mark.parametrize('bad', [b'\xff\xfe\xfd', b'nonsense', b'\0\0'])
    def test_what_is_no_message_is_answered_and_spoils_nothing(self, run, bad):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                await ws.send(bad)
                answer = RequestProto.FromString(await ws.recv())
                assert answer.status.code == answer.status.ERROR
                assert 'RequestProto' in answer.status.description
                assert (await ask(ws, message(2))).status.code == 0

        run(main)

    def test_a_message_in_fragments_and_a_large_one(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                whole = message(1).SerializeToString()
                await ws.send([whole[:5], whole[5:9], whole[9:]])
                assert RequestProto.FromString(await ws.recv()).data == message(1).data
                large = message(2, text='x' * (20 << 20))
                assert (await ask(ws, large)).data == large.data

        run(main)


class TestText:
    def test_a_client_is_answered(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                answer = await ask_text(
                    ws, {'requestId': 'mine', 'execEndpoint': '/x', 'data': ['a'], 'parameters': {'k': [1, 0.5]}}
                )
                assert (answer['requestId'], answer['data'], answer['parameters']) == ('mine', ['a'], {'k': [1, 0.5]})
                assert answer['header'] == {'execEndpoint': '/x', 'targetPeapod': ''}
                assert answer['status'] == {'code': 0, 'description': '', 'exception': None}
                assert [r['pod'] for r in answer['routes']] == ['gateway', 'pod0']
                assert answer['routes'][0]['endTime'] == '1970-01-01T00:00:02.500000Z'
                assert answer['routes'][1]['endTime'] is None

        run(main)

    @pytest.mark.parametrize(
        'target',
        [{'targetPeapod': 'p'}, {'target_peapod': 'p'}, {'header': {'target_peapod': 'p'}}],
    )
    def test_the_engine_receives_heads_and_bytes(self, run, target):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(json.dumps({'exec_endpoint': '/hold', 'data': [{'text': 'ä'}], **target}))
                walk = await engine.held.get()
                assert (len(walk.head.request_id), walk.head.endpoint, walk.head.target) == (32, '/hold', 'p')
                assert (walk.head.parts, walk.head.accept) == ((Part(JSON, len(walk.body)),), JSON)
                assert json.loads(bytes(walk.body)) == [{'text': 'ä'}]

        run(main)

    def test_nothing_to_send(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                answer = await ask_text(ws, {'execEndpoint': '/x'})
                assert (answer['data'], answer['parameters']) == ({'docs': []}, {})

        run(main)

    @pytest.mark.parametrize('status', [None, FAILED])
    def test_documents_of_several_senders_are_joined(self, run, status):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(json.dumps({'execEndpoint': '/hold', 'data': ['a']}))
                walk = await engine.held.get()
                walk.body = b'["a"]{"docs":[{"text":"b"}]}'
                walk.head.parts = (Part(JSON, 5), Part(JSON, len(walk.body) - 5))
                walk.answer(status)
                answer = json.loads(await ws.recv())
                assert answer['data'] == {'docs': [{'text': 'a'}, {'text': 'b'}]}

        run(main)

    def test_a_deadline(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(json.dumps({'execEndpoint': '/hold', 'timeout': 2.5}))
                assert (await engine.held.get()).head.timeout == 2.5
                refused = await ask_text(ws, {'requestId': 'mine', 'execEndpoint': '/x', 'timeout': 0})
                assert (refused['requestId'], refused['status']['code']) == ('mine', 3)
                assert 'timeout' in refused['status']['description']

        run(main)

    def test_a_flow_without_executors_answers_in_the_form_of_answers(self, run):
        async def main():
            async with open_door(needs={}) as (_, port), client(port) as ws:
                answer = await ask_text(ws, {'execEndpoint': '/x', 'data': ['a', {'id': '1', 'text': 'b'}]})
                first, second = answer['data']['docs']
                assert (first['text'], len(first['id']), second) == ('a', 32, {'id': '1', 'text': 'b'})

        run(main)

    def test_an_error_arrives_with_its_cause(self, run):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                answer = await ask_text(ws, {'execEndpoint': '/fail', 'data': ['a']})
                raised = {'name': 'ValueError', 'args': ['bad'], 'stacks': ['line'], 'executor': 'MyExecutor'}
                assert answer['status'] == {'code': 3, 'description': 'it failed', 'exception': raised}

        run(main)

    @pytest.mark.parametrize(
        ('bad', 'why'),
        [
            ('', 'JSON'),
            ('{', 'JSON'),
            ('[]', 'JSON'),
            ('{}', 'execEndpoint'),
            ('{"execEndpoint": 5}', 'JSON'),
            ('{"execEndpoint": "/x", "parameters": []}', 'JSON'),
            ('[' * 100_000, 'JSON'),
        ],
    )
    def test_what_is_no_request_is_answered_and_spoils_nothing(self, run, bad, why):
        async def main():
            async with open_door() as (_, port), client(port) as ws:
                status = (await ask_text(ws, bad))['status']
                assert status['code'] == 3
                assert why in status['description']
                assert (await ask_text(ws, {'execEndpoint': '/x'}))['status']['code'] == 0
                assert (await ask(ws, message(1))).request_id == '1'

        run(main)


class TestDeadlineOfAConnection:
    def test_all_its_requests_have_it(self, run):
        async def main():
            headers = {'jina-timeout': '2.5'}
            async with open_door() as (engine, port), client(port, additional_headers=headers) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                assert (await engine.held.get()).head.timeout == 2.5
                for asked, due in ((1, 1), (5, 2.5)):
                    await ws.send(json.dumps({'execEndpoint': '/hold', 'timeout': asked}))
                    assert (await engine.held.get()).head.timeout == due

        run(main)

    @pytest.mark.parametrize('value', ['soon', '', '0', '-1', 'nan', 'inf'])
    def test_what_is_no_number_of_seconds(self, run, value):
        async def main():
            async with open_door() as (_, port):
                with pytest.raises(InvalidStatus) as refused:
                    await client(port, additional_headers={'jina-timeout': value}).__aenter__()
                assert refused.value.response.status_code == 400
                assert b'a number of seconds above 0' in refused.value.response.body

        run(main)


class TestFrames:
    """For clients that offer the subprotocol; those of others are never asked about it."""

    def test_they_are_answered(self, run):
        async def main():
            async with open_door() as (_, port), client(port, subprotocols=['x', SUBPROTOCOL]) as ws:
                assert ws.subprotocol == SUBPROTOCOL
                inbox, outbox = Inbox(), Outbox()
                assert [frame[0] for frame in inbox.received(await ws.recv())] == [Kind.HELLO]
                for number in range(3):
                    head = Head(str(number), '/x', (Part(PROTOBUF, 4),))
                    outbox.add(Kind.REQUEST, number, encode_head(head), [b'body'])
                await ws.send(outbox.take())
                answers = []
                while len(answers) < 3:
                    answers += inbox.received(await ws.recv())
                assert [(frame[0], frame[1], bytes(frame[3])) for frame in answers] == [
                    (Kind.ANSWER, number, b'body') for number in range(3)
                ]

        run(main)

    @pytest.mark.parametrize('bad', [b'no frames at all, but as long as one', 'a text'])
    def test_what_is_none_ends_the_connection(self, run, bad):
        async def main():
            async with open_door() as (_, port), client(port, subprotocols=[SUBPROTOCOL]) as ws:
                await ws.recv()
                await ws.send(bad)
                with pytest.raises(ConnectionClosed) as closed:
                    await ws.recv()
                assert (closed.value.rcvd.code, bool(closed.value.rcvd.reason)) == (1002, True)

        run(main)

    def test_a_client_that_goes_away_cancels_its_requests(self, run, until):
        async def main():
            limited = {'subprotocols': [SUBPROTOCOL], 'additional_headers': {'jina-timeout': '9'}}
            async with open_door() as (engine, port), client(port, **limited) as ws:
                await ws.recv()
                outbox = Outbox()
                outbox.add(Kind.REQUEST, 0, encode_head(Head('1', '/hold')), [])
                await ws.send(outbox.take())
                walk = await engine.held.get()
                assert walk.head.timeout == 9
                ws.transport.abort()
                await walk.cancelled.wait()
                await until(lambda: not engine.door._streams)

        run(main)


class TestEnd:
    def test_a_zero_byte_ends_the_stream_when_all_is_answered(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                await ws.send(END)
                walk = await engine.held.get()
                walk.answer()
                assert RequestProto.FromString(await ws.recv()).request_id == '1'
                with pytest.raises(ConnectionClosedOK):
                    await ws.recv()

        run(main)

    def test_what_follows_the_zero_byte_is_ignored(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                await ws.send(END)
                await ws.send(message(2).SerializeToString())
                (await engine.held.get()).answer()
                assert RequestProto.FromString(await ws.recv()).request_id == '1'
                with pytest.raises(ConnectionClosedOK):
                    await ws.recv()

        run(main)

    @pytest.mark.parametrize('end_first', [False, True])
    @pytest.mark.parametrize('how', ['close', 'abort'])
    def test_a_client_that_goes_away_cancels_its_requests(self, run, how, end_first, until):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                for number in range(3):
                    await ws.send(message(number, '/hold').SerializeToString())
                walks = [await engine.held.get() for _ in range(3)]
                if end_first:
                    await ws.send(END)
                if how == 'close':
                    await ws.close()
                else:
                    ws.transport.abort()
                for walk in walks:
                    await walk.cancelled.wait()
                await until(lambda: not engine.door._streams)

        run(main)

    def test_a_client_that_goes_away_while_its_window_is_full(self, run, until):
        async def main():
            async with open_door(prefetch=2) as (engine, port), client(port) as ws:
                for number in range(10):
                    await ws.send(message(number, '/hold').SerializeToString())
                walks = [await engine.held.get() for _ in range(2)]
                ws.transport.abort()
                walks[0].answer()  # nothing is read from it, so that it is gone shows when it is answered
                while engine.door._streams:
                    if not engine.held.empty():
                        engine.held.get_nowait().answer()
                    await asyncio.sleep(0)

        run(main)

    def test_stop_lets_open_requests_end(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                walk = await engine.held.get()
                stopping = asyncio.get_running_loop().create_task(engine.door.stop())
                await asyncio.sleep(0)
                walk.answer()
                assert RequestProto.FromString(await ws.recv()).request_id == '1'
                with pytest.raises(ConnectionClosed) as closed:
                    await ws.recv()
                assert closed.value.rcvd.code == 1001
                await stopping

        run(main)

    def test_stop_does_not_wait_for_ever(self, run):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                await ws.send(message(1, '/hold').SerializeToString())
                walk = await engine.held.get()
                await engine.door.stop()
                await walk.cancelled.wait()
                with pytest.raises(ConnectionClosed):
                    await ws.recv()

        run(main)


class TestFlowControl:
    def test_no_more_requests_than_the_window_are_taken(self, run, until):
        async def main():
            async with open_door(prefetch=4) as (engine, port), client(port) as ws:
                for number in range(20):
                    await ws.send(message(number, '/hold').SerializeToString())
                for _ in range(20):
                    walk = await engine.held.get()
                    assert engine.open <= 4
                    walk.answer()
                    await ws.recv()

        run(main)

    def test_no_more_bytes_than_the_window_are_taken(self, run, until):
        async def main():
            async with open_door() as (engine, port), client(port) as ws:
                large = message(1, '/hold', 'x' * (WINDOW_BYTES // 2 - 1000)).SerializeToString()

                async def send():
                    for _ in range(3):
                        await ws.send(large)

                sending = asyncio.get_running_loop().create_task(send())
                first, second = await engine.held.get(), await engine.held.get()
                async with client(port) as other:  # what it is answered shows that the door had its turn
                    await ask(other, message(1))
                assert engine.held.empty()
                first.answer()
                await ws.recv()
                (await engine.held.get()).answer()
                second.answer()
                await ws.recv()
                await ws.recv()
                await sending

        run(main)


class TestPort:
    def test_another_path_is_refused(self, run, caplog):
        async def main():
            async with open_door() as (_, port):
                with pytest.raises(InvalidStatus) as refused:
                    await client(port, '/other').__aenter__()
                assert refused.value.response.status_code == 404
                assert b'not at /other' in refused.value.response.body

        run(main)
        assert not caplog.records

    @pytest.mark.parametrize(('path', 'code', 'told'), [('/status', 200, 'pod0'), ('/', 426, 'speaks WebSocket')])
    def test_asked_without_websocket(self, run, path, code, told):
        def get(port):
            with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=SECONDS)) as connection:
                connection.request('GET', path)
                response = connection.getresponse()
                return response.status, response.read().decode()

        async def main():
            async with open_door() as (_, port):
                status, body = await asyncio.to_thread(get, port)
                assert status == code
                assert told in str(json.loads(body))

        run(main)

    def test_a_port_that_is_taken(self, run):
        async def main():
            with (
                socket.create_server((HOST, 0)) as taken,
                pytest.raises(NoAvailablePortError, match='websocket cannot listen'),
            ):
                door_of(FakeEngine({}), taken.getsockname()[1]).bind()

        run(main)
