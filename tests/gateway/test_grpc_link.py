"""The link to a gRPC server, over real sockets: our own door, and servers of other makes."""

import asyncio
import logging
import socket
import threading

import msgspec
import pytest
from fake_engine import FAILED
from grpc_peers import (
    DATA,
    HOST,
    FakeEngine,
    ask,
    foreign_server,
    head_for,
    linked,
    make_door,
    open_call,
    open_door,
)
from ports import free_port

from jina.clients.call import WINDOW_BYTES, WINDOW_COUNT
from jina.clients.grpc import open_grpc
from jina.excepts import ServerUnreachable
from jina.proto.jina_pb2 import RequestProto
from jina.types.request import Route, StatusCode
from jina.wire.head import MSGPACK, NO_PARAMETERS, PROTOBUF, Head, Part


@pytest.mark.parametrize('kind', ['frames', 'call'])
class TestLink:
    """The same for both ways to speak to our door."""

    def test_a_request_is_answered(self, kind):
        async def main():
            async with open_door() as (_, port), linked(port, kind) as link:
                parameters = msgspec.Raw(msgspec.msgpack.encode({'top_k': 3, 'names': ['a']}))
                head, body = await ask(link, head_for(1, parameters=parameters, target='pod.*'))
                assert (head.request_id, head.endpoint, head.target) == ('1', '/later', 'pod.*')
                assert (head.parts, body, head.status) == ((Part(PROTOBUF, len(DATA)),), DATA, None)
                assert msgspec.msgpack.decode(head.parameters) == {'top_k': 3, 'names': ['a']}
                assert head.routes == [Route('gateway', 'gateway/1', 1.5, 2.5), Route('pod0', 'pod0/1', 1.75, 0.0)]

        asyncio.run(main())

    def test_an_error_arrives_with_its_cause(self, kind):
        async def main():
            async with open_door() as (_, port), linked(port, kind) as link:
                head, _ = await ask(link, head_for(1, '/fail'))
                assert head.status == FAILED
                assert not link.closed

        asyncio.run(main())

    def test_requests_without_documents_and_ids(self, kind):
        async def main():
            async with open_door() as (_, port), linked(port, kind) as link:
                outcomes = [ask(link, Head('', '/later'), b''), ask(link, Head('', '/later'), b'')]
                for head, body in await asyncio.gather(*outcomes):
                    assert (head.parts, body, head.parameters) == ((), b'', NO_PARAMETERS)

        asyncio.run(main())

    def test_answers_find_their_requests_in_any_order(self, kind):
        async def main():
            async with open_door() as (engine, port), linked(port, kind) as link:
                outcomes = [ask(link, head_for(number, '/hold')) for number in range(3)]
                for walk in reversed([await engine.held.get() for _ in range(3)]):
                    walk.answer()
                assert [head.request_id for head, _ in await asyncio.gather(*outcomes)] == ['0', '1', '2']

        asyncio.run(main())

    def test_one_id_twice(self, kind):
        async def main():
            async with open_door() as (_, port), linked(port, kind) as link:
                await asyncio.gather(ask(link, head_for(1)), ask(link, head_for(1)))

        asyncio.run(main())

    def test_the_window(self, kind):
        async def main():
            async with open_door(WINDOW_COUNT) as (engine, port), linked(port, kind) as link:
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

    def test_a_cancelled_request_gets_no_reply_but_its_credit_back(self, kind):
        async def main():
            async with open_door() as (engine, port), linked(port, kind) as link:
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

    def test_the_server_goes_away(self, kind):
        async def main():
            engine = FakeEngine()
            door = make_door(engine)
            async with linked(await door.start(), kind) as link:
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

    def test_close_ends_what_is_waiting(self, kind):
        async def main():
            async with open_door() as (engine, port):
                link = await (open_grpc(HOST, port) if kind == 'frames' else open_call(port))
                outcome = ask(link, head_for(1, '/hold'))
                walk = await engine.held.get()
                await link.close()
                await link.close()
                head, _ = await outcome
                assert 'closed' in head.status.description
                await walk.cancelled.wait()

        asyncio.run(main())

    def test_close_before_anything_was_sent(self, kind):
        async def main():
            async with open_door() as (_, port), linked(port, kind) as link:
                assert link.encoding == (MSGPACK if kind == 'frames' else PROTOBUF)
            assert link.closed

        asyncio.run(main())

    def test_links_in_several_threads_with_loops_of_their_own(self, kind):
        received = []

        async def client(port):
            async with linked(port, kind) as link:
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


class TestOpen:
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
            door = make_door(FakeEngine(), port=port)
            await door.start()
            async with linked(port) as link:
                await ask(link, head_for(1))
            await door.stop(0)

        asyncio.run(main())

    def test_a_server_of_another_kind(self):
        async def main():
            async with foreign_server() as port, linked(port) as link:
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

    def test_a_stream_that_was_ended_at_our_side_is_followed_by_another(self):
        ended = asyncio.Queue()

        async def answers(requests, context):
            collected = [message async for message in requests]
            ended.put_nowait(len(collected))
            for message in collected:
                yield message

        async def main():
            async with foreign_server(answers) as port, linked(port) as link:
                first = ask(link, head_for(1))
                assert await ended.get() == 1
                assert (await first)[0].request_id == '1'
                second, third = ask(link, head_for(2)), ask(link, head_for(3))
                assert await ended.get() == 2
                assert [head.request_id for head, _ in await asyncio.gather(second, third)] == ['2', '3']
                assert not link.closed

        asyncio.run(main())

    def test_an_address_of_version_six(self):
        async def main():
            door = make_door(FakeEngine(), '::1')
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
