"""A server of any make: the surface of a connection of ours, over the messages of the public contract.

Such a server grants no window, so the link keeps one of its own. Answers may come in any order; ``request_id`` says
whose they are.

Some servers, those of Jina 2 among them, collect requests before they answer the first, up to a number of their own or
to the end of the stream. So a stream on which nothing was sent for a while, with answers missing, is ended at our side,
and the next request opens another one.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable

from jina.clients.stream import OpenStream, Stream
from jina.clients.window import Window
from jina.excepts import WireError
from jina.wire.connection import Reply
from jina.wire.head import PROTOBUF, Body, Head
from jina.wire.rpc import answer_from_proto, parse, request_to_proto

WINDOW_COUNT = 64
WINDOW_BYTES = 64 << 20
PAUSE = 0.005  # seconds after which a server that waits for more learns that no more will come

_log = logging.getLogger('jina.client')


class CallLink:
    """A server that is spoken to over streams. All belongs to the thread of its loop.

    :ivar encoding: how bodies are to be encoded for it.
    :ivar closed: it is lost, or was closed.
    :ivar on_change: called when :meth:`admits` may have changed.
    :param open_stream: opens one; called for the first request, and when the last one has ended.
    :param name: of the server, for errors.
    :param on_closed: called when the link is closed, whoever did it.
    """

    def __init__(self, open_stream: OpenStream, name: str, on_closed: Callable[[], None] = lambda: None) -> None:
        self.encoding: str = PROTOBUF
        self.closed = False
        self.on_change: Callable[[], None] = lambda: None
        self._open_stream = open_stream
        self._name = name
        self._on_closed = on_closed
        self._window = Window(WINDOW_COUNT, WINDOW_BYTES)
        self._waiting: dict[str, tuple[int, Stream]] = {}  # request id → number in the window
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None  # opened by a request, ended by a pause
        self._streams: set[Stream] = set()  # those that have not ended at the server's side
        self._sent = 0
        self._watched = False

    @property
    def in_flight(self) -> int:
        """Requests without an answer so far."""
        return len(self._window)

    def admits(self, size: int) -> bool:
        """Whether the window has room for one more request with a body of ``size`` bytes."""
        return not self.closed and self._window.admits(size)

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so. The body is copied.

        :return: its number, for :meth:`cancel`.
        :raises BadOption: naming the parameter that protobuf cannot express.
        """
        assert not self.closed, 'not connected'
        proto = request_to_proto(head, body)
        if not proto.request_id or proto.request_id in self._waiting:
            proto.request_id = uuid.uuid4().hex
        stream = self._usable_stream()
        number = self._window.open(head, body, reply)
        self._waiting[proto.request_id] = (number, stream)
        stream.send(proto.SerializeToString())
        self._sent += 1
        if not self._watched:
            self._watch()
        return number

    def _usable_stream(self) -> Stream:
        if self._stream is None or not self._stream.usable:
            self._stream = self._open_stream(self._received, self._ended)
            self._streams.add(self._stream)
        return self._stream

    def _watch(self) -> None:
        self._watched = True
        self._loop.call_later(PAUSE, self._look, self._sent)

    def _look(self, sent: int) -> None:
        """End the stream if nothing was sent since, and answers are missing."""
        self._watched = False
        if self.closed or self._stream is None or not self._waiting:
            return
        if self._sent > sent:
            self._watch()
            return
        self._stream.finish()
        self._stream = None

    def cancel(self, stream: int) -> None:
        """Its answer is no longer wanted. The contract has no word for that: credit returns with it."""
        self._window.ignore(stream)

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change: no time, they were copied."""

    async def close(self) -> None:
        """Close it; requests without an answer get an outcome that says so."""
        streams = list(self._streams)
        self._lost('the client closed the connection')
        for stream in streams:
            await stream.closed()

    def _received(self, message: bytes) -> None:
        if self.closed:
            return
        try:
            head, body = answer_from_proto(parse(message))
        except WireError as error:
            self._lost(f'{self._name} answers with what is {error}')
            return
        number, stream = self._waiting.pop(head.request_id, (-1, None))
        if stream is None:
            _log.warning('%s: ignored an answer to no request (%r)', self._name, head.request_id)
            return
        if stream is not self._stream and not self._waits_on(stream):
            self._streams.discard(stream)
            stream.close()
        self._window.answer(number, head, body)
        self.on_change()

    def _waits_on(self, stream: Stream) -> bool:
        return any(other is stream for _, other in self._waiting.values())

    def _ended(self, stream: Stream, reason: str) -> None:
        self._streams.discard(stream)
        is_current = stream is self._stream
        if is_current:
            self._stream = None
        if self._waits_on(stream) or (is_current and not stream.replaceable):
            self._lost(f'{self._name}: {reason}')

    def _lost(self, reason: str) -> None:
        """It is over: every request without an answer gets an outcome that says why."""
        if self.closed:
            return
        self.closed = True
        streams, self._streams = self._streams, set()
        for stream in streams:
            stream.close()
        self._on_closed()
        self._waiting.clear()
        self._window.lose(reason)
        self.on_change()
