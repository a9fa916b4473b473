"""The link to a WebSocket server, with servers on the other end that are of another make, or none."""

import asyncio
import contextlib
import logging
import socket

import pytest
from websockets.asyncio.server import serve

from jina.clients.address import Address
from jina.clients.call import WINDOW_COUNT
from jina.clients.websocket import END, open_websocket
from jina.excepts import ServerUnreachable
from jina.proto.jina_pb2 import DataRequestProto, RequestProto
from jina.types.request import StatusCode
from jina.wire.batches import SUBPROTOCOL, Outbox
from jina.wire.frames import Kind
from jina.wire.head import MSGPACK, PROTOBUF, Head, Hello, Part, encode_head

HOST = '127.0.0.1'
SECONDS = 20
DATA = DataRequestProto(docs=[{'id': '1', 'text': 'hello'}]).SerializeToString()


@contextlib.asynccontextmanager
async def server_of(handler, **options):
    """The address of a server.

    :param handler: what it does with a connection.
    """
    async with serve(handler, HOST, 0, **options) as server:
        yield Address('websocket', HOST, server.sockets[0].getsockname()[1])


@contextlib.asynccontextmanager
async def linked(handler, **options):
    async with server_of(handler, **options) as address:
        link = await open_websocket(address)
        try:
            yield link
        finally:
            await link.close()
            await asyncio.sleep(0)


async def echo(ws):
    async for message in ws:
        await ws.send(message)


class HoldsBack:
    """Answers when the client says that no more will follow, or so many requests have come: as the 2.0.24 release.

    :ivar streams: of each connection, how many requests came over it.
    """

    def __init__(self, prefetch):
        self.prefetch = prefetch
        self.streams = []

    async def __call__(self, ws):
        held, number = [], len(self.streams)
        self.streams.append(0)
        async for message in ws:
            if message == END:
                for each in held:
                    await ws.send(each)
                return
            self.streams[number] += 1
            held.append(message)
            if len(held) >= self.prefetch:
                await ws.send(held.pop(0))


def ask(link, number=1, body=DATA):
    outcome = asyncio.get_running_loop().create_future()
    head = Head(str(number), '/x', (Part(PROTOBUF, len(body)),) if body else (), PROTOBUF)
    outcome.stream = link.request(
        head, [body] if body else [], lambda *answer: outcome.done() or outcome.set_result(answer)
    )
    return outcome


def run(main):
    async def limited():
        async with asyncio.timeout(SECONDS):
            await main()

    asyncio.run(limited())


class TestLink:
    def test_requests_are_answered_in_any_order(self):
        async def backwards(ws):
            held = [await ws.recv() for _ in range(3)]
            for message in reversed(held):
                await ws.send(message)

        async def main():
            async with linked(backwards) as link:
                outcomes = [ask(link, number) for number in range(3)]
                answers = await asyncio.gather(*outcomes)
                assert [(head.request_id, body) for head, body in answers] == [(str(n), DATA) for n in range(3)]

        run(main)

    def test_no_documents_and_two_of_one_name(self):
        seen = []

        async def look(ws):
            async for message in ws:
                seen.append(RequestProto.FromString(message))
                await ws.send(message)

        async def main():
            async with linked(look) as link:
                for head, body in await asyncio.gather(ask(link, 1, b''), ask(link, 1), ask(link, '')):
                    assert (head.status, body) in ((None, b''), (None, DATA))
                assert len({request.request_id for request in seen}) == 3
                assert all(request.WhichOneof('body') == 'data' for request in seen)

        run(main)

    def test_answers_in_fragments_and_large_ones(self):
        async def fragments(ws):
            async for message in ws:
                await ws.ping()
                await ws.send('a text is none of our business')
                await ws.send([message[:5], message[5:10], message[10:]])

        async def main():
            async with linked(fragments, max_size=None) as link:
                assert (await ask(link))[1] == DATA
                large = DataRequestProto(docs=[{'text': 'x' * (5 << 20)}]).SerializeToString()
                assert (await ask(link, 2, large))[1] == large

        run(main)

    def test_the_window(self):
        async def main():
            release = asyncio.Event()

            async def later(ws):
                async for message in ws:
                    await release.wait()
                    await ws.send(message)

            async with linked(later) as link:
                outcomes = [ask(link, number) for number in range(WINDOW_COUNT)]
                assert not link.admits(0)
                changed = asyncio.Event()
                link.on_change = changed.set
                release.set()
                await changed.wait()
                assert link.admits(0)
                await asyncio.gather(*outcomes)

        run(main)

    def test_a_cancelled_request_gets_no_reply_but_its_credit_back(self):
        async def main():
            async with linked(echo) as link:
                outcome = ask(link)
                link.cancel(outcome.stream)
                link.cancel(outcome.stream + 1)
                await ask(link, 2)
                await link.drained()
                assert link.admits(1 << 40)
                assert not outcome.done()

        run(main)

    def test_a_connection_that_the_server_closes_in_between_is_replaced(self, until):
        async def once(ws):
            await ws.send(await ws.recv())

        async def main():
            async with linked(once) as link:
                for number in range(3):
                    assert (await ask(link, number))[1] == DATA
                    await until(lambda: link._stream is None or not link._stream.usable)
                assert not link.closed

        run(main)

    def test_a_connection_whose_end_is_just_known_is_not_used(self):
        async def main():
            async with linked(echo) as link:
                await ask(link)
                link._stream._connection.close()
                assert (await ask(link, 2))[1] == DATA

        run(main)

    def test_close_ends_what_is_waiting(self):
        async def never(ws):
            await ws.wait_closed()

        async def main():
            async with linked(never) as link:
                outcome = ask(link)
                await link.close()
                await link.close()
                assert 'closed' in (await outcome)[0].status.description

        run(main)


