"""The gRPC door and the link to one, over real sockets, with foreign peers on the other end as well."""

import asyncio
import contextlib
import logging
import socket
import threading
from functools import partial

import grpc
import msgspec
import pytest

from jina.clients.grpc import WINDOW_BYTES, WINDOW_COUNT, open_grpc
from jina.excepts import NoAvailablePortError, ServerUnreachable
from jina.gateway.grpc import GrpcDoor
from jina.proto.jina_pb2 import DataRequestProto, RequestProto
from jina.types.request import ExceptionInfo, Route, Status, StatusCode
from jina.wire.head import NO_PARAMETERS, PROTOBUF, Head, Part

HOST = '127.0.0.1'
DATA = DataRequestProto(docs=[{'id': '1', 'text': 'hello'}]).SerializeToString()
FAILED = Status(StatusCode.ERROR, 'it failed', ExceptionInfo('ValueError', ('bad',), ('line',), 'MyExecutor'))


class FakeWalk:
    def __init__(self, head, body, reply):
        self.head, self.body, self._reply = head, body, reply
        self.cancelled = asyncio.Event()

    def cancel(self):
        self.cancelled.set()

    def answer(self, status=None):
        parts = self.head.parts
        routes = [Route('gateway', 'gateway/1', 1.5, 2.5), Route('pod0', 'pod0/1', 1.75, 2.0)]
        self._reply(Head(self.head.request_id, self.head.endpoint, parts, status=status, routes=routes), self.body)


class FakeEngine:
    """Answers with what it was sent; what goes to ``/hold`` when told to, to ``/later`` soon, else at once."""

    name = 'gateway'

    def __init__(self):
        self.open = 0
        self.most = 0
        self.held = asyncio.Queue()

    def submit(self, head, body, reply):
        self.open += 1
        self.most = max(self.most, self.open)
        walk = FakeWalk(head, body, partial(self._finish, reply))
        if head.endpoint == '/hold':
            self.held.put_nowait(walk)
        elif head.endpoint == '/later':
            asyncio.get_running_loop().call_soon(walk.answer)
        else:
            walk.answer(FAILED if head.endpoint == '/fail' else None)
        return walk

    def _finish(self, reply, head, body):
        self.open -= 1
        reply(head, body)


@contextlib.asynccontextmanager
async def open_door(window=64):
    engine = FakeEngine()
    door = GrpcDoor(engine, HOST, 0, window)
    port = await door.start()
    try:
        yield engine, port
    finally:
        await door.stop(0)


@contextlib.asynccontextmanager
async def foreign_call(port, raw=False):
    """A call as a client makes it that knows nothing but the contract."""
    options = [('grpc.max_receive_message_length', -1), ('grpc.max_send_message_length', -1)]
    options.append(('grpc.enable_http_proxy', 0))  # a foreign client would ask the proxy of the environment
    async with grpc.aio.insecure_channel(f'{HOST}:{port}', options) as channel:
        yield channel.stream_stream(
            '/jina.JinaRPC/Call',
            request_serializer=None if raw else RequestProto.SerializeToString,
            response_deserializer=RequestProto.FromString,
        )()


def foreign_request(number, endpoint='/later', text='hello'):
    request = RequestProto(request_id=str(number), header={'exec_endpoint': endpoint, 'target_peapod': 'pod.*'})
    request.data.docs.add(id='1', text=text)
    request.parameters.update({'top_k': 3})
    return request


