"""The gRPC door: the stream ``jina.JinaRPC/Call``, for clients of any make.

Each stream has a reader and a writer. The reader stops while as many requests as the window allows are
without an answer, so that no client queues without bound. The writer sends answers as they come, in any order.
"""

import asyncio
import logging
import socket
from functools import partial
from typing import Any

import grpc

from jina.excepts import WireError
from jina.gateway.engine import Engine, Walk
from jina.gateway.ports import no_port
from jina.proto.jina_pb2 import RawRequestProto
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import Head
from jina.wire.rpc import answer_to_proto, parse, request_from_proto

_log = logging.getLogger('jina.gateway')

SERVICE, METHOD = 'jina.JinaRPC', 'Call'

_OPTIONS = (
    ('grpc.so_reuseport', 0),  # with it, two servers could have one port and would share its requests
    ('grpc.max_receive_message_length', -1),
    ('grpc.max_send_message_length', -1),
    ('grpc.enable_http_proxy', 0),
)


class GrpcDoor:
    """Hands requests that arrive over gRPC to the engine, and its answers back.

    :param window: how many requests of one stream may be under way.
    """

    def __init__(self, engine: Engine, host: str, port: int, window: int) -> None:
        self._engine = engine
        self._host, self._port = host, port
        self._window = window
        self._server: Any = None
        self._streams: set[_Stream] = set()

    async def start(self) -> int:
        """Listen at the host's address and at no other.

        :return: the port.
        :raises NoAvailablePortError: if it is taken, or the address is none of this machine.
        """
        port = self.bind()
        await self.serve()
        return port

    def bind(self) -> int:
        """Take the port, so that it is ours before the Executors have started.

        :return: the port.
        :raises NoAvailablePortError: if it is taken, or the address is none of this machine.
        """
        self._try_address()
        self._server = grpc.aio.server(options=_OPTIONS)
        self._server.add_generic_rpc_handlers((_handlers(self._call),))
        try:
            self._port = self._server.add_insecure_port(address(self._host, self._port))
        except RuntimeError as error:
            raise no_port('grpc', self._host, self._port, error) from error
        return self._port

    async def serve(self) -> None:
        """Accept streams, until :meth:`stop`."""
        await self._server.start()

    async def stop(self, grace: float = 1.0) -> None:
        """Accept nothing new, and close when all is answered or after ``grace`` seconds."""
        for stream in self._streams:
            stream.end()
        if self._server is not None:
            await self._server.stop(grace)

    def _try_address(self) -> None:
        """Take it for a moment: gRPC fails without a reason, and not before it has logged a page."""
        with socket.socket(socket.AF_INET6 if ':' in self._host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self._host, self._port))
            except (OSError, OverflowError) as error:
                raise no_port('grpc', self._host, self._port, error) from error

    async def _call(self, requests: Any, context: Any) -> None:
        stream = _Stream(self._engine, context, self._window)
        self._streams.add(stream)
        try:
            await stream.run()
        finally:
            self._streams.discard(stream)
            stream.cancel()


def _handlers(call: Any) -> Any:
    handler = grpc.stream_stream_rpc_method_handler(call, response_serializer=RawRequestProto.SerializeToString)
    return grpc.method_handlers_generic_handler(SERVICE, {METHOD: handler})


def address(host: str, port: int) -> str:
    """Return ``host:port`` as gRPC takes it."""
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'


class _Stream:
    """One client's requests. Messages arrive as bytes, so that one which is none spoils no other."""

    def __init__(self, engine: Engine, context: Any, window: int) -> None:
        self._engine = engine
        self._context = context
        self._room = asyncio.Semaphore(window)
        self._answers: asyncio.Queue[RawRequestProto | None] = asyncio.Queue()
        self._walks: dict[int, Walk] = {}
        self._unanswered: set[int] = set()
        self._ended = False

    async def run(self) -> None:
        """Serve until the client has ended its side and all is answered."""
        reading = asyncio.get_running_loop().create_task(self._read())
        reading.add_done_callback(self._read_all)
        try:
            await self._write()
        finally:
            reading.cancel()

    def _read_all(self, reading: 'asyncio.Task[None]') -> None:
        if not reading.cancelled() and (error := reading.exception()):
            _log.debug('a stream broke: %s', error)
        self.end()

    def end(self) -> None:
        """Take no more requests; the stream ends when those that there are have their answers."""
        self._ended = True
        if not self._unanswered:
            self._answers.put_nowait(None)

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        walks, self._walks = self._walks, {}
        for walk in walks.values():
            walk.cancel()

    async def _read(self) -> None:
        number = 0
        while await self._room.acquire():
            message = await self._context.read()
            if message is grpc.aio.EOF:
                break
            self._unanswered.add(number)
            self._submit(number, message)
            number += 1

    def _submit(self, number: int, message: bytes) -> None:
        try:
            head, body = request_from_proto(parse(message))
        except WireError as error:
            self._refuse(number, str(error))
            return
        walk = self._engine.submit(head, body, partial(self._answered, number, head))
        if number in self._unanswered:
            self._walks[number] = walk

    def _refuse(self, number: int, why: str) -> None:
        """Answer what cannot be read, and so has no id."""
        head = Head('', '', status=Status(StatusCode.ERROR, why, client_error=True))
        self._answered(number, head, head, b'')

    def _answered(self, number: int, request: Head, answer: Head, body: Buffer) -> None:
        self._unanswered.discard(number)
        self._walks.pop(number, None)
        self._answers.put_nowait(answer_to_proto(request, answer, [body]))
        if self._ended:
            self.end()

    async def _write(self) -> None:
        while (answer := await self._answers.get()) is not None:
            await self._context.write(answer)
            self._room.release()
