"""One suite for every transport, on the loop of asyncio and on uvloop."""

import asyncio
import os
import socket
import threading
from contextlib import asynccontextmanager

import pytest
import uvloop

from jina.excepts import WireError
from jina.transport import connect, listen
from jina.transport.ring import CAN_SHARE

BIG = 10 << 20


class Recorder:
    """A peer that keeps what it is told."""

    def __init__(self, say_first=b'', on_frame=None):
        self.channel, self.frames, self.reasons, self.events = None, [], [], []
        self._say_first, self._on_frame = say_first, on_frame

    def connected(self, channel):
        self.channel = channel
        self.events.append('connected')
        if self._say_first:
            channel.send(1, 0, self._say_first, [])

    def received(self, frame):
        self.frames.append(frame)
        self.events.append('received')
        if self._on_frame:
            self._on_frame(frame)

    def lost(self, reason):
        self.reasons.append(reason)
        self.events.append('lost')

    @property
    def bodies(self):
        return [bytes(body) for *_, body in self.frames]


@pytest.fixture(params=['unix', *(['shared'] if CAN_SHARE else []), 'unshared', 'tcp', 'memory'])
def address(request, tmp_path, monkeypatch):
    """``shared``: a Unix socket that shares memory from the start; ``unshared``: where there is none to share."""
    if request.param == 'unshared':
        monkeypatch.setattr('jina.transport.shared.CAN_SHARE', False)
    unix = f'unix:{tmp_path}/{request.param}'
    return {'tcp': 'tcp:127.0.0.1:0', 'memory': 'memory:contract'}.get(request.param, unix)


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=['asyncio', 'uvloop'])
def run(request):
    def complete(coroutine):
        with asyncio.Runner(loop_factory=request.param) as runner:
            return runner.run(asyncio.wait_for(coroutine, 20))

    return complete


async def share(client, server, until):
    """What a first large body does, in both directions."""
    for channel in (client, server):
        channel._sharing._offer()
    await until(lambda: client._sharing._accepted and server._sharing._accepted)


@pytest.fixture
def pair(until):
    """``async with pair(address) as (listener, client, server)``"""

    @asynccontextmanager
    async def joined(address, client=None, server=None):
        client, server = client or Recorder(), server or Recorder()
        listener = await listen(address, lambda: server)
        try:
            await connect(listener.address, client)
            await until(lambda: server.channel is not None)
            if address.endswith('/shared'):
                await share(client.channel, server.channel, until)
            yield listener, client, server
        finally:
            await listener.close()
            await until(lambda: server.reasons and client.reasons)

    return joined


def test_frames_arrive_whole_and_in_order(address, run, pair, until):
    async def check():
        async with pair(address) as (_, client, server):
            for n in range(3000):
                client.channel.send(1, n, b'%d' % n, [b'a' * (n % 7), b'b' * (n % 50)])
                server.channel.send(2, n, b'', [])
            await until(lambda: len(server.frames) == len(client.frames) == 3000)
            for n, (kind, stream, head, body) in enumerate(server.frames):
                assert (kind, stream, bytes(head)) == (1, n, b'%d' % n)
                assert bytes(body) == b'a' * (n % 7) + b'b' * (n % 50)
            assert [stream for _, stream, _, _ in client.frames] == list(range(3000))

    run(check())


def test_big_and_small_frames_mix_both_ways(address, run, pair, until):
    big = os.urandom(BIG)

    async def check():
        async with pair(address) as (_, client, server):
            for end in (client, server):
                end.channel.send(1, 0, b'', [b'before'])
                end.channel.send(1, 1, b'head', [b'x', memoryview(big), b'y'])
                end.channel.send(1, 2, b'', [b'after'])
            await until(lambda: len(server.frames) == len(client.frames) == 3)
            assert server.bodies == client.bodies == [b'before', b'x' + big + b'y', b'after']

    run(check())


def test_received_memory_belongs_to_the_peer(address, run, pair, until):
    async def check():
        async with pair(address) as (_, client, server):
            sent = [bytearray(b'small'), bytearray(BIG)]
            for body in sent:
                client.channel.send(1, 0, b'', [body])
            await until(lambda: len(server.frames) == 2)
            for *_, body in server.frames:
                body[:1] = b'!'
            assert sent == [bytearray(b'small'), bytearray(BIG)]

    run(check())


def test_memory_may_change_once_drained(address, run, pair, until):
    async def check():
        async with pair(address) as (_, client, server):
            body = bytearray(b'a' * BIG)
            for letter in b'abc':
                body[:] = bytes([letter]) * BIG
                client.channel.send(1, 0, b'', [body])
                await client.channel.drained()
            body[:] = bytes(BIG)
            await until(lambda: len(server.frames) == 3)
            assert [set(body) for body in server.bodies] == [set(b'a'), set(b'b'), set(b'c')]

    run(check())


def test_what_was_sent_before_closing_arrives(address, run, pair, until):
    async def check():
        async with pair(address) as (_, client, server):
            client.channel.send(1, 0, b'', [bytes(BIG)])
            client.channel.send(1, 1, b'', [b'last'])
            client.channel.close()
            await until(lambda: server.reasons)
            assert [len(b) for b in server.bodies] == [BIG, 4]

    run(check())


