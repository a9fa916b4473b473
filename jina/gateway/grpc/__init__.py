"""The gRPC door: ``jina.JinaRPC``, and what is expected of every gRPC server: health and reflection."""

import socket
from typing import Any

import grpc

from jina.gateway.calls import CallStream
from jina.gateway.engine import Engine
from jina.gateway.frames import FramesStream
from jina.gateway.grpc.health import SERVICE as HEALTH
from jina.gateway.grpc.health import Health
from jina.gateway.grpc.messages import GrpcMessages
from jina.gateway.grpc.reflection import Reflection
from jina.gateway.ports import no_port
from jina.spec import DoorSpec, GatewaySpec

SERVICE = 'jina.JinaRPC'

_OPTIONS = (
    ('grpc.so_reuseport', 0),  # with it, two servers could have one port and would share its requests
    ('grpc.max_receive_message_length', -1),
    ('grpc.max_send_message_length', -1),
    ('grpc.enable_http_proxy', 0),
)


class GrpcDoor:
    """Hands requests that arrive over gRPC to the engine, and its answers back.

    :param door: where to listen.
    :param gateway: its ``prefetch`` says how many requests of one stream may be under way.
    """

    def __init__(self, engine: Engine, door: DoorSpec, gateway: GatewaySpec) -> None:
        self._engine = engine
        self._host, self._port = door.host, door.port
        self._window = gateway.prefetch
        self._server: Any = None
        self._health = Health((SERVICE,))
        self._reflection = Reflection((SERVICE, HEALTH))
        self._streams: set[CallStream | FramesStream] = set()

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
        self._server.add_generic_rpc_handlers((self._handler(), self._health.handler(), *self._reflection.handlers()))
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
        self._health.stop()
        self._reflection.stop()
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

    def _handler(self) -> Any:
        methods = {
            'Call': grpc.stream_stream_rpc_method_handler(self._call),
            'Frames': grpc.stream_stream_rpc_method_handler(self._frames),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _call(self, requests: Any, context: Any) -> None:
        await self._run(CallStream, context)

    async def _frames(self, requests: Any, context: Any) -> None:
        await self._run(FramesStream, context)

    async def _run(self, kind: type[CallStream | FramesStream], context: Any) -> None:
        try:
            messages = GrpcMessages(context)
        except ValueError as error:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, f'in the metadata of the call: {error}')
        stream = kind(self._engine, messages, self._window)
        self._streams.add(stream)
        try:
            await stream.run()
        finally:
            self._streams.discard(stream)
            stream.cancel()


def address(host: str, port: int) -> str:
    """Return ``host:port`` as gRPC takes it."""
    return f'[{host}]:{port}' if ':' in host else f'{host}:{port}'
