"""Frames over a protocol of messages, as a gateway of this package takes them: many in one message."""

import asyncio
from collections.abc import Callable

from jina.clients.link import NativeLink
from jina.clients.stream import OpenStream, Stream
from jina.excepts import WireError
from jina.wire.batches import MESSAGE, Inbox, Outbox
from jina.wire.frames import Buffer
from jina.wire.head import Body


class FramesChannel:
    """What is below a link: one stream of messages.

    :param name: of the server, for errors.
    :ivar on_closed: called when it is closed, whoever did it.
    """

    def __init__(self, link: NativeLink, open_stream: OpenStream, name: str) -> None:
        self.on_closed: Callable[[], None] = lambda: None
        self._link = link
        self._name = name
        self._loop = asyncio.get_running_loop()
        self._inbox, self._outbox = Inbox(), Outbox()
        self._stream = open_stream(self._received, self._ended)
        link.connected(self)

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        """Send one frame, together with all others of this turn of the loop."""
        if not self._outbox.size:
            self._loop.call_soon(self._flush)
        self._outbox.add(kind, stream, head, body)
        if self._outbox.size >= MESSAGE:
            self._flush()

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change: no time, they are copied."""
        self._flush()

    def close(self) -> None:
        """Close it; requests without an answer get an outcome that says so."""
        self._lose('the client closed the connection')

    def _flush(self) -> None:
        while message := self._outbox.take():
            self._stream.send(message)

    def _received(self, message: bytes) -> None:
        if self._link.closed:
            return
        try:
            for frame in self._inbox.received(message):
                self._link.received(frame)
        except WireError as error:
            self._lose(f'{self._name}: {error}')

    def _ended(self, stream: Stream, reason: str) -> None:
        self._lose(f'{self._name}: {reason}')

    def _lose(self, reason: str) -> None:
        if self._link.closed:
            return
        self._stream.close()
        self.on_closed()
        self._link.lost(reason)


async def open_frames(
    open_stream: OpenStream, name: str, timeout: float, on_closed: Callable[[], None] = lambda: None
) -> NativeLink | None:
    """Return a link over a stream; none if the server is of another make.

    :param timeout: seconds within which it has to greet.
    :param on_closed: called when the link is closed, whoever did it.
    """
    link, greeted = NativeLink(), asyncio.Event()
    link.on_change = greeted.set
    channel = FramesChannel(link, open_stream, name)
    try:
        async with asyncio.timeout(timeout):
            await greeted.wait()
    except TimeoutError:
        channel.close()
        return None
    if link.closed:
        return None
    channel.on_closed = on_closed
    return link
