"""The HTTP door: JSON in, JSON out, without ever decoding the documents in between."""

import asyncio
import platform
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

import jina
from jina.gateway.engine import Engine
from jina.gateway.web import WebServer
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import JSON, NO_PARAMETERS, Head, Part

CRUD = ('/index', '/search', '/update', '/delete')
METHODS = ('POST', 'PUT', 'DELETE')
MAX_BODY = 1 << 30
NO_DATA = msgspec.Raw(b'{"docs":[]}')
WATCH_SECONDS = 0.05


class PostBody(msgspec.Struct):
    """What a client sends. Keys in camelCase or snake_case; others are ignored."""

    data: msgspec.Raw = msgspec.Raw(b'null')
    parameters: dict[str, Any] | None = None
    execEndpoint: str | None = None  # noqa: N815
    exec_endpoint: str | None = None
    targetPeapod: str | None = None  # noqa: N815
    target_peapod: str | None = None


class AnswerHeader(msgspec.Struct, rename='camel'):
    exec_endpoint: str
    target_peapod: str


class AnswerRoute(msgspec.Struct, rename='camel'):
    pod: str
    pod_id: str
    start_time: datetime
    end_time: datetime | None


class AnswerException(msgspec.Struct, rename='camel'):
    name: str
    args: tuple[str, ...]
    stacks: tuple[str, ...]
    executor: str


class AnswerStatus(msgspec.Struct, rename='camel'):
    code: int
    description: str
    exception: AnswerException | None


class Answer(msgspec.Struct, rename='camel'):
    """What a client receives."""

    request_id: str
    data: msgspec.Raw
    header: AnswerHeader
    parameters: dict[str, Any]
    routes: list[AnswerRoute]
    status: AnswerStatus


_decode = msgspec.json.Decoder(PostBody).decode
_decode_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw] | str] | None).decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_GONE = Head('', '', status=Status(StatusCode.ERROR, 'the client went away', client_error=True))
_SUCCESS = AnswerStatus(0, '', None)
_HEADERS = [(b'content-type', b'application/json')]


class HttpDoor:
    """Serves ``POST /post``, the CRUD routes, ``GET /status`` and a folder of files.

    :param static: a folder whose files are served at ``/``; empty: none.
    """

    def __init__(self, engine: Engine, host: str, port: int, static: str = '') -> None:
        self._engine = engine
        self._server = WebServer(self, 'http', host, port)
        self._endpoints = {(m, path): path for m in METHODS for path in CRUD} | {('POST', '/post'): ''}
        self._app = Starlette(routes=list(self._routes(static)))

    def _routes(self, static: str) -> Iterator[BaseRoute]:
        """What is not worth a fast way of its own."""
        yield Route('/status', self._status)
        if static:
            yield Mount('/', StaticFiles(directory=static, html=True))

    def bind(self) -> int:
        """Take the port; see :meth:`WebServer.bind`."""
        return self._server.bind()

    async def serve(self) -> None:
        """Accept connections, until :meth:`stop`."""
        await self._server.serve()

    async def stop(self) -> None:
        """Let the open requests end, within a second, and close."""
        await self._server.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The ASGI application."""
        endpoint = self._endpoints.get((scope.get('method', ''), scope['path']))
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        code, body = await self._post(endpoint, receive)
        length = (b'content-length', str(len(body)).encode())
        await send({'type': 'http.response.start', 'status': code, 'headers': [*_HEADERS, length]})
        await send({'type': 'http.response.body', 'body': body})

    async def _post(self, endpoint: str, receive: Receive) -> tuple[int, bytes]:
        """Status code and body of the answer to a request."""
        request_id = uuid.uuid4().hex
        body = await _read(receive)
        if body is None:
            return _refusal(413, request_id, f'the body is larger than {MAX_BODY:,} bytes: send fewer documents')
        try:
            asked = _decode(body)
            endpoint = endpoint or asked.execEndpoint or asked.exec_endpoint or ''
            if not endpoint:
                return _refusal(
                    400, request_id, "the body has no 'execEndpoint', which says what the documents are for"
                )
            head, data = _head(request_id, endpoint, asked, normal=not self._engine.graph.needs)
        except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError) as error:
            return _refusal(400, request_id, f'the body is not what {endpoint or "/post"} takes: {error}')
        return _answer(asked, *await self._walk(head, data, receive))

    async def _walk(self, head: Head, data: Buffer, receive: Receive) -> tuple[Head, Buffer]:
        outcome: asyncio.Future[tuple[Head, Buffer]] = asyncio.get_running_loop().create_future()

        def reply(head: Head, body: Buffer) -> None:
            if not outcome.done():
                outcome.set_result((head, body))

        def gone() -> None:
            walk.cancel()
            reply(_GONE, b'')

        walk = self._engine.submit(head, data, reply)
        watch = _Watch(receive, gone)
        try:
            return await outcome
        finally:
            watch.end()

    async def _status(self, request: Request) -> JSONResponse:
        """What runs here."""
        versions = {'jina': jina.__version__, 'python': platform.python_version()}
        return JSONResponse({'jina': versions, 'executors': list(self._engine.graph.needs)})


class _Watch:
    """Notices that a client goes away. Only for requests that take their time: most are over before it would begin."""

    def __init__(self, receive: Receive, gone: Callable[[], None]) -> None:
        self._receive = receive
        self._gone = gone
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCH_SECONDS, self._begin)

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        if (await self._receive())['type'] == 'http.disconnect':
            self._gone()

    def end(self) -> None:
        """The request is over."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()