@pytest.mark.parametrize('closer', ['client', 'server', 'listener'])
def test_both_ends_are_told_once_and_last_whoever_closes(address, run, pair, until, closer):
    async def check():
        async with pair(address) as (listener, client, server):
            client.channel.send(1, 0, b'', [])
            await until(lambda: server.frames)
            if closer == 'listener':
                await listener.close()
            else:
                {'client': client, 'server': server}[closer].channel.close()
            await until(lambda: client.reasons and server.reasons)
            for end in (client, server):
                end.channel.close()
                end.channel.send(1, 1, b'', [b'too late'])
                await end.channel.drained()
        assert client.events == ['connected', 'lost']
        assert server.events == ['connected', 'received', 'lost']

    run(check())


def test_drained_returns_when_the_other_end_goes_away(address, run, pair):
    async def check():
        async with pair(address) as (_, client, server):
            client.channel.send(1, 0, b'', [bytes(4 * BIG)])
            server.channel.close()
            await client.channel.drained()

    run(check())


def test_a_peer_that_refuses_a_frame_has_its_channel_closed(address, run, pair, until, request):

    def refuse(frame):
        raise WireError('not this one')

    async def check():
        async with pair(address, server=Recorder(on_frame=refuse)) as (_, client, server):
            client.channel.send(1, 0, b'', [])
            client.channel.send(1, 1, b'', [])
            await until(lambda: client.reasons and server.reasons)
            assert len(server.frames) == 1

    run(check())


def test_an_answer_may_be_sent_from_within_received(address, run, pair, until):
    server = Recorder(on_frame=lambda frame: server.channel.send(2, frame[1], b'', [frame[3]]))

    async def check():
        async with pair(address, server=server) as (_, client, _):
            for n in range(100):
                client.channel.send(1, n, b'', [b'%d' % n])
            await until(lambda: len(client.frames) == 100)
            assert client.bodies == [b'%d' % n for n in range(100)]

    run(check())


def test_an_accepted_channel_may_speak_first(address, run, pair, until):
    async def check():
        async with pair(address, server=Recorder(say_first=b'hello')) as (_, client, _):
            await until(lambda: client.frames)

    run(check())


def test_a_connecting_channel_may_speak_first(address, run, pair, until, request):

    async def check():
        async with pair(address, client=Recorder(say_first=b'hello')) as (_, _, server):
            await until(lambda: server.frames)

    run(check())


def test_one_listener_accepts_many_and_closes_all(address, run, until):
    async def check():
        accepted, clients = [], [Recorder() for _ in range(20)]
        listener = await listen(address, lambda: accepted.append(Recorder()) or accepted[-1])
        for client in clients:
            await connect(listener.address, client)
        await until(lambda: len(accepted) == 20 and all(a.channel for a in accepted))
        await listener.close()
        await until(lambda: all(end.reasons for end in accepted + clients))

    run(check())


def test_connecting_to_nothing_is_an_oserror(address, run):
    async def check():
        listener = await listen(address, Recorder)
        await listener.close()
        with pytest.raises(OSError):  # noqa: PT011
            await connect(listener.address, Recorder())

    run(check())


def test_listening_at_an_address_in_use_is_an_oserror(address, run, request):

    async def check():
        listener = await listen(address, Recorder)
        try:
            with pytest.raises(OSError):  # noqa: PT011
                await (await listen(listener.address, Recorder)).close()
        finally:
            await listener.close()

    run(check())


def test_an_address_can_be_used_again_after_it_was_closed(address, run, pair):
    async def check():
        async with pair(address) as (listener, _, _):
            used = listener.address
        async with pair(used) as (listener, _, _):
            assert listener.address == used

    run(check())


def test_closing_leaves_no_socket_file(tmp_path, run):
    async def check():
        listener = await listen(f'unix:{tmp_path}/s', Recorder)
        assert (tmp_path / 's').exists()
        await listener.close()
        assert not (tmp_path / 's').exists()

    run(check())


def test_the_socket_of_a_dead_process_is_replaced(tmp_path, run, pair, until):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(f'{tmp_path}/s')

    async def check():
        async with pair(f'unix:{tmp_path}/s') as (_, client, server):
            client.channel.send(1, 0, b'', [])
            await until(lambda: server.frames)

    run(check())


def test_what_is_no_frame_closes_the_connection(run, until):
    async def check():
        server = Recorder()
        listener = await listen('tcp:127.0.0.1:0', lambda: server)
        reader, writer = await asyncio.open_connection('127.0.0.1', int(listener.address.rpartition(':')[2]))
        writer.write(b'GET / HTTP/1.1\r\n\r\n')
        assert await reader.read() == b''
        await until(lambda: server.reasons)
        writer.close()
        await writer.wait_closed()
        await listener.close()

    run(check())


def test_memory_joins_two_threads(run, until):
    server, listening, done = Recorder(), threading.Event(), threading.Event()
    server_thread = []

    def on_frame(frame):
        server_thread.append(threading.get_ident())
        server.channel.send(2, frame[1], b'', [frame[3]])

    server._on_frame = on_frame

    async def serve():
        listener = await listen('memory:threads', lambda: server)
        listening.set()
        await until(done.is_set)
        await listener.close()

    async def ask():
        client = Recorder()
        await connect('memory:threads', client)
        for n in range(200):
            client.channel.send(1, n, b'', [b'%d' % n])
        await until(lambda: len(client.frames) == 200)
        done.set()
        await until(lambda: client.reasons)
        assert client.bodies == [b'%d' % n for n in range(200)]

    thread = threading.Thread(target=lambda: run(serve()))
    thread.start()
    try:
        assert listening.wait(20)
        run(ask())
    finally:
        done.set()
        thread.join()
    assert set(server_thread) == {thread.ident}
    assert len(server.reasons) == 1
