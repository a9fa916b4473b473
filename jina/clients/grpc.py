"""A gRPC server as clients see it: the surface of a connection of ours, over one stream of messages.

A foreign server grants no window, so the link keeps one of its own. Answers may come in any order;
``request_id`` says whose they are.

This stands on gRPC's threads and not on its asyncio: that shares one queue between all event loops of a
process, and where several threads have one each, events of the one are lost when the loop of another closes.
"""

import asyncio
import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any

import grpc

from jina.excepts import ServerUnreachable, WireError
from jina.types.request import Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import PROTOBUF, Body, Head, body_size
from jina.wire.rpc import answer_from_proto, parse, request_to_proto

WINDOW_COUNT = 64
WINDOW_BYTES = 64 << 20

_METHOD = '/jina.JinaRPC/Call'
_OPTIONS = (
    ('grpc.max_receive_message_length', -1),
    ('grpc.max_send_message_length', -1),
    ('grpc.enable_http_proxy', 0),
    ('grpc.use_local_subchannel_pool', 1),  # else a channel inherits the refusals that an older one met
)

_log = logging.getLogger('jina.client')


@dataclass(slots=True)
class _Waiting:
    stream: int
    reply: Reply
    size: int


class GrpcLink:
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
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, _Waiting] = {}
        self._bytes = 0
        self._next_stream = 0
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._call: Any = None

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
        self._outgoing.put(proto.SerializeToString())
        stream, self._next_stream = self._next_stream, self._next_stream + 1
        self._waiting[proto.request_id] = _Waiting(stream, reply, body_size(body))
        self._bytes += body_size(body)
        if self._call is None:
            self._open_stream()
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

    def _open_stream(self) -> None:
        self._call = self._channel.stream_stream(_METHOD)(iter(self._outgoing.get, None))
        Thread(target=self._read, name='jina-grpc-answers', daemon=True).start()

    def _read(self) -> None:
        """Hand over answers until there are no more. Runs in a thread of its own."""
        try:
            for message in self._call:
                _call_soon(self._loop, self._received, message)
            reason = f'{self._name} ended the stream'
        except grpc.RpcError as error:
            reason = f'{self._name}: {error.code().name}: {error.details()}'
        _call_soon(self._loop, self._lost, reason)

    def _received(self, message: bytes) -> None:
        if self.closed:
            return
        try:
            head, body = answer_from_proto(parse(message))
        except WireError as error:
            self._lost(f'{self._name} answers with what is {error}')
        else:
            self._answered(head, body)

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
        self._outgoing.put(None)
        self._channel.close()
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        status = Status(StatusCode.ERROR, reason)
        for each in waiting.values():
            each.reply(Head('', '', status=status), b'')
        self.on_change()


def _ignore(head: Head, body: Buffer) -> None:
    """The reply of a cancelled request."""


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        pass  # the loop is closed: nobody waits


async def open_grpc(host: str, port: int, timeout: float = 10.0, tls: bool = False) -> GrpcLink:
    """Connect to a gRPC server.

    :raises ServerUnreachable: if nothing answers there: at once when it refuses, else after ``timeout``.
    """
    channel = _channel(f'[{host}]:{port}' if ':' in host else f'{host}:{port}', tls)
    name = f'grpc{"s" if tls else ""}://{host}:{port}'
    try:
        async with asyncio.timeout(timeout):
            await _ready(channel)
    except BaseException as error:
        channel.close()
        if not isinstance(error, ConnectionError | TimeoutError):
            raise
        why = str(error) or f'no answer in {timeout:g} s'
        raise ServerUnreachable(f'nothing answers at {name}: {why}') from error
    return GrpcLink(channel, name)


def _channel(target: str, tls: bool) -> Any:
    if tls:
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), _OPTIONS)
    return grpc.insecure_channel(target, _OPTIONS)


async def _ready(channel: Any) -> None:
    """Wait until the server has answered.

    :raises ConnectionError: if it cannot be reached at the first attempt; gRPC itself would go on trying.
    """
    loop = asyncio.get_running_loop()
    reached: asyncio.Future[bool] = loop.create_future()

    def changed(state: grpc.ChannelConnectivity) -> None:
        if state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            _call_soon(loop, _settle, reached, state is grpc.ChannelConnectivity.READY)

    channel.subscribe(changed, try_to_connect=True)
    try:
        if not await reached:
            raise ConnectionError('it refuses the connection, or there is no such host')
    finally:
        channel.unsubscribe(changed)


def _settle(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)
