"""Large bodies between two ends that share memory: in one process and in two."""

import asyncio
import os
import signal
import struct
import subprocess
import sys
import textwrap
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina.excepts import WireError
from jina.transport import connect, listen
from jina.transport.ring import CAN_SHARE
from jina.transport.shared import SHARED_FROM, Sharing
from jina.wire.frames import Kind, frame_header

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason='only where memory can be shared')

SIZE = 300_000


class End:
    """A peer that keeps what it receives, or sends it back."""

    def __init__(self, echo=False):
        self.channel, self.bodies, self.lost_with, self._echo = None, [], None, echo

    def connected(self, channel):
        self.channel = channel

    def received(self, frame):
        if self._echo:
            self.channel.send(2, frame[1], frame[2], [frame[3]])
        else:
            self.bodies.append(bytes(frame[3]))

    def lost(self, reason):
        self.lost_with = reason


@pytest.fixture
def through(monkeypatch):
    """How many bodies went through a ring, and how many asked for it."""
    count = Counter()
    original = Sharing.outgoing

    def counted(self, *args):
        head = original(self, *args)
        count['ring' if head is not None else 'socket'] += 1
        return head

    monkeypatch.setattr(Sharing, 'outgoing', counted)
    return count


@pytest.fixture
def joined(tmp_path, until):
    """``await joined(use)``: call it with the two ends of a channel."""

    async def join(use):
        server, client = End(), End()
        listener = await listen(f'unix:{tmp_path}/s', lambda: server)
        try:
            await connect(listener.address, client)
            await until(lambda: server.channel)
            await use(client, server)
        finally:
            await listener.close()
            await until(lambda: client.lost_with and server.lost_with)

    return lambda use: asyncio.run(asyncio.wait_for(join(use), 20))


async def send_one_by_one(sender, receiver, bodies, until):
    for n, body in enumerate(bodies, len(receiver.bodies) + 1):
        sender.channel.send(1, n, b'head', [body])
        await until(lambda n=n: len(receiver.bodies) == n)


def memory():
    with open('/proc/self/maps') as maps:
        return maps.read().count('jina-bodies')


def test_the_first_large_body_goes_through_the_socket_and_the_others_through_memory(joined, until, through):
    bodies = [bytes([n]) * (SIZE + n) for n in range(20)]

    async def use(client, server):
        for sender, receiver in ((client, server), (server, client)):
            await send_one_by_one(sender, receiver, bodies, until)
            assert receiver.bodies == bodies

    joined(use)
    assert through == {'socket': 2, 'ring': 38}


def test_who_sends_nothing_large_shares_nothing(joined, until):
    async def use(client, server):
        await send_one_by_one(client, server, [b'x' * (SHARED_FROM - 1)] * 20, until)
        assert memory() == 0

    joined(use)


def test_what_finds_no_room_goes_through_the_socket_in_its_place(joined, until, through):
    bodies = [bytes([n]) * (5 << 20) for n in range(24)]  # together more than the ring holds

    async def use(client, server):
        await send_one_by_one(client, server, bodies[:1], until)
        for n, body in enumerate(bodies[1:]):
            client.channel.send(1, n, b'', [body])
            client.channel.send(1, n, b'', [b'%d' % n])
        await until(lambda: len(server.bodies) == 47)
        assert server.bodies == bodies[:1] + [b for n, body in enumerate(bodies[1:]) for b in (body, b'%d' % n)]

    joined(use)
    assert through['ring'] > 5
    assert through['socket'] > 5


@pytest.mark.parametrize(
    'broken', ['ring.os.memfd_create', 'ring.os.posix_fallocate', 'ring.mmap.mmap', 'ring.shown_at']
)
def test_where_memory_cannot_be_shared_all_goes_through_the_socket(joined, until, through, monkeypatch, broken):
    def fail(*_):
        raise OSError('not here')

    monkeypatch.setattr(f'jina.transport.{broken}', fail)

    async def use(client, server):
        await send_one_by_one(client, server, [bytes([n]) * SIZE for n in range(5)], until)

    joined(use)
    assert through == {'socket': 5}


def test_what_was_sent_may_change_at_once(joined, until):
    async def use(client, server):
        await send_one_by_one(client, server, [bytes(SIZE)], until)
        body = bytearray(b'a' * SIZE)
        client.channel.send(1, 1, b'', [body])
        body[:] = b'b' * SIZE
        await until(lambda: len(server.bodies) == 2)
        assert set(server.bodies[1]) == {ord('a')}

    joined(use)


@settings(deadline=None, max_examples=60)
@given(
    st.sampled_from([5, 6, 7]), st.one_of(st.binary(max_size=60), st.integers(1, 4).map(lambda n: bytes(12 * n + 1)))
)
def test_nonsense_is_refused(kind, head):
    sharing = Sharing(lambda *_: None)
    try:
        answer = sharing.received((kind, 0, head, b''))
    except WireError:
        return
    finally:
        sharing.close()
    assert answer is None  # an offer that cannot be opened
    assert kind == Kind.OFFER