class TestServersThatHoldAnswersBack:
    def test_a_stream_on_which_nothing_follows_is_ended(self):
        server = HoldsBack(50)

        async def main():
            async with linked(server) as link:
                for number in range(3):
                    assert (await ask(link, number))[1] == DATA
                assert await asyncio.gather(*[ask(link, number) for number in range(3)])

        run(main)
        assert server.streams == [1, 1, 1, 3]

    def test_many_requests_share_a_stream(self):
        server = HoldsBack(50)

        async def main():
            async with linked(server) as link:
                outcomes = [ask(link, number) for number in range(60)]
                answers = await asyncio.gather(*outcomes)
                assert [head.request_id for head, _ in answers] == [str(n) for n in range(60)]

        run(main)
        assert server.streams == [60]

    def test_what_is_asked_while_an_ended_stream_is_answered(self, until):
        server = HoldsBack(50)

        async def main():
            async with linked(server) as link:
                first = ask(link, 1)
                await until(lambda: link._stream is None)
                second = ask(link, 2)
                assert [head.request_id for head, _ in await asyncio.gather(first, second)] == ['1', '2']

        run(main)
        assert server.streams == [1, 1]

    def test_a_stream_on_which_all_is_answered_is_closed(self, until):
        closed = []

        async def stays(ws):
            message = await ws.recv()
            assert await ws.recv() == END
            await ws.send(message)
            await ws.wait_closed()
            closed.append(ws)

        async def main():
            async with linked(stays) as link:
                await ask(link)
                await until(lambda: closed)
                assert not link.closed

        run(main)

    def test_one_stream_is_lost_while_the_next_is_opened(self):
        async def lose(ws):
            await ws.recv()
            if await ws.recv() == END:
                await ws.close(1011, 'had enough')

        async def main():
            async with linked(lose) as link:
                first = ask(link, 1)
                link._look(link._sent)
                second = ask(link, 2)
                for head, _ in await asyncio.gather(first, second):
                    assert 'had enough' in head.status.description

        run(main)

    def test_close_while_the_next_stream_is_opened(self):
        async def main():
            async with linked(HoldsBack(50)) as link:
                await ask(link, 1)
                outcome = ask(link, 2)
                await link.close()
                assert 'closed' in (await outcome)[0].status.description

        run(main)


