"""A WebSocket server as clients see it: the surface of a connection of ours, over binary messages.

Some servers, the 2.0.24 release among them, hold their answers back until many requests have come or the client says
that there will be no more. So where the server is not of this package, a stream on which nothing was sent for a
moment is ended, and the next request opens a new one.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable

from jina.clients.address import Address
from jina.clients.dial import DIAL_SECONDS
from jina.clients.window import Window
from jina.clients.ws1 import WebSocketConnection, open_websocket_connection
from jina.excepts import ServerUnreachable, WireError
from jina.wire.connection import Reply
from jina.wire.head import PROTOBUF, Body, Head
from jina.wire.rpc import answer_from_proto, parse, request_to_proto

WINDOW_COUNT = 64
WINDOW_BYTES = 64 << 20
IDLE_SECONDS = 0.02
END = b'\0'

_log = logging.getLogger('jina.client')


class _Stream:
    """One connection, and what was asked over it and is not answered.

    :ivar unanswered: request id → number in the window.
    """

    def __init__(self, link: 'WebSocketLink') -> None:
        self._link = link
        self._connection: WebSocketConnection | None = None
        self._unsent: list[bytes] = []
        self._idle: asyncio.TimerHandle | None = None
        self.unanswered: dict[str, int] = {}
        self.ended = False

    async def open(self, address: Address, timeout: float = DIAL_SECONDS) -> None:
        self._connection = await open_websocket_connection(address, self._received, self._lost, timeout)
        unsent, self._unsent = self._unsent, []
        for message in unsent:
            self.send(message)

    @property
    def usable(self) -> bool:
        """Whether messages can be sent, now or when there is a connection."""
        return not self.ended and (self._connection is None or self._connection.usable)

    def send(self, message: bytes) -> None:
        """Send a message, as soon as there is a connection."""
        if self._connection is None:
            self._unsent.append(message)
            return
        self._connection.send(message)
        if not self._connection.is_ours:
            self._wait_for_more()

    def _wait_for_more(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._end)

    def _end(self) -> None:
        """Say that no more will follow on this connection."""
        if self._connection is not None and self.usable:
            self.ended = True
            self._connection.send(END)
            if not self.unanswered:
                self.close()

    def close(self) -> None:
        """Close the connection."""
        if self._idle is not None:
            self._idle.cancel()
        if self._connection is not None:
            self._connection.close()

    def _received(self, message: bytes) -> None:
        self._link.received(self, message)
        if self.ended and not self.unanswered:
            self.close()

    def _lost(self, reason: str) -> None:
        self.close()
        self._link.stream_lost(self, reason)


class WebSocketLink:
    """The connection to a WebSocket server. All belongs to the thread of its loop.

    :ivar encoding: how bodies are to be encoded for it.
    :ivar closed: it is lost, or was closed.
    :ivar on_change: called when :meth:`admits` may have changed.
    """

    def __init__(self, address: Address) -> None:
        self.encoding: str = PROTOBUF
        self.closed = False
        self.on_change: Callable[[], None] = lambda: None
        self._address = address
        self._window = Window(WINDOW_COUNT, WINDOW_BYTES)
        self._current = _Stream(self)
        self._streams = {self._current}
        self._opening: asyncio.Task[None] | None = None

    async def open(self, timeout: float = DIAL_SECONDS) -> None:
        """Connect.

        :raises ServerUnreachable: if nothing answers there, or what does speaks something else.
        """
        await self._current.open(self._address, timeout)

    def admits(self, size: int) -> bool:
        """Whether one more request with a body of ``size`` bytes may be sent now."""
        return not self.closed and self._window.admits(size)

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so. The body is copied.

        :return: its number, for :meth:`cancel`.
        :raises BadOption: naming the parameter that protobuf cannot express.
        """
        assert not self.closed, 'not connected'
        proto = request_to_proto(head, body)
        stream = self._current if self._current.usable else self._open_stream()
        if not proto.request_id or proto.request_id in stream.unanswered:
            proto.request_id = uuid.uuid4().hex
        number = self._window.open(head, body, reply)
        stream.unanswered[proto.request_id] = number
        stream.send(proto.SerializeToString())
        return number

    def _open_stream(self) -> _Stream:
        """A new connection; what is sent on it waits until there is one."""
        self._current = stream = _Stream(self)
        self._streams.add(stream)
        self._opening = asyncio.get_running_loop().create_task(self._opened(stream))
        return stream

    async def _opened(self, stream: _Stream) -> None:
        try:
            await stream.open(self._address)
        except ServerUnreachable as error:
            self._lost(str(error))

    def cancel(self, stream: int) -> None:
        """Its answer is no longer wanted. The contract has no word for that: credit returns with it."""
        self._window.ignore(stream)

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change: no time, they were copied."""

    async def close(self) -> None:
        """Close it; requests without an answer get an outcome that says so."""
        self._lost('the client closed the connection')
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)

    def received(self, stream: _Stream, message: bytes) -> None:
        """An answer came."""
        if self.closed:
            return
        try:
            head, body = answer_from_proto(parse(message))
        except WireError as error:
            self._lost(f'{self._address} answers with what is {error}')
            return
        number = stream.unanswered.pop(head.request_id, None)
        if number is None:
            _log.warning('%s: ignored an answer to no request (%r)', self._address, head.request_id)
            return
        self._window.answer(number, head, body)
        self.on_change()

    def stream_lost(self, stream: _Stream, reason: str) -> None:
        """A connection is over; if all was answered, this is no news."""
        self._streams.discard(stream)
        if stream.unanswered:
            self._lost(f'{self._address}: {reason}')

    def _lost(self, reason: str) -> None:
        """It is over: every request without an answer gets an outcome that says why."""
        if self.closed:
            return
        self.closed = True
        if self._opening is not None and self._opening is not asyncio.current_task():
            self._opening.cancel()
        streams, self._streams = self._streams, set()
        for stream in streams:
            stream.close()
        self._window.lose(reason)
        self.on_change()


async def open_websocket(address: Address, timeout: float = DIAL_SECONDS) -> WebSocketLink:
    """Connect to a WebSocket server.

    :raises ServerUnreachable: if nothing answers there, or what does speaks something else.
    """
    link = WebSocketLink(address)
    await link.open(timeout)
    return link
