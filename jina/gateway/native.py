"""The native door: frames over a Unix socket, for clients on the gateway's own host."""

import os
from functools import partial

from jina.gateway.engine import Engine, Walk
from jina.transport import Listener, listen
from jina.types.request import Status, StatusCode
from jina.wire.connection import ServerCall, ServerConnection
from jina.wire.head import Head, Hello

WINDOW_BYTES = 64 << 20

_CANCELLED = Status(StatusCode.ERROR, 'the client cancelled the request', client_error=True)


class NativeDoor:
    """Hands requests that arrive as frames to the engine, and its answers back."""

    def __init__(self, engine: Engine, address: str, window: int) -> None:
        self._engine = engine
        self._address = address
        self._hello = Hello(window, WINDOW_BYTES, engine.name, os.getpid())
        self._listener: Listener | None = None

    async def start(self) -> str:
        """Listen.

        :return: the address.
        :raises OSError: if it is taken.
        """
        self._listener = await listen(self._address, self._accept)
        return self._listener.address

    async def stop(self) -> None:
        """Close all connections."""
        if self._listener is not None:
            await self._listener.close()

    def _accept(self) -> ServerConnection:
        return ServerConnection(self._hello, partial(submit, self._engine))


def submit(engine: Engine, call: ServerCall) -> None:
    """Send a request that came as a frame through the graph; its outcome goes back the same way."""
    walk = engine.submit(call.head, call.body, call.reply)
    call.on_cancel = partial(_cancel, call, walk)


def _cancel(call: ServerCall, walk: Walk) -> None:
    walk.cancel()
    call.reply(Head(call.head.request_id, '', status=_CANCELLED), b'')  # which gives the credit back
