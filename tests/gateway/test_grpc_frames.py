"""Frames over gRPC, between two ends of this package; and how each end takes what no such end would send."""

import asyncio
import contextlib

import grpc
import msgspec
import pytest
from grpc_peers import (
    DATA,
    HOST,
    OPTIONS,
    FakeEngine,
    ask,
    foreign_call,
    foreign_request,
    foreign_server,
    head_for,
    linked,
    logged_by_us,
    make_door,
    open_door,
)

import jina.clients.grpc
from jina.gateway import frames as door_frames
from jina.types.request import Status, StatusCode
from jina.wire.batches import MESSAGE, Inbox, Outbox
from jina.wire.frames import Kind
from jina.wire.head import MSGPACK, PROTOBUF, Head, Hello, Part, decode_head, decode_hello, encode_head

METHOD = '/jina.JinaRPC/Frames'


@contextlib.asynccontextmanager
async def raw_stream(port):
    """The stream as bytes, for what no client of ours would send."""
    async with grpc.aio.insecure_channel(f'{HOST}:{port}', OPTIONS) as channel:
        call = channel.stream_stream(METHOD)()
        hello = Inbox().received(await call.read())
        assert [frame[0] for frame in hello] == [Kind.HELLO]
        yield call


def packed(*frames):
    outbox = Outbox()
    for kind, stream, head, body in frames:
        outbox.add(kind, stream, head if isinstance(head, bytes | bytearray) else encode_head(head), body)
    return b''.join(iter(outbox.take, b''))


def request(number, endpoint='/now', body=DATA, **fields):
    return Kind.REQUEST, number, Head(str(number), endpoint, (Part(PROTOBUF, len(body)),), PROTOBUF, **fields), [body]


async def answers(call, count):
    """So many answers, and how many messages they came in."""
    inbox, found, messages = Inbox(), [], 0
    while len(found) < count:
        found += inbox.received(await call.read())
        messages += 1
    return [(stream, decode_head(head), bytes(body)) for _, stream, head, body in found], messages


def greeting(frames=()):
    return packed((Kind.HELLO, 0, Hello(64, 1 << 20, 'gateway', 1), []), *frames)


class TestDoor:
    def test_it_greets_with_its_window(self):
        async def main():
            async with (
                open_door(window=7) as (_, port),
                grpc.aio.insecure_channel(f'{HOST}:{port}', OPTIONS) as channel,
            ):
                call = channel.stream_stream(METHOD)()
                [(_, _, head, _)] = Inbox().received(await call.read())
                hello = decode_hello(head)
                assert (hello.window_count, hello.window_bytes, hello.name) == (7, 64 << 20, 'gateway')

        asyncio.run(main())

    def test_many_requests_share_a_message_and_so_do_their_answers(self):
        async def main():
            async with open_door(window=100) as (_, port), raw_stream(port) as call:
                await call.write(packed(*[request(number) for number in range(100)]))
                found, messages = await answers(call, 100)
                assert [(stream, head.request_id, body) for stream, head, body in found] == [
                    (number, str(number), DATA) for number in range(100)
                ]
                assert messages == 1

        asyncio.run(main())

    def test_a_request_in_many_messages(self):
        async def main():
            async with open_door() as (_, port), raw_stream(port) as call:
                message = packed(request(1))
                for at in range(0, len(message), 10):
                    await call.write(message[at : at + 10])
                [(stream, _, body)], _ = await answers(call, 1)
                assert (stream, body) == (1, DATA)

        asyncio.run(main())

    def test_what_the_contract_has_no_place_for_travels(self):
        async def main():
            async with open_door() as (engine, port), linked(port) as link:
                outcome = ask(link, head_for(1, '/hold', timeout=1.5, trace='00-a-b-01'))
                walk = await engine.held.get()
                assert (walk.head.timeout, walk.head.trace) == (1.5, '00-a-b-01')
                walk.answer(Status(StatusCode.ERROR, 'your fault', client_error=True))
                head, _ = await outcome
                assert head.status.client_error

        asyncio.run(main())

    def test_cancel(self, until):
        async def main():
            async with open_door() as (engine, port), linked(port) as link:
                stream = link.request(head_for(1, '/hold'), [DATA], lambda *answer: None)
                walk = await engine.held.get()
                link.cancel(stream)
                await walk.cancelled.wait()
                await until(lambda: not link.in_flight)

        asyncio.run(main())

    def test_a_client_that_goes_away_cancels_its_walks(self, caplog):
        async def main():
            async with open_door() as (engine, port), raw_stream(port) as call:
                await call.write(packed(request(1, '/hold')))
                walk = await engine.held.get()
                call.cancel()
                await walk.cancelled.wait()
                walk.answer()

        asyncio.run(main())
        assert not logged_by_us(caplog)

    def test_a_client_that_ends_its_side_is_answered(self):
        async def main():
            async with open_door() as (engine, port), raw_stream(port) as call:
                await call.write(packed(request(1, '/hold')))
                await call.done_writing()
                (await engine.held.get()).answer()
                assert (await answers(call, 1))[0][0][0] == 1
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_stop_waits_for_answers_and_not_for_streams(self):
        async def main():
            engine = FakeEngine()
            door = make_door(engine)
            port = await door.start()
            async with linked(port) as idle, linked(port) as link:
                outcome = ask(link, head_for(1, '/hold'))
                walk = await engine.held.get()
                stopping = asyncio.ensure_future(door.stop(grace=60))
                walk.answer()
                head, _ = await outcome
                assert (head.request_id, head.status) == ('1', None)
                await asyncio.wait_for(stopping, 20)
                assert idle.in_flight == 0

        asyncio.run(main())


