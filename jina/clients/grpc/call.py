"""A gRPC server of any make: the surface of a connection of ours, over the public contract.

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
from dataclasses import dataclass
from typing import Any

from jina.clients.grpc.stream import Stream
from jina.excepts import WireError
from jina.types.request import Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import PROTOBUF, Body, Head, body_size
from jina.wire.rpc import answer_from_proto, parse, request_to_proto

WINDOW_COUNT = 64
WINDOW_BYTES = 64 << 20
PAUSE = 0.005  # seconds after which a server that waits for more learns that no more will come

_METHOD = '/jina.JinaRPC/Call'

_log = logging.getLogger('jina.client')


@dataclass(slots=True)
class _Waiting:
    number: int
    stream: Stream
    reply: Reply
    size: int


class CallLink:
    """An open channel to a gRPC server. All belongs to the thread of its loop.

    :ivar encoding: how bodies are to be encoded for it.
    :ivar closed: it is lost, or was closed.
    :ivar on_change: called when :meth:`admits` may have changed.
    """

    def __init__(self, channel: Any, name: str) -> None:
        self.encoding: str = PROTOBUF
        self.closed = False
        self.on_change: Callable[[], None] = lambda: None
        self._channel = channel
        self._name = name
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0
        self._next_number = 0
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None  # opened by a request, ended by a pause
        self._streams: set[Stream] = set()  # those that have not ended at the server's side
        self._sent = 0
        self._watched = False

    @property
    def in_flight(self) -> int:
        """Requests without an answer so far."""
        return len(self._waiting)

    def admits(self, size: int) -> bool:
        """Whether the window has room for one more request with a body of ``size`` bytes."""
        if self.closed:
            return False
        if not self._waiting:
            return True
        return len(self._waiting) < WINDOW_COUNT and self._bytes + size <= WINDOW_BYTES

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so. The body is copied.

        :return: its number, for :meth:`cancel`.
        :raises BadOption: naming the parameter that protobuf cannot express.
        """
        assert not self.closed, 'not connected'
        proto = request_to_proto(head, body)
        if not proto.request_id or proto.request_id in self._waiting:
            proto.request_id = uuid.uuid4().hex
        number, self._next_number = self._next_number, self._next_number + 1
        stream = self._open_stream()
        stream.send(proto.SerializeToString())
        self._waiting[proto.request_id] = _Waiting(number, stream, reply, body_size(body))
        self._bytes += body_size(body)
        self._sent += 1
        if not self._watched:
            self._watch()
        return number

    def _open_stream(self) -> Stream:
        if self._stream is None:
            self._stream = Stream(self._channel, _METHOD, self._received, self._ended)
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
        for waiting in self._waiting.values():
            if waiting.number == stream:
                waiting.reply = _ignore

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change: no time, they were copied."""

    async def close(self) -> None:
        """Close it; requests without an answer get an outcome that says so."""
        self._lost('the client closed the connection')

    def _received(self, message: bytes) -> None:
        if self.closed:
            return
        try:
            head, body = answer_from_proto(parse(message))
        except WireError as error:
            self._lost(f'{self._name} answers with what is {error}')
        else:
            self._answered(head, body)

    def _ended(self, stream: Stream, reason: str) -> None:
        self._streams.discard(stream)
        if stream is self._stream or any(waiting.stream is stream for waiting in self._waiting.values()):
            self._lost(f'{self._name}: {reason}')

    def _answered(self, head: Head, body: Buffer) -> None:
        waiting = self._waiting.pop(head.request_id, None)
        if waiting is None:
            _log.warning('%s: ignored an answer to no request (%r)', self._name, head.request_id)
            return
        self._bytes -= waiting.size
        waiting.reply(head, body)
        self.on_change()

    def _lost(self, reason: str) -> None:
        """It is over: every request without an answer gets an outcome that says why."""
        if self.closed:
            return
        self.closed = True
        for stream in self._streams:
            stream.close()
        self._channel.close()
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        status = Status(StatusCode.ERROR, reason)
        for each in waiting.values():
            each.reply(Head('', '', status=status), b'')
        self.on_change()


def _ignore(head: Head, body: Buffer) -> None:
    """The reply of a cancelled request."""
