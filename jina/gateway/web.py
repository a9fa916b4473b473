"""uvicorn at one port: what the HTTP and the WebSocket door stand on."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from jina.gateway.ports import no_port

STOP_SECONDS = 1


class WebServer:
    """Serves an ASGI application.

    :param protocol: what messages call it.
    :param options: of ``uvicorn.Config``.
    """

    def __init__(self, app: Any, protocol: str, host: str, port: int, **options: Any) -> None:
        self._app = app
        self._protocol, self._host, self._port = protocol, host, port
        self._options = options
        self._socket: socket.socket | None = None
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    def bind(self) -> int:
        """Take the port, so that it is ours before the Executors have started.

        :return: the port.
        :raises NoAvailablePortError: if it is taken.
        """
        try:
            self._socket = socket.create_server((self._host, self._port), backlog=2048)
        except (OSError, OverflowError) as error:
            raise no_port(self._protocol, self._host, self._port, error) from error
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # accepted connections inherit it
        self._port = self._socket.getsockname()[1]
        return self._port

    async def serve(self) -> None:
        """Accept connections, until :meth:`stop`."""
        assert self._socket is not None, 'bind() comes first'
        config = uvicorn.Config(
            self._app, lifespan='off', log_config=None, access_log=False, proxy_headers=False, server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS, **{'http': 'httptools', 'ws': 'none', **self._options},
        )  # fmt: skip
        self._server = _Server(config)
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=[self._socket]))

    @property
    def connections(self) -> list[Any]:
        """The protocol objects of all that are open."""
        return list(self._server.server_state.connections) if self._server is not None else []

    async def stop(self) -> None:
        """Let the open requests end, within a second, and close."""
        if self._server is not None and self._serving is not None:
            self._server.should_exit = True
            await self._serving
        if self._socket is not None:
            self._socket.close()


class _Server(uvicorn.Server):
    """uvicorn, but signals are the business of the process it is in."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