async def refusal(call):
    with contextlib.suppress(grpc.aio.AioRpcError):
        while await call.read() is not grpc.aio.EOF:
            pass
    assert await call.code() is grpc.StatusCode.INVALID_ARGUMENT
    return await call.details()


class TestDoorAgainstBadClients:
    """The stream ends with a reason; what it had under way is cancelled; no other stream is hurt."""

    @pytest.mark.parametrize(('message', 'why'), [
        (b'\xff' * 64, 'does not speak the protocol of this package'),
        (packed((Kind.REQUEST, 1, b'\xc1', [])), 'a head that cannot be read'),
        (packed((Kind.REQUEST, 1, b'\x93\x01\x02\x03', [])), 'a head that cannot be read'),
        (packed((Kind.ANSWER, 1, Head('', ''), [])), 'a client does not send frames of kind 2'),
        (packed((99, 1, b'', [])), 'a client does not send frames of kind 99'),
        (packed(request(0, '/hold')), 'stream 0 was used again'),
        (packed(*[request(number, '/hold') for number in range(1, 9)]), 'more than 8 requests without an answer'),
        (packed((Kind.REQUEST, 1, Head('', '/x', (Part(PROTOBUF, 9),)), [DATA])), 'other parts than the'),
        (packed((Kind.REQUEST, 1, Head('', '/x', (Part(PROTOBUF, 9), Part(PROTOBUF, -9))), [])), 'other parts than'),
        (packed((Kind.REQUEST, 1, Head('', '/x'), [DATA])), 'other parts than'),
    ])  # fmt: skip
    def test_what_no_client_of_ours_sends(self, message, why, caplog):
        async def main():
            async with open_door(window=8) as (engine, port), raw_stream(port) as bad, foreign_call(port) as good:
                await good.write(foreign_request(1, '/hold'))
                its = await engine.held.get()
                await bad.write(packed(request(0, '/hold')))
                walk = await engine.held.get()
                await bad.write(message)
                assert why in await refusal(bad)
                await walk.cancelled.wait()
                its.answer()
                assert (await good.read()).request_id == '1'

        asyncio.run(main())
        assert not logged_by_us(caplog)

    def test_more_bytes_than_the_window(self, monkeypatch):
        monkeypatch.setattr(door_frames, 'WINDOW_BYTES', 1000)

        async def main():
            async with open_door() as (engine, port), raw_stream(port) as call:
                await call.write(packed(request(0, body=bytes(5000)), request(1, '/hold', bytes(600))))
                await engine.held.get()
                await call.write(packed(request(2, '/hold', bytes(401))))
                assert 'more than 1,000 bytes without an answer' in await refusal(call)

        asyncio.run(main())

    def test_one_that_sends_and_does_not_read(self, monkeypatch, until):
        monkeypatch.setattr(door_frames, 'WINDOW_BYTES', 10_000)
        context = SlowContext([packed(request(number, body=bytes(4000))) for number in range(20)])

        async def main():
            stream = door_frames.FramesStream(FakeEngine(), context, 64)
            running = asyncio.ensure_future(stream.run())
            await until(lambda: len(context.messages) < 20)
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(context.messages) == 17  # three answers are more than the window
            context.writable.set()
            await running
            inbox = Inbox()
            frames = [frame for message in context.written for frame in inbox.received(message)]
            assert [frame[1] for frame in frames if frame[0] == Kind.ANSWER] == list(range(20))

        asyncio.run(main())