class TestDoor:
    def test_a_foreign_client_is_answered(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(foreign_request(7))
                answer = await call.read()
                sent = foreign_request(7)
                assert (answer.request_id, answer.header) == ('7', sent.header)
                assert (answer.data, answer.parameters) == (sent.data, sent.parameters)
                assert (answer.status.code, answer.status.description) == (0, '')
                assert [(r.pod, r.pod_id) for r in answer.routes] == [('gateway', 'gateway/1'), ('pod0', 'pod0/1')]
                assert answer.routes[0].end_time.ToMilliseconds() == 2500
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_the_engine_receives_heads_and_bytes(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                await call.write(foreign_request(7, '/hold'))
                walk = await engine.held.get()
                assert (walk.head.request_id, walk.head.endpoint, walk.head.target) == ('7', '/hold', 'pod.*')
                assert walk.head.parts == (Part(PROTOBUF, len(walk.body)),)
                assert walk.head.accept == PROTOBUF
                assert msgspec.msgpack.decode(walk.head.parameters) == {'top_k': 3}
                assert DataRequestProto.FromString(walk.body) == foreign_request(7).data

        asyncio.run(main())

    def test_a_request_without_id_documents_and_parameters(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(RequestProto(header={'exec_endpoint': '/x'}))
                answer = await call.read()
                assert len(answer.request_id) == 32
                assert (answer.WhichOneof('body'), len(answer.data.docs)) == ('data', 0)
                assert not answer.HasField('parameters')

        asyncio.run(main())

    def test_an_error_arrives_with_its_cause(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(foreign_request(1, '/fail'))
                status = (await call.read()).status
                assert (status.code, status.description) == (status.ERROR, 'it failed')
                raised = status.exception
                assert (raised.name, raised.args, raised.stacks) == ('ValueError', ['bad'], ['line'])
                assert raised.executor == 'MyExecutor'

        asyncio.run(main())

    def test_answers_come_as_they_are_ready(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                for number in range(3):
                    await call.write(foreign_request(number, '/hold'))
                walks = [await engine.held.get() for _ in range(3)]
                for walk in reversed(walks):
                    walk.answer()
                assert [(await call.read()).request_id for _ in range(3)] == ['2', '1', '0']

        asyncio.run(main())

    def test_each_request_has_one_answer_after_the_client_has_ended_its_side(self):
        async def main():
            async with open_door(window=4) as (engine, port), foreign_call(port) as call:
                for number in range(20):
                    await call.write(foreign_request(number, '/later' if number % 2 else '/now'))
                await call.write(foreign_request('last', '/hold'))
                await call.done_writing()
                received = [(await call.read()).request_id for _ in range(20)]
                assert sorted(received, key=int) == [str(number) for number in range(20)]
                (await engine.held.get()).answer()
                assert (await call.read()).request_id == 'last'
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_no_more_are_under_way_than_the_window_allows(self):
        async def main():
            async with open_door(window=2) as (engine, port), foreign_call(port) as call:
                for number in range(6):
                    await call.write(foreign_request(number, '/hold'))
                walks = [await engine.held.get(), await engine.held.get()]
                for _ in range(4):
                    walks.pop().answer()
                    await call.read()
                    walks.append(await engine.held.get())
                assert engine.most == 2

        asyncio.run(main())

    def test_a_client_that_goes_away_cancels_its_walks(self, caplog):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                await call.write(foreign_request(1, '/hold'))
                await call.write(foreign_request(2, '/hold'))
                walks = [await engine.held.get(), await engine.held.get()]
                call.cancel()
                for walk in walks:
                    await walk.cancelled.wait()
                walks[0].answer()

        asyncio.run(main())
        assert not caplog.records

    def test_walks_of_others_go_on(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as one, foreign_call(port) as other:
                await one.write(foreign_request(1, '/hold'))
                mine = await engine.held.get()
                await other.write(foreign_request(2, '/hold'))
                its = await engine.held.get()
                other.cancel()
                await its.cancelled.wait()
                mine.answer()
                assert (await one.read()).request_id == '1'
                assert not mine.cancelled.is_set()

        asyncio.run(main())

    def test_a_message_that_is_none_spoils_no_other(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port, raw=True) as call:
                await call.write(b'\xff\xff')
                status = (await call.read()).status
                assert status.code == status.ERROR
                assert 'RequestProto' in status.description
                await call.write(foreign_request(1).SerializeToString())
                assert (await call.read()).request_id == '1'

        asyncio.run(main())

    def test_large_messages(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                text = 'x' * 5_000_000
                await call.write(foreign_request(1, text=text))
                assert (await call.read()).data.docs[0].text == text

        asyncio.run(main())

    def test_it_listens_at_its_host_only(self):
        async def main():
            async with open_door() as (_, port):
                with pytest.raises((ConnectionError, TimeoutError)):
                    socket.create_connection(('127.0.0.2', port), timeout=1)

        asyncio.run(main())

    def test_a_port_that_is_taken(self):
        async def main():
            async with open_door() as (engine, port):
                with pytest.raises(NoAvailablePortError, match=rf'{HOST}:{port}.*in use.*port_expose'):
                    await GrpcDoor(engine, HOST, port, 1).start()

        asyncio.run(main())

    @pytest.mark.parametrize(('host', 'port'), [('203.0.113.1', 0), (HOST, 70000)])
    def test_an_address_that_cannot_be(self, host, port):
        async def main():
            with pytest.raises(NoAvailablePortError, match=host):
                await GrpcDoor(FakeEngine(), host, port, 1).start()

        asyncio.run(main())

    def test_stop_without_start(self):
        async def main():
            door = GrpcDoor(FakeEngine(), HOST, 0, 1)
            await door.stop(0)
            door.bind()
            await door.stop(0)

        asyncio.run(main())


def head_for(number, endpoint='/later', **fields):
    return Head(str(number), endpoint, (Part(PROTOBUF, len(DATA)),), PROTOBUF, **fields)


def ask(link, head, body=DATA):
    """Send a request.

    :return: the future of its outcome.
    """
    outcome = asyncio.get_running_loop().create_future()
    link.request(head, [body] if body else [], lambda *answer: outcome.set_result(answer))
    return outcome


@contextlib.asynccontextmanager
async def linked(port):
    link = await open_grpc(HOST, port)
    try:
        yield link
    finally:
        await link.close()


@contextlib.asynccontextmanager
async def foreign_server(call):
    """A server as others make it; ``call`` is its method, over bytes."""
    server = grpc.aio.server()
    handlers = {'Call': grpc.stream_stream_rpc_method_handler(call)} if call else {}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('jina.JinaRPC', handlers),))
    port = server.add_insecure_port(f'{HOST}:0')
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def free_port():
    with socket.create_server((HOST, 0)) as taken:
        return taken.getsockname()[1]


class TestLink:
    def test_a_request_is_answered(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                parameters = msgspec.Raw(msgspec.msgpack.encode({'top_k': 3, 'names': ['a']}))
                head, body = await ask(link, head_for(1, parameters=parameters, target='pod.*'))
                assert (head.request_id, head.endpoint, head.target) == ('1', '/later', 'pod.*')
                assert (head.parts, body, head.status) == ((Part(PROTOBUF, len(DATA)),), DATA, None)
                assert msgspec.msgpack.decode(head.parameters) == {'top_k': 3, 'names': ['a']}
                assert head.routes == [Route('gateway', 'gateway/1', 1.5, 2.5), Route('pod0', 'pod0/1', 1.75, 2.0)]

        asyncio.run(main())

    def test_an_error_arrives_with_its_cause(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                head, _ = await ask(link, head_for(1, '/fail'))
                assert head.status == FAILED
                assert not link.closed

        asyncio.run(main())

    def test_requests_without_documents_and_ids(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                outcomes = [ask(link, Head('', '/later'), b''), ask(link, Head('', '/later'), b'')]
                for head, body in await asyncio.gather(*outcomes):
                    assert (head.parts, body, head.parameters) == ((), b'', NO_PARAMETERS)

        asyncio.run(main())

    def test_answers_find_their_requests_in_any_order(self):
        async def main():
            async with open_door() as (engine, port), linked(port) as link:
                outcomes = [ask(link, head_for(number, '/hold')) for number in range(3)]
                for walk in reversed([await engine.held.get() for _ in range(3)]):
                    walk.answer()
                assert [head.request_id for head, _ in await asyncio.gather(*outcomes)] == ['0', '1', '2']

        asyncio.run(main())

    def test_one_id_twice(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                await asyncio.gather(ask(link, head_for(1)), ask(link, head_for(1)))

        asyncio.run(main())

    def test_the_window(self):
        async def main():
            async with open_door(2 * WINDOW_COUNT) as (engine, port), linked(port) as link:
                assert link.admits(2 * WINDOW_BYTES)
                outcomes = [ask(link, head_for(number, '/hold')) for number in range(WINDOW_COUNT - 1)]
                assert link.admits(WINDOW_BYTES // 2)
                assert not link.admits(WINDOW_BYTES)
                outcomes.append(ask(link, head_for('last', '/hold')))
                assert (link.admits(0), link.in_flight) == (False, WINDOW_COUNT)
                changed = asyncio.Event()
                link.on_change = changed.set
                (await engine.held.get()).answer()
                await changed.wait()
                assert (link.admits(0), link.in_flight) == (True, WINDOW_COUNT - 1)
                for _ in range(WINDOW_COUNT - 1):
                    (await engine.held.get()).answer()
                await asyncio.gather(*outcomes)

        asyncio.run(main())

    def test_a_cancelled_request_gets_no_reply_but_its_credit_back(self):
        async def main():
            async with open_door() as (engine, port), linked(port) as link:
                replies = []
                stream = link.request(head_for(1, '/hold'), [DATA], lambda *answer: replies.append(answer))
                link.cancel(stream)
                link.cancel(stream + 1)
                assert link.in_flight == 1
                (await engine.held.get()).answer()
                await ask(link, head_for(2))
                assert (link.in_flight, replies) == (0, [])
                await link.drained()

        asyncio.run(main())

    def test_the_server_goes_away(self):
        async def main():
            engine = FakeEngine()
            door = GrpcDoor(engine, HOST, 0, 64)
            async with linked(await door.start()) as link:
                outcomes = [ask(link, head_for(1, '/hold')), ask(link, head_for(2, '/hold'))]
                await engine.held.get()
                changed = asyncio.Event()
                link.on_change = changed.set
                await door.stop(0)
                for head, body in await asyncio.gather(*outcomes):
                    assert (head.status.code, body) == (StatusCode.ERROR, b'')
                    assert f'grpc://{HOST}' in head.status.description
                assert (link.closed, link.admits(0), link.in_flight) == (True, False, 0)
                await changed.wait()

        asyncio.run(main())

    def test_close_ends_what_is_waiting(self):
        async def main():
            async with open_door() as (engine, port):
                link = await open_grpc(HOST, port)
                outcome = ask(link, head_for(1, '/hold'))
                walk = await engine.held.get()
                await link.close()
                await link.close()
                head, _ = await outcome
                assert 'closed' in head.status.description
                await walk.cancelled.wait()

        asyncio.run(main())

    def test_close_before_anything_was_sent(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                assert link.encoding == PROTOBUF
            assert link.closed

        asyncio.run(main())

    def test_links_in_several_threads_with_loops_of_their_own(self):
        received = []

        async def client(port):
            async with linked(port) as link:
                for number in range(30):
                    await ask(link, head_for(number))
                    received.append(number)

        async def main():
            async with open_door() as (_, port):
                threads = [threading.Thread(target=lambda: asyncio.run(client(port))) for _ in range(4)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    await asyncio.to_thread(thread.join)

        asyncio.run(main())
        assert len(received) == 4 * 30

    def test_nobody_is_there(self):
        async def main():
            port = free_port()
            with pytest.raises(ServerUnreachable, match=rf'nothing answers at grpc://{HOST}:{port}: it refuses'):
                await open_grpc(HOST, port, timeout=30)

        asyncio.run(main())

    def test_there_is_no_such_host(self):
        async def main():
            with pytest.raises(ServerUnreachable, match='no such host'):
                await open_grpc('host.invalid', 1, timeout=30)

        asyncio.run(main())

    def test_somebody_is_there_who_says_nothing(self):
        async def main():
            with socket.create_server((HOST, 0)) as silent:
                port = silent.getsockname()[1]
                with pytest.raises(ServerUnreachable, match=r'no answer in 0\.2 s'):
                    await open_grpc(HOST, port, timeout=0.2)

        asyncio.run(main())

    def test_a_server_that_starts_later_is_found(self):
        async def main():
            port = free_port()
            with pytest.raises(ServerUnreachable):
                await open_grpc(HOST, port)
            door = GrpcDoor(FakeEngine(), HOST, port, 1)
            await door.start()
            async with linked(port) as link:
                await ask(link, head_for(1))
            await door.stop(0)

        asyncio.run(main())

    def test_a_server_of_another_kind(self):
        async def main():
            async with foreign_server(None) as port, linked(port) as link:
                head, _ = await ask(link, head_for(1))
                assert 'UNIMPLEMENTED' in head.status.description
                assert link.closed

        asyncio.run(main())

    def test_a_server_that_answers_twice_and_unasked(self, caplog):
        async def answers(requests, context):
            async for message in requests:
                yield RequestProto(request_id='nobody').SerializeToString()
                yield message
                yield message

        async def main():
            async with foreign_server(answers) as port, linked(port) as link:
                for number in range(3):
                    head, body = await ask(link, head_for(number))
                    assert (head.request_id, body) == (str(number), DATA)

        with caplog.at_level(logging.WARNING, 'jina.client'):
            asyncio.run(main())
        assert "ignored an answer to no request ('nobody')" in caplog.text

    def test_a_server_that_answers_nonsense(self):
        async def answers(requests, context):
            async for _ in requests:
                yield b'\xff'

        async def main():
            async with foreign_server(answers) as port, linked(port) as link:
                head, _ = await ask(link, head_for(1))
                assert 'RequestProto' in head.status.description
                assert link.closed

        asyncio.run(main())

    def test_a_server_that_ends_the_stream(self):
        async def answers(requests, context):
            async for _ in requests:
                return

        async def main():
            async with foreign_server(answers) as port, linked(port) as link:
                head, _ = await ask(link, head_for(1))
                assert 'ended the stream' in head.status.description

        asyncio.run(main())

    def test_an_address_of_version_six(self):
        async def main():
            door = GrpcDoor(FakeEngine(), '::1', 0, 1)
            link = await open_grpc('::1', await door.start())
            await ask(link, head_for(1))
            await link.close()
            await door.stop(0)

        if not socket.has_ipv6:
            pytest.skip('no IPv6')
        try:
            socket.create_server(('::1', 0), family=socket.AF_INET6).close()
        except OSError:
            pytest.skip('no IPv6')
        asyncio.run(main())