@pytest.mark.parametrize('kind', [Kind.ACCEPT, Kind.SHARED, Kind.OFFER])
def test_nonsense_closes_the_channel(tmp_path, until, kind):
    async def check():
        server = End()
        listener = await listen(f'unix:{tmp_path}/s', lambda: server)
        reader, writer = await asyncio.open_unix_connection(f'{tmp_path}/s')
        head = struct.pack('<BQQQ', 1, 1, 4096, 5)
        writer.write(frame_header(kind, 0, len(head), 0) + head)
        assert await reader.read() == b''
        await until(lambda: server.lost_with)
        writer.close()
        await listener.close()

    asyncio.run(asyncio.wait_for(check(), 20))


def test_a_second_offer_is_refused():
    sent = []
    sender, receiver = Sharing(lambda *frame: sent.append(frame)), Sharing(lambda *frame: sent.append(frame))
    try:
        assert sender.outgoing(1, b'', [bytes(SIZE)], SIZE) is None
        receiver.received(sent[0])
        assert sent[1][0] == Kind.ACCEPT
        with pytest.raises(WireError, match='unasked'):
            receiver.received(sent[0])
    finally:
        sender.close()
        receiver.close()


def test_many_channels_share_at_once_and_leave_nothing(tmp_path, until, through):
    def held():
        return len(os.listdir('/proc/self/fd')), memory()

    async def check():
        accepted, clients = [], [End() for _ in range(200)]
        listener = await listen(f'unix:{tmp_path}/s', lambda: accepted.append(End(echo=True)) or accepted[-1])
        before = held()
        for client in clients:
            await connect(listener.address, client)
        for turn in range(3):
            for n, client in enumerate(clients):
                client.channel.send(1, n, b'', [bytes([n]) * SHARED_FROM])
            await until(lambda turn=turn: all(len(c.bodies) == turn + 1 for c in clients), 20)
        assert all(set(map(bytes, c.bodies)) == {bytes([n]) * SHARED_FROM} for n, c in enumerate(clients))
        assert memory() == 800
        await listener.close()
        await until(lambda: all(end.lost_with for end in accepted + clients))
        await until(lambda: held() <= before)

    asyncio.run(asyncio.wait_for(check(), 60))
    assert memory() == 0
    assert through['ring'] >= 600


ECHO = """
    import asyncio, sys
    from jina.transport import listen

    class Echo:
        def connected(self, channel):
            self.channel = channel

        def received(self, frame):
            self.channel.send(2, frame[1], frame[2], [frame[3]])

        def lost(self, reason):
            print(open('/proc/self/maps').read().count('jina-bodies'), flush=True)

    async def serve():
        listener = await listen(sys.argv[1], Echo)
        print('ready', flush=True)
        await asyncio.Event().wait()

    asyncio.run(serve())
"""


@pytest.fixture
def echo(tmp_path):
    """Another process that sends back what it receives, and its address."""
    address = f'unix:{tmp_path}/s'
    command = [sys.executable, '-c', textwrap.dedent(ECHO), address]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == 'ready\n'
        yield process, address
        process.kill()


def test_bodies_go_to_another_process_and_back(echo, until, through):
    process, address = echo
    bodies = [os.urandom(SIZE + n) for n in range(20)]

    async def check():
        client = End()
        await connect(address, client)
        await send_one_by_one(client, client, bodies, until)
        assert client.bodies == bodies
        assert memory() == 2
        client.channel.close()
        await until(lambda: client.lost_with)

    asyncio.run(asyncio.wait_for(check(), 20))
    assert process.stdout.readline() == '0\n'
    assert memory() == 0
    assert through == {'socket': 1, 'ring': 19}


def test_a_process_that_is_killed_with_bodies_under_way_takes_only_them(echo, until, through):
    process, address = echo

    async def check():
        client = End()
        await connect(address, client)
        await send_one_by_one(client, client, [bytes(SIZE)] * 2, until)
        process.send_signal(signal.SIGSTOP)
        for n in range(5):
            client.channel.send(1, n, b'', [bytes(SIZE)])
        await client.channel.drained()
        process.kill()
        await until(lambda: client.lost_with)
        client.channel.send(1, 9, b'', [bytes(SIZE)])

    asyncio.run(asyncio.wait_for(check(), 20))
    assert memory() == 0
    assert through['ring'] == 6


def test_a_memory_of_another_process_is_not_shared_over_tcp(until):
    async def check():
        client, server = End(), End()
        listener = await listen('tcp:127.0.0.1:0', lambda: server)
        await connect(listener.address, client)
        await until(lambda: server.channel)
        await send_one_by_one(client, server, [bytes(SIZE)] * 3, until)
        assert memory() == 0
        await listener.close()
        await until(lambda: client.lost_with and server.lost_with)

    asyncio.run(asyncio.wait_for(check(), 20))