class SlowContext:
    """A call whose client does not read before it is told to."""

    def __init__(self, messages):
        self.messages = messages
        self.written = []
        self.writable = asyncio.Event()

    async def read(self):
        await asyncio.sleep(0)
        return self.messages.pop(0) if self.messages else None

    def time_left(self):
        return None

    async def write(self, message):
        await self.writable.wait()
        self.written.append(message)


class TestLink:
    def test_what_is_sent_in_one_turn_is_one_message(self):
        messages = []

        async def echo(requests, context):
            yield greeting()
            inbox = Inbox()
            async for message in requests:
                messages.append(message)
                for _, stream, head, body in inbox.received(message):
                    yield packed((Kind.ANSWER, stream, head, [body]))

        async def main():
            async with foreign_server(frames=echo) as port, linked(port) as link:
                outcomes = [ask(link, head_for(number)) for number in range(40)]
                assert [head.request_id for head, _ in await asyncio.gather(*outcomes)] == [str(n) for n in range(40)]
                assert link.encoding == MSGPACK

        asyncio.run(main())
        assert len(messages) == 1

    def test_large_bodies(self):
        async def main():
            async with open_door() as (_, port), linked(port) as link:
                sent = bytearray(bytes(range(256)) * (5 * MESSAGE // 256))
                head = Head('1', '/later', (Part(PROTOBUF, len(sent) + 4),))
                outcome = asyncio.get_running_loop().create_future()
                link.request(head, [b'head', memoryview(sent)], lambda *answer: outcome.set_result(answer))
                before = bytes(sent)
                await link.drained()
                sent[:] = bytes(len(sent))  # its memory is the sender's again
                _, body = await outcome
                assert body == b'head' + before
                memoryview(body)[:4] = b'tail'  # arrays in it may be changed in place

        asyncio.run(main())

    def test_a_server_of_another_make_gets_the_plain_contract(self):
        async def call(requests, context):
            async for message in requests:
                yield message

        async def main():
            async with foreign_server(call) as port, linked(port) as link:
                assert link.encoding == PROTOBUF
                assert [(await ask(link, head_for(n)))[1] for n in range(2)] == [DATA, DATA]

        asyncio.run(main())

    @pytest.mark.parametrize('first', [None, b'nonsense' * 8, packed((Kind.ANSWER, 0, Head('', ''), []))])
    def test_one_that_has_another_method_of_that_name_too(self, first, monkeypatch):
        monkeypatch.setattr(jina.clients.grpc, 'GREETING_SECONDS', 0.1)

        async def frames(requests, context):
            if first:
                yield first
            async for _ in requests:
                pass

        async def call(requests, context):
            async for message in requests:
                yield message

        async def main():
            async with foreign_server(call, frames) as port, linked(port) as link:
                assert link.encoding == PROTOBUF
                assert (await ask(link, head_for(1)))[1] == DATA

        asyncio.run(main())

    @pytest.mark.parametrize(('message', 'why'), [
        (b'\xff' * 64, 'protocol of this package'),
        (packed((Kind.ANSWER, 9, Head('', ''), [])), 'an answer to no request'),
        (packed((Kind.ANSWER, 0, b'\xc1', [])), 'a head that cannot be read'),
        (packed(request(0)), 'a server does not send frames of kind 1'),
    ])  # fmt: skip
    def test_a_server_that_sends_nonsense(self, message, why):
        async def frames(requests, context):
            yield greeting()
            async for _ in requests:
                yield message

        async def main():
            async with foreign_server(frames=frames) as port, linked(port) as link:
                head, _ = await ask(link, head_for(1))
                assert (head.status.code, link.closed) == (StatusCode.ERROR, True)
                assert f'grpc://{HOST}' in head.status.description
                assert why in head.status.description

        asyncio.run(main())

    def test_a_server_that_ends_the_stream(self):
        async def frames(requests, context):
            yield greeting()
            async for _ in requests:
                return

        async def main():
            async with foreign_server(frames=frames) as port, linked(port) as link:
                head, _ = await ask(link, head_for(1))
                assert 'ended the stream' in head.status.description

        asyncio.run(main())

    def test_parameters_that_protobuf_cannot_express(self):
        async def main():
            async with open_door() as (engine, port), linked(port) as link:
                parameters = {'image': b'\x00\xff', 'big': 2**60}
                raw = msgspec.Raw(msgspec.msgpack.encode(parameters))
                outcome = ask(link, head_for(1, '/hold', parameters=raw))
                walk = await engine.held.get()
                assert msgspec.msgpack.decode(walk.head.parameters) == parameters
                walk.answer()
                await outcome

        asyncio.run(main())
