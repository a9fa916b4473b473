"""Unix sockets and TCP.

Several small frames leave with one system call, which is worth a factor of ten; but not all that are sent within a turn
of the loop, so that the other end can begin.
"""

import asyncio
import errno
import logging
import os
import socket
from typing import Any, cast

from jina.excepts import WireError
from jina.forks import leave_to_parent
from jina.transport.base import Accept, Channel, Listener, Peer
from jina.transport.blocks import BLOCKS
from jina.transport.shared import FIRST_KIND, SHARED_FROM, Sharing
from jina.wire.frames import LARGE, Buffer, FrameReader, Kind, frame_header
from jina.wire.head import Body, body_size

AT_ONCE = 3 * 4  # buffers of small frames that wait for no others: four frames

_log = logging.getLogger(__name__)


class StreamChannel(asyncio.BufferedProtocol):
    """A channel over a byte stream. The peer may call :meth:`send` from within ``received``."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._reader = FrameReader(room=BLOCKS.take)
        self._sharing: Sharing | None = None
        self._loop = asyncio.get_running_loop()
        self._out: list[Buffer] = []
        self._out_large = False
        self._transport: asyncio.Transport | None = None
        self._drained: asyncio.Future[None] | None = None
        self._paused = False
        self._descriptor = -1

    def descriptors(self) -> list[int]:
        """For :mod:`jina.forks`."""
        return [self._descriptor]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast('asyncio.Transport', transport)
        self._transport.set_write_buffer_limits(high=0)  # so that drained() means: nothing is left here
        sock = transport.get_extra_info('socket')
        if sock is not None:
            self._descriptor = sock.fileno()
            leave_to_parent(self)
        if sock is not None and sock.family == socket.AF_UNIX:
            self._sharing = Sharing(self.send)
        elif sock is not None:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._peer.connected(self)

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._reader.get_buffer()

    def buffer_updated(self, nbytes: int) -> None:
        try:
            for frame in self._reader.received(nbytes):
                if frame[0] < FIRST_KIND or self._sharing is None:
                    self._peer.received(frame)
                elif (fetched := self._sharing.received(frame)) is not None:
                    self._peer.received(fetched)
        except WireError as error:
            _log.error('connection closed: %s', error)
            self.close()

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        size = body_size(body)
        if size >= SHARED_FROM and self._sharing is not None:
            reference = self._sharing.outgoing(kind, head, body, size)
            if reference is not None:
                kind, head, body, size = Kind.SHARED, reference, [], 0
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(frame_header(kind, stream, len(head), size))
        self._out.append(head)
        self._out += body
        if size >= LARGE:
            self._out_large = True
            self._flush()
        elif len(self._out) >= AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        out, self._out = self._out, []
        if not out or self._transport is None or self._transport.is_closing():
            return
        if self._out_large:
            self._out_large = False
            for buffer in _joined(out):  # not writelines(): that of asyncio in Python 3.12 and 3.13.0 forgets to pause
                self._transport.write(buffer)
        else:
            self._transport.write(b''.join(out))

    def pause_writing(self) -> None:
        self._paused = True

    def resume_writing(self) -> None:
        self._paused = False
        self._release()

    async def drained(self) -> None:
        self._flush()
        while self._paused:
            if self._drained is None:
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def _release(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        self._drained = None

    def close(self) -> None:
        if self._transport is not None:
            self._flush()
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._descriptor = -1
        self._paused = False
        self._release()
        if self._sharing is not None:
            self._sharing.close()
            self._sharing = None  # it leads back here: a cycle that only the collector would end
        self._peer.lost(str(exc) if exc else 'the connection was closed')


def _joined(buffers: list[Buffer]) -> list[Buffer]:
    """The same bytes in fewer buffers: runs of small ones become one."""
    joined: list[Buffer] = []
    small: list[Buffer] = []
    for buffer in buffers:
        if len(buffer) < LARGE:
            small.append(buffer)
            continue
        joined += [b''.join(small), buffer] if small else [buffer]
        small = []
    return [*joined, b''.join(small)] if small else joined


class StreamListener:
    """Accepts channels until it is closed."""

    def __init__(self, accept: Accept) -> None:
        self._accept = accept
        self._channels: set[_AcceptedChannel] = set()
        self._server: asyncio.Server | None = None
        self._path: str | None = None
        self.address = ''
        leave_to_parent(self)

    def descriptors(self) -> list[int]:
        """For :mod:`jina.forks`."""
        return [sock.fileno() for sock in self._server.sockets] if self._server is not None else []

    def __call__(self) -> 'StreamChannel':
        return _AcceptedChannel(self._accept(), self._channels)

    async def open_unix(self, path: str) -> 'StreamListener':
        if _is_served(path):
            raise OSError(errno.EADDRINUSE, f'somebody listens at {path}')
        self._server = await asyncio.get_running_loop().create_unix_server(self, path)
        self._path, self.address = path, f'unix:{path}'
        return self

    async def open_tcp(self, host: str, port: int) -> 'StreamListener':
        self._server = await asyncio.get_running_loop().create_server(self, host, port)
        shown = f'[{host}]' if ':' in host else host
        self.address = f'tcp:{shown}:{self._server.sockets[0].getsockname()[1]}'
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for channel in list(self._channels):
            channel.close()
        await self._server.wait_closed()
        if self._path:
            try:
                os.unlink(self._path)
            except FileNotFoundError:
                pass


def _is_served(path: str) -> bool:
    """Whether somebody listens at the socket; the loop itself would take it from them without a word."""
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except OSError:
            return False
    return True


class _AcceptedChannel(StreamChannel):
    """A channel that its listener closes."""

    def __init__(self, peer: Peer, channels: 'set[_AcceptedChannel]') -> None:
        super().__init__(peer)
        self._channels = channels

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._channels.add(self)
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._channels.discard(self)
        super().connection_lost(exc)


async def connect_unix(path: str, peer: Peer) -> Channel:
    """Connect to ``unix:path``."""
    _, channel = await asyncio.get_running_loop().create_unix_connection(lambda: StreamChannel(peer), path)
    return cast('Any', channel)  # type: ignore[no-any-return]


async def connect_tcp(host_port: str, peer: Peer) -> Channel:
    """Connect to ``tcp:host:port``."""
    host, port = _host_and_port(host_port)
    _, channel = await asyncio.get_running_loop().create_connection(lambda: StreamChannel(peer), host, port)
    return cast('Any', channel)  # type: ignore[no-any-return]


async def listen_unix(path: str, accept: Accept) -> Listener:
    """Listen at ``unix:path``. A socket that a dead process left there is replaced."""
    return await StreamListener(accept).open_unix(path)


async def listen_tcp(host_port: str, accept: Accept) -> Listener:
    """Listen at ``tcp:host:port``."""
    return await StreamListener(accept).open_tcp(*_host_and_port(host_port))


def _host_and_port(host_port: str) -> tuple[str, int]:
    """``1.2.3.4:80`` or ``[::1]:80``, taken apart.

    :raises OSError: if there is no port.
    """
    host, _, port = host_port.rpartition(':')
    if not port.isdigit():
        raise OSError(f'tcp:{host_port} has no port: tcp:host:port')
    return host.strip('[]'), int(port)