class TestFrames:
    """With servers that choose the subprotocol; one of this package is in ``test_links_contract``."""

    @pytest.mark.parametrize('says', [[], [b'no frames at all, but as long as one']])
    def test_one_that_does_not_greet(self, says):
        async def silent(ws):
            for message in says:
                await ws.send(message)
            await ws.wait_closed()

        async def main():
            async with server_of(silent, subprotocols=[SUBPROTOCOL]) as address:
                with pytest.raises(ServerUnreachable, match='did not greet'):
                    await open_websocket(address, timeout=0.2)
                await asyncio.sleep(0)

        run(main)

    def test_one_that_goes_away(self):
        async def leave(ws):
            outbox = Outbox()
            outbox.add(Kind.HELLO, 0, encode_head(Hello(4, 1000)), [])
            await ws.send(outbox.take())
            await ws.recv()
            await ws.close(1011, 'had enough')

        async def main():
            async with linked(leave, subprotocols=[SUBPROTOCOL]) as link:
                assert (link.encoding, link.admits(1000)) == (MSGPACK, True)
                head, _ = await ask(link)
                assert f'ws://{HOST}:' in head.status.description
                assert 'had enough' in head.status.description
                assert link.closed

        run(main)


class TestServersThatAreNone:
    @pytest.mark.parametrize('code', [1000, 1011])
    def test_one_that_goes_away(self, code):
        async def leave(ws):
            await ws.recv()
            await ws.recv()
            await ws.close(code, 'had enough')

        async def main():
            async with linked(leave) as link:
                for head, body in await asyncio.gather(ask(link, 1), ask(link, 2)):
                    assert (head.status.code, body) == (StatusCode.ERROR, b'')
                    assert f'ws://{HOST}:' in head.status.description
                    assert 'had enough' in head.status.description
                assert (link.closed, link.admits(0)) == (True, False)

        run(main)

    def test_one_that_vanishes(self):
        async def vanish(ws):
            await ws.recv()
            ws.transport.abort()

        async def main():
            async with linked(vanish) as link:
                assert (await ask(link))[0].status.code == StatusCode.ERROR
                assert link.closed

        run(main)

    def test_one_that_answers_nonsense(self):
        async def nonsense(ws):
            await ws.recv()
            await ws.send(b'\xff')
            await ws.wait_closed()

        async def main():
            async with linked(nonsense) as link:
                head, _ = await ask(link)
                assert 'answers with what is not a RequestProto' in head.status.description
                assert link.closed

        run(main)

    def test_one_that_answers_twice_and_unasked(self, caplog):
        async def twice(ws):
            async for message in ws:
                await ws.send(RequestProto(request_id='nobody').SerializeToString())
                await ws.send(message)
                await ws.send(message)

        async def main():
            async with linked(twice) as link:
                for number in range(3):
                    assert (await ask(link, number))[1] == DATA

        with caplog.at_level(logging.WARNING, 'jina.client'):
            run(main)
        assert "ignored an answer to no request ('nobody')" in caplog.text

    def test_one_that_does_not_shake_hands(self):
        async def main():
            def refuse(connection, request):
                return connection.respond(404, 'nothing here')

            async with server_of(echo, process_request=refuse) as address:
                with pytest.raises(ServerUnreachable, match=f'{address}: it is no WebSocket server: .*404'):
                    await open_websocket(address)

        run(main)

    @pytest.mark.parametrize(
        ('says', 'why'),
        [(b'SSH-2.0-OpenSSH\r\n\r\n', 'no WebSocket server'), (b'', 'no WebSocket server|closed')],
    )
    def test_one_of_another_kind(self, says, why):
        async def other(reader, writer):
            await reader.readuntil(b'\r\n\r\n')
            writer.write(says)
            await writer.drain()
            writer.close()

        async def main():
            async with await asyncio.start_server(other, HOST, 0) as server:
                address = Address('websocket', HOST, server.sockets[0].getsockname()[1])
                with pytest.raises(ServerUnreachable, match=why):
                    await open_websocket(address)
                await asyncio.sleep(0)

        run(main)

    def test_one_that_says_nothing(self):
        async def main():
            with socket.create_server((HOST, 0)) as silent:
                address = Address('websocket', HOST, silent.getsockname()[1])
                with pytest.raises(ServerUnreachable, match=r'no answer in 0\.2 s'):
                    await open_websocket(address, timeout=0.2)
                await asyncio.sleep(0)

        run(main)

    def test_one_that_is_gone_when_the_next_stream_is_needed(self):
        async def main():
            async with server_of(HoldsBack(50)) as address:
                link = await open_websocket(address)
                await ask(link)
            head, _ = await ask(link)
            assert 'refused' in head.status.description.lower()
            assert link.closed
            await link.close()

        run(main)
