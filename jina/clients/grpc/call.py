"""A gRPC server of any make: the surface of a connection of ours, over the public contract.

Such a server grants no window, so the link keeps one of its own. Answers may come in any order; ``request_id`` says
whose they are.
"""

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

_METHOD = '/jina.JinaRPC/Call'

_log = logging.getLogger('jina.client')


@dataclass(slots=True)
class _Waiting:
    stream: int
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
        self._next_stream = 0
        self._stream: Stream | None = None  # opened by the first request

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

        :return: its stream number, for :meth:`cancel`.
        :raises BadOption: naming the parameter that protobuf cannot express.
        """
        assert not self.closed, 'not connected'
        proto = request_to_proto(head, body)
        if not proto.request_id or proto.request_id in self._waiting:
            proto.request_id = uuid.uuid4().hex
        message = proto.SerializeToString()
        stream, self._next_stream = self._next_stream, self._next_stream + 1
        self._waiting[proto.request_id] = _Waiting(stream, reply, body_size(body))
        self._bytes += body_size(body)
        if self._stream is None:
            self._stream = Stream(self._channel, _METHOD, self._received, self._ended)
        self._stream.send(message)
        return stream

    def cancel(self, stream: int) -> None:
        """Its answer is no longer wanted. The contract has no word for that: credit returns with it."""
        for waiting in self._waiting.values():
            if waiting.stream == stream:
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

    def _ended(self, reason: str) -> None:
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
        if self._stream is not None:
            self._stream.close()
        self._channel.close()
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        status = Status(StatusCode.ERROR, reason)
        for each in waiting.values():
            each.reply(Head('', '', status=status), b'')
        self.on_change()


def _ignore(head: Head, body: Buffer) -> None:
    """The reply of a cancelled request."""
