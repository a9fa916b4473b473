"""The routes that a program adds to the HTTP door; the only file that imports FastAPI, which carries them."""

from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

from fastapi import FastAPI
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from jina.excepts import BadOption, text_of


class Extension(BaseRoute):
    """A route that matches whatever one of the program's routes matches.

    :param extend: takes a FastAPI application, adds routes to it, and returns it.
    :raises BadOption: if it raises, or returns something else.
    """

    def __init__(self, extend: Callable[[Any], Any], title: str, description: str) -> None:
        # without pages of its own: they would be there twice
        self._app = _extended(FastAPI(title=title, description=description, openapi_url=None), extend)
        self._running = AsyncExitStack()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """How well the best of them matches."""
        found = (route.matches(scope)[0] for route in self._app.router.routes)
        return max(found, key=lambda match: match.value, default=Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request to the program's application, with its middleware and its way to report errors."""
        await self._app(scope, receive, send)

    def paths(self) -> Iterator[tuple[str, set[str]]]:
        """Path and methods of each route."""
        for route in self._app.router.routes:
            yield getattr(route, 'path', ''), set(getattr(route, 'methods', None) or ())

    def openapi(self) -> dict[str, Any]:
        """Their description."""
        return self._app.openapi()

    async def start(self) -> None:
        """Run what the application does when it starts."""
        await self._running.enter_async_context(self._app.router.lifespan_context(self._app))

    async def stop(self) -> None:
        """Run what it does when it ends."""
        await self._running.aclose()


def _extended(app: FastAPI, extend: Callable[[Any], Any]) -> FastAPI:
    name = f'extend_rest_interface = {getattr(extend, "__qualname__", repr(extend))}'
    try:
        extended = extend(app)
    except Exception as error:
        raise BadOption(f'{name}: it raised {type(error).__name__}: {text_of(error)}') from error
    if not isinstance(extended, FastAPI):
        raise BadOption(f'{name}: it returned {type(extended).__name__}, and is to return the app that it was given')
    return extended