async def _read(receive: Receive) -> bytes | None:
    """The body of a request; ``None`` if it is too large."""
    message = await receive()
    body: bytes = message.get('body', b'')
    if not message.get('more_body', False):
        return body
    pieces, size = [body], len(body)
    while message.get('more_body', False):
        message = await receive()
        pieces.append(message.get('body', b''))
        size += len(pieces[-1])
        if size > MAX_BODY:
            return None
    return b''.join(pieces)


def _head(request_id: str, endpoint: str, asked: PostBody, normal: bool) -> tuple[Head, Buffer]:
    """Head and body of a request.

    :param normal: bring the documents into the form of an answer, since there is no Executor that will.
    """
    data: Buffer = _normal(asked.data) if normal else memoryview(asked.data)
    parts = (Part(JSON, len(data)),) if data != b'null' else ()
    parameters = msgspec.Raw(_pack(asked.parameters)) if asked.parameters else NO_PARAMETERS
    target = asked.targetPeapod or asked.target_peapod or ''
    return Head(request_id, endpoint, parts, JSON, parameters, target), data if parts else b''


def _normal(data: msgspec.Raw) -> bytes:
    """``{"docs": […]}`` of a list of documents or texts; what is in the documents stays as it is."""
    items = [{'text': item} if isinstance(item, str) else item for item in _decode_items(data) or ()]
    return _encode({'docs': [{'id': uuid.uuid4().hex, **item} for item in items]})


def _answer(asked: PostBody, head: Head, body: Buffer) -> tuple[int, bytes]:
    failed = head.status is not None and head.status.code >= StatusCode.ERROR
    answer = Answer(
        head.request_id,
        NO_DATA if failed or not len(body) else msgspec.Raw(body),
        AnswerHeader(head.endpoint, head.target),
        asked.parameters or {},
        [AnswerRoute(r.pod, r.pod_id, r.start_time, r.end_time if r.end else None) for r in head.routes],
        _status(head.status),
    )
    return _code(head.status), _encode(answer)


def _status(status: Status | None) -> AnswerStatus:
    if status is None:
        return _SUCCESS
    raised = status.exception
    shown = AnswerException(raised.name, raised.args, raised.stacks, raised.executor) if raised else None
    return AnswerStatus(int(status.code), status.description, shown)


def _code(status: Status | None) -> int:
    if status is None or status.code < StatusCode.ERROR:
        return 200
    return 400 if status.client_error else 500


def _refusal(code: int, request_id: str, why: str) -> tuple[int, bytes]:
    """The answer to a request that never reached the graph."""
    status = AnswerStatus(StatusCode.ERROR, why, None)
    return code, _encode(Answer(request_id, NO_DATA, AnswerHeader('', ''), {}, [], status))
