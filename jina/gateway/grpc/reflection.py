"""The service ``ServerReflection``: how tools such as grpcurl learn what this server offers."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from jina.proto.services import file_defining, file_named, message

SERVICE = 'grpc.reflection.v1.ServerReflection'
OLDER = 'grpc.reflection.v1alpha.ServerReflection'  # the same messages; what tools ask where the newer one is missing

_Request = message('grpc.reflection.v1.ServerReflectionRequest')
_Response = message('grpc.reflection.v1.ServerReflectionResponse')


class Reflection:
    """Describes the public services, and nothing that is ours alone."""

    def __init__(self, services: tuple[str, ...]) -> None:
        self._services = (*services, SERVICE)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End the streams: their clients may keep them open without a question."""
        self._stopping.set()

    def handlers(self) -> list[Any]:
        """What gRPC takes."""
        handler = grpc.stream_stream_rpc_method_handler(
            self._info, request_deserializer=_Request.FromString, response_serializer=_Response.SerializeToString
        )
        methods = {'ServerReflectionInfo': handler}
        return [grpc.method_handlers_generic_handler(service, methods) for service in (SERVICE, OLDER)]

    async def _info(self, requests: Any, context: Any) -> None:
        stopping = asyncio.get_running_loop().create_task(self._stopping.wait())
        try:
            while (request := await _next(context, stopping)) is not grpc.aio.EOF:
                answer = self._answer(request)
                await context.write(_Response(valid_host=request.host, original_request=request, **answer))
        finally:
            stopping.cancel()

    def _answer(self, request: Any) -> dict[str, Any]:
        """The field of the response that answers the request."""
        asked = request.WhichOneof('message_request')
        if asked == 'list_services':
            return {'list_services_response': {'service': [{'name': name} for name in self._services]}}
        if asked == 'file_by_filename':
            return _files(file_named, request.file_by_filename)
        if asked == 'file_containing_symbol':
            return _files(file_defining, request.file_containing_symbol)
        return _error(grpc.StatusCode.NOT_FOUND, 'there are no extensions')


async def _next(context: Any, stopping: 'asyncio.Task[Any]') -> Any:
    """The next request; ``EOF`` also if the server stops first. Nothing but this wait may be broken off by that."""
    reading = asyncio.get_running_loop().create_task(context.read())
    try:
        await asyncio.wait((reading, stopping), return_when=asyncio.FIRST_COMPLETED)
        return reading.result() if reading.done() else grpc.aio.EOF
    finally:
        reading.cancel()


def _files(find: Callable[[str], list[bytes]], name: str) -> dict[str, Any]:
    try:
        return {'file_descriptor_response': {'file_descriptor_proto': find(name)}}
    except KeyError:
        return _error(grpc.StatusCode.NOT_FOUND, f'there is no {name!r}')


def _error(code: grpc.StatusCode, why: str) -> dict[str, Any]:
    return {'error_response': {'error_code': code.value[0], 'error_message': why}}
