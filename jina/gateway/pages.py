"""What the HTTP door serves besides documents: its status, its documentation, files, and what a program adds."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from jina.gateway import apidocs
from jina.gateway.openapi import openapi
from jina.gateway.rest import refusal, status_page
from jina.gateway.routes import STATUS, Entry
from jina.spec import WebSpec

if TYPE_CHECKING:
    from jina.gateway.extension import Extension

_ANY_ORIGIN: dict[str, Any] = {'allow_origins': ['*'], 'allow_methods': ['*'], 'allow_headers': ['*']}

_log = logging.getLogger('jina.gateway')


class Pages:
    """An ASGI application.

    A path and method belong to the first of: documents (which do not come here), the pages below, the program's own
    routes, files.

    :param entries: the paths that take documents.
    :param executors: their names.
    :param extend: takes a FastAPI application, adds routes to it, and returns it.
    :raises BadOption: if it returns something else.
    """

    def __init__(
        self, spec: WebSpec, entries: Sequence[Entry], executors: list[str], extend: Callable[[Any], Any] | None
    ) -> None:
        self._spec = spec
        self._entries = entries
        self._executors = executors
        self._schema: dict[str, Any] = {}
        self._extension = _extension(spec, extend)
        self._methods = {path: {'GET', 'HEAD'} for path in self._own()}
        for entry in entries:
            self._methods.setdefault(entry.path, set()).update(entry.methods)
        self._warn_of_hidden()
        self._app = Starlette(
            routes=list(self._routes()),
            middleware=[Middleware(CORSMiddleware, **_ANY_ORIGIN)] if spec.cors else [],
            exception_handlers={HTTPException: self._refused, Exception: self._failed},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._app(scope, receive, send)
        except Exception:  # the client has its answer already; to raise would have uvicorn close the connection
            _log.exception('%s %s failed', scope['method'], scope['path'])

    async def start(self) -> None:
        """Run what the program's application does when it starts."""
        if self._extension:
            await self._extension.start()

    async def stop(self) -> None:
        """Run what it does when it ends."""
        if self._extension:
            await self._extension.stop()

    def _own(self) -> dict[str, Callable[[Request], Response]]:
        """The pages, all of them for GET."""
        status = {} if self._spec.no_debug_endpoints else {STATUS: self._status}
        assets = {apidocs.path_of(name): apidocs.asset for name in apidocs.ASSETS}
        return {
            **status,
            apidocs.OPENAPI: self._openapi,
            apidocs.SWAGGER: lambda _: apidocs.swagger(self._title()),
            apidocs.REDOC: lambda _: apidocs.redoc(self._title()),
            **assets,
        }

    def _routes(self) -> Iterator[BaseRoute]:
        for path, page in self._own().items():
            yield Route(path, page, methods=['GET'])
        if self._extension:
            yield self._extension
        for path in self._methods:
            yield _AnyMethod(path, self._wrong_method)
        if self._spec.static:
            yield Mount('/', StaticFiles(directory=self._spec.static, html=True))

    def _title(self) -> str:
        return self._spec.title or 'Flow'

    def _status(self, request: Request) -> Response:
        """What runs here."""
        return Response(status_page(self._executors), media_type='application/json')

    def _openapi(self, request: Request) -> Response:
        if not self._schema:
            added = self._extension.openapi() if self._extension else {}
            self._schema = openapi(self._title(), self._spec.description, self._entries, STATUS in self._own(), added)
        return JSONResponse(self._schema)

    def _wrong_method(self, request: Request) -> Response:
        path = request.scope['path']
        allowed = ', '.join(sorted(self._methods[path]))
        raise HTTPException(405, f'{path} takes {allowed}, not {request.method}', {'allow': allowed})

    def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        why = self._nothing_here(request) if error.status_code == 404 else error.detail
        return _Refusal(error.status_code, why, error.headers)

    def _failed(self, request: Request, error: Exception) -> Response:
        return _Refusal(500, f'{request.method} {request.url.path} failed: {type(error).__name__}: {error}')

    def _nothing_here(self, request: Request) -> str:
        theirs = [path for path, _ in self._extension.paths()] if self._extension else []
        there = sorted({*self._methods, *theirs} - {apidocs.path_of(name) for name in apidocs.ASSETS})
        return f'nothing is served at {request.scope["path"]}; these paths are: {", ".join(there)}'

    def _warn_of_hidden(self) -> None:
        for path, methods in self._extension.paths() if self._extension else ():
            if hidden := methods & self._methods.get(path, set()):
                _log.warning(
                    'extend_rest_interface: %s %s of yours is never reached: the gateway itself serves it; '
                    'no_crud_endpoints and no_debug_endpoints take its own away',
                    '/'.join(sorted(hidden)),
                    path,
                )


class _Refusal(Response):
    """An error, in the form that all of ours have."""

    media_type = 'application/json'

    def __init__(self, code: int, why: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(b''.join(refusal(why)), code, headers)


class _AnyMethod(Route):
    """A route that lets its endpoint judge the method."""

    def __init__(self, path: str, endpoint: Callable[[Request], Response]) -> None:
        super().__init__(path, endpoint, include_in_schema=False)
        self.methods = None


def _extension(spec: WebSpec, extend: Callable[[Any], Any] | None) -> 'Extension | None':
    """FastAPI is loaded only for those who use it: it takes as long to import as all the rest of a gateway."""
    if extend is None:
        return None
    from jina.gateway.extension import Extension

    return Extension(extend, spec.title, spec.description)
