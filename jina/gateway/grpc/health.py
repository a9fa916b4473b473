"""The service ``grpc.health.v1.Health``: what load balancers and orchestrators ask."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc

from jina.proto.services import message

SERVICE = 'grpc.health.v1.Health'

_Request = message('grpc.health.v1.HealthCheckRequest')
_Response = message('grpc.health.v1.HealthCheckResponse')


class Health:
    """Says of each service, and with an empty name of the server, whether it serves."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._known = ('', *services)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Say from now on that nothing is served, also to those who watch."""
        self._stopping.set()

    def handler(self) -> Any:
        """What gRPC takes."""
        codec = {'request_deserializer': _Request.FromString, 'response_serializer': _Response.SerializeToString}
        methods = {
            'Check': grpc.unary_unary_rpc_method_handler(self._check, **codec),
            'Watch': grpc.unary_stream_rpc_method_handler(self._watch, **codec),
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    async def _check(self, request: Any, context: Any) -> Any:
        if request.service not in self._known:
            await context.abort(grpc.StatusCode.NOT_FOUND, f'there is no service {request.service!r}')
        return self._now()

    async def _watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Ends when the server does."""
        known = request.service in self._known
        yield self._now() if known else _Response(status=_Response.SERVICE_UNKNOWN)
        await self._stopping.wait()
        if known:
            yield self._now()

    def _now(self) -> Any:
        return _Response(status=_Response.NOT_SERVING if self._stopping.is_set() else _Response.SERVING)
