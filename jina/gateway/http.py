"""The HTTP door: JSON in, JSON out, without ever decoding the documents in between."""

import asyncio
import resource
from collections.abc import Callable
from typing import Any

from jina.gateway.call import Call
from jina.gateway.engine import Engine, Walk
from jina.gateway.pages import Pages
from jina.gateway.rest import Refused, answer, read, refusal
from jina.gateway.routes import entries, table
from jina.gateway.shortway import ShortWay
from jina.gateway.web import STOP_SECONDS, WebServer
from jina.spec import DoorSpec, GatewaySpec
from jina.wire.frames import Buffer
from jina.wire.head import Body, Head

MAX_CONNECTIONS = 10_000
OTHER_FILES = 128  # what a gateway has open besides its clients' connections
KEEP_ALIVE_SECONDS = 60  # how long a client may be silent, between two requests or within one

_JSON = b'content-type: application/json\r\n'
_ANY_ORIGIN = b'access-control-allow-origin: *\r\n'


class HttpDoor:
    """Serves the paths that take documents, and pages about them.

    :param extend: takes a FastAPI application, adds routes to it, and returns it.
    :raises BadOption: if the paths of exposed endpoints cannot be, or ``extend`` returns something else.
    """

    def __init__(
        self, engine: Engine, door: DoorSpec, gateway: GatewaySpec, extend: Callable[[Any], Any] | None = None
    ) -> None:
        self._engine = engine
        found = entries(gateway)
        self._pages = Pages(gateway, found, list(engine.graph.needs), extend)
        self.endpoints = {(m.encode(), path.encode()): to for (m, path), to in table(found).items()}
        self._own_lines = _JSON + (_ANY_ORIGIN if gateway.cors else b'')
        self._lines = b''
        self._lines_of: object = None
        self.max_connections = _max_connections()
        self._server = WebServer(
            self._pages, 'http', door.host, door.port, http=self._accept, timeout_keep_alive=KEEP_ALIVE_SECONDS
        )

    def bind(self) -> int:
        """Take the port; see :meth:`WebServer.bind`."""
        return self._server.bind()

    async def serve(self) -> None:
        """Accept connections, until :meth:`stop`."""
        await self._pages.start()
        await self._server.serve()

    async def stop(self) -> None:
        """Let the open requests end, within a second, and close."""
        later = asyncio.get_running_loop().call_later(STOP_SECONDS, self._give_up)
        await self._server.stop()
        later.cancel()
        self._give_up()
        await self._pages.stop()

    def submit(self, call: Call) -> Walk | None:
        """Send what a client asks for through the graph; see :class:`~jina.gateway.call.Door`."""
        normal = not self._engine.graph.needs
        try:
            asked, head, data = read(call.endpoint, call.body, normal, call.timeout)
        except Refused as refused:
            call.answer(refused.code, refusal(str(refused), refused.request_id))
            return None

        def reply(head: Head, body: Buffer) -> None:
            call.answer(*answer(asked, head, body))

        return self._engine.submit(head, data, reply)

    def header_lines(self, of_server: list[tuple[bytes, bytes]]) -> bytes:
        """The lines that each answer has; see :class:`~jina.gateway.call.Door`."""
        if of_server is not self._lines_of:  # uvicorn makes a new list each second, because of the date
            self._lines_of = of_server
            self._lines = b''.join([b'%b: %b\r\n' % header for header in of_server]) + self._own_lines
        return self._lines

    def refusal(self, why: str) -> Body:
        """The body of an answer that says why there is no other."""
        return refusal(why)

    def _accept(self, **of_uvicorn: Any) -> ShortWay:
        return ShortWay(self, **of_uvicorn)

    def _give_up(self) -> None:
        for connection in self._server.connections:
            connection.give_up('the Flow is being closed: this request was not finished')


def _max_connections() -> int:
    """How many the system lets this process have, within our own limit."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MAX_CONNECTIONS if files == resource.RLIM_INFINITY else max(1, min(MAX_CONNECTIONS, files - OTHER_FILES))
