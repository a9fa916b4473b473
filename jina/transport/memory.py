"""A transport inside one process: the in-memory twin of a socket. Its two ends may live in different threads."""

import asyncio
from collections.abc import Callable
from typing import Any

from jina.excepts import WireError
from jina.transport.base import Accept, Channel, Listener, Peer
from jina.wire.frames import Buffer, Frame
from jina.wire.head import Body

_listeners: dict[str, 'MemoryListener'] = {}


class MemoryChannel:
    """One end of a pair. Bodies are copied once, as a socket would, so that the two ends share no memory."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._closing = False
        self._early: list[Frame] = []
        self.other: MemoryChannel | None = None

    def join(self, other: 'MemoryChannel') -> None:
        """Make the two ends of one channel of two."""
        self.other, other.other = other, self

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        frame = (kind, stream, bytearray(head), bytearray(b''.join(body)))
        if self.other is None:  # it is not joined yet
            self._early.append(frame)
        elif not self._closed:
            self.other._call(lambda other: other._receive(frame))

    def send_early(self) -> None:
        """Send what was sent before there was another end."""
        early, self._early = self._early, []
        for frame in early:
            self.send(*frame[:3], [frame[3]])

    async def drained(self) -> None:
        return

    def close(self) -> None:
        if not self._closing:
            self._closing = True
            self._call(MemoryChannel._lose)
            if self.other is not None:
                self.other._call(MemoryChannel._lose)

    def abort(self) -> None:
        self.close()

    def _call(self, act: 'Callable[[MemoryChannel], Any]') -> None:
        try:
            self._loop.call_soon_threadsafe(self._act, act)
        except RuntimeError:  # the loop of that end is closed: so is the end
            self._closed = True

    def _act(self, act: 'Callable[[MemoryChannel], Any]') -> None:
        if not self._closed:
            act(self)

    def _receive(self, frame: Frame) -> None:
        if self._closing:
            return
        try:
            self._peer.received(frame)
        except WireError:
            self.close()

    def _lose(self) -> None:
        self._closed = True
        self._peer.lost('the connection was closed')


class MemoryListener:
    """A name in this process where channels are accepted."""

    def __init__(self, name: str, accept: Accept) -> None:
        self.address = f'memory:{name}'
        self.loop = asyncio.get_running_loop()
        self._accept = accept
        self._name = name
        self._channels: list[MemoryChannel] = []

    def accepted(self, other: MemoryChannel, done: Callable[[], None]) -> None:
        """Make this end of the pair. Called in the thread of the listener."""
        channel = MemoryChannel(self._accept())
        channel.join(other)
        self._channels = [c for c in self._channels if not c._closed] + [channel]
        done()
        channel._peer.connected(channel)
        other.send_early()

    async def close(self) -> None:
        _listeners.pop(self._name, None)
        for channel in self._channels:
            channel.close()


async def connect_memory(name: str, peer: Peer) -> Channel:
    """Connect to ``memory:name``."""
    listener = _listeners.get(name)
    if listener is None:
        raise ConnectionRefusedError(f'nothing listens at memory:{name}')
    channel = MemoryChannel(peer)
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def done() -> None:
        loop.call_soon_threadsafe(ready.set_result, None)

    peer.connected(channel)
    listener.loop.call_soon_threadsafe(listener.accepted, channel, done)
    await ready
    return channel


async def listen_memory(name: str, accept: Accept) -> Listener:
    """Listen at ``memory:name``."""
    if name in _listeners:
        raise OSError(f'memory:{name} is taken')
    listener = _listeners[name] = MemoryListener(name, accept)
    return listener
