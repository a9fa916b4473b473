"""The two ends of a connection: requests and answers paired by stream number, and the window that bounds them. No I/O.

The server grants a window with its HELLO: so many requests, and so many bytes of bodies, may be unanswered at a time. A
request takes credit, its last answer gives it back. So a slow server slows its client, and nothing queues without bound
between them. A body larger than the whole window is admitted when nothing else is under way: else it never would be.
"""

from collections.abc import Callable
from typing import Protocol, TypeVar

import msgspec

from jina.excepts import WireError
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer, Frame, Kind
from jina.wire.head import Body, Head, Hello, body_size, decode_head, decode_hello, encode_head
from jina.wire.records import Record

_REQUEST, _ANSWER = int(Kind.REQUEST), int(Kind.ANSWER)  # an enum takes longer to compare and to pack

T = TypeVar('T')
Reply = Callable[[Head, Buffer], None]
"""Receives the outcome of a request, exactly once: the answer, or a head whose status says what failed."""


class Sender(Protocol):
    """What a connection needs of the channel below it."""

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        """Send one frame; never blocks."""

    async def drained(self) -> None:
        """Wait until all that was sent has left this process, or the channel is closed."""

    def close(self) -> None:
        """Close after what was sent has gone out."""


class ClientConnection:
    """The end that sends requests.

    :param on_change: called when the HELLO arrives, when credit comes back and when the connection is lost.
    """

    def __init__(self, on_change: Callable[[], None] = lambda: None) -> None:
        self.hello: Hello | None = None
        self.closed = False
        self.on_change = on_change
        self.channel: Sender | None = None
        self._waiting: dict[int, tuple[Reply, int]] = {}
        self._bytes = 0
        self._next_stream = 0

    @property
    def in_flight(self) -> int:
        """Requests without an answer so far."""
        return len(self._waiting)

    def admits(self, size: int) -> bool:
        """Whether the window has room for one more request with a body of ``size`` bytes."""
        hello, waiting = self.hello, len(self._waiting)
        if hello is None or self.closed:
            return False
        return not waiting or (waiting < hello.window_count and self._bytes + size <= hello.window_bytes)

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so.

        :return: its stream number, for :meth:`cancel`.
        """
        assert self.channel is not None, 'not connected'
        size = body_size(body)
        stream = self._next_stream
        self._next_stream = (stream + 1) & 0xFFFFFFFF
        self.channel.send(_REQUEST, stream, encode_head(head), body)
        self._waiting[stream] = (reply, size)
        self._bytes += size
        return stream

    def cancel(self, stream: int) -> None:
        """Tell the server that nobody waits for this answer any more; its credit returns with it all the same."""
        if stream in self._waiting and self.channel is not None:
            _, size = self._waiting[stream]
            self._waiting[stream] = (_ignore, size)
            self.channel.send(Kind.CANCEL, stream, b'', [])

    def connected(self, channel: Sender) -> None:
        """The channel is open."""
        self.channel = channel

    def received(self, frame: Frame) -> None:
        """One frame has arrived.

        :raises WireError: if it is none that a server may send now.
        """
        kind, stream, head, body = frame
        if kind == _ANSWER:
            self._answered(stream, head, body)
        elif kind == Kind.HELLO:
            self.hello = _decoded(decode_hello, head)
            self.on_change()
        else:
            raise WireError(f'a server does not send frames of kind {kind}')

    def _answered(self, stream: int, head: Buffer, body: Buffer) -> None:
        if stream not in self._waiting:
            raise WireError(f'an answer to no request (stream {stream})')
        answer = _decoded(decode_head, head)  # first: if it raises, the request is to have its outcome from lost()
        reply, size = self._waiting.pop(stream)
        self._bytes -= size
        reply(answer, body)
        self.on_change()

    def lost(self, reason: str) -> None:
        """The channel is gone: every request without an answer gets an outcome that says so."""
        if self.closed:
            return
        self.closed = True
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        status = Status(StatusCode.ERROR, reason)
        for reply, _ in waiting.values():
            reply(Head('', '', status=status), b'')
        self.on_change()


class ServerCall(Record):
    """One request at the server's end.

    :ivar cancelled: nobody waits for the answer any more; work on it that has not begun need not begin.
    :ivar on_cancel: called when that happens.
    """

    _connection: 'ServerConnection'
    _stream: int
    head: Head
    body: Buffer
    cancelled: bool = False
    on_cancel: Callable[[], None] | None = None

    def answer(self, head: Head, body: Body) -> None:
        """Send the outcome; to be called exactly once, from the thread of the connection."""
        self.on_cancel = None  # it mostly leads back here: a cycle that only the collector would end
        self._connection.answer(self._stream, head, body)

    def reply(self, head: Head, body: Buffer) -> None:
        """:meth:`answer`, with a body in one piece."""
        self.answer(head, [body])

    async def drained(self) -> None:
        """Wait until the answer has left this process: then the memory it was sent from may change."""
        if self._connection.channel is not None:
            await self._connection.channel.drained()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self.cancelled = True
        if self.on_cancel:
            self.on_cancel()


class ServerConnection:
    """The end that answers requests."""

    def __init__(self, hello: Hello, on_request: Callable[[ServerCall], None]) -> None:
        self.hello = hello
        self.channel: Sender | None = None
        self._on_request = on_request
        self._open: dict[int, ServerCall] = {}

    @property
    def in_flight(self) -> int:
        """Requests without an answer so far."""
        return len(self._open)

    def connected(self, channel: Sender) -> None:
        """The channel is open: grant the window."""
        self.channel = channel
        channel.send(Kind.HELLO, 0, encode_head(self.hello), [])

    def received(self, frame: Frame) -> None:
        """One frame has arrived.

        :raises WireError: if it is none that a client may send now.
        """
        kind, stream, head, body = frame
        if kind == _REQUEST:
            self._requested(stream, head, body)
        elif kind == Kind.CANCEL:
            if call := self._open.get(stream):
                call.cancel()
        else:
            raise WireError(f'a client does not send frames of kind {kind}')

    def _requested(self, stream: int, head: Buffer, body: Buffer) -> None:
        if stream in self._open:
            raise WireError(f'stream {stream} was used again before it was answered')
        if len(self._open) >= self.hello.window_count:
            raise WireError(f'more than {self.hello.window_count} requests without an answer')
        call = self._open[stream] = ServerCall(self, stream, _decoded(decode_head, head), body)
        self._on_request(call)

    def answer(self, stream: int, head: Head, body: Body) -> None:
        """Send the last answer to a request. Dropped without a word when the client is gone."""
        if self._open.pop(stream, None) is None or self.channel is None:
            return
        try:
            self.channel.send(_ANSWER, stream, encode_head(head), body)
        except WireError as error:  # too large: that, too, is an outcome
            status = Status(StatusCode.ERROR, f'the answer cannot be sent: {error}')
            self.channel.send(_ANSWER, stream, encode_head(Head(head.request_id, '', status=status)), [])

    def lost(self, reason: str) -> None:
        """The channel is gone: nobody waits for the open requests any more."""
        calls, self._open, self.channel = self._open, {}, None
        self._on_request = _ignore_call  # it may lead back here: a cycle that only the collector would end
        for call in calls.values():
            call.cancel()


def _ignore(head: Head, body: Buffer) -> None:
    """The reply of a cancelled request."""


def _ignore_call(call: ServerCall) -> None:
    """What a connection that is lost does with requests."""


def _decoded(decode: Callable[[Buffer], T], head: Buffer) -> T:
    try:
        return decode(head)
    except msgspec.MsgspecError as error:
        raise WireError(f'a head that cannot be read: {error}') from error
