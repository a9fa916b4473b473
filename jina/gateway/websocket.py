"""The WebSocket door: binary messages are those of gRPC, text messages those of HTTP.

A client that offers the subprotocol :data:`~jina.wire.batches.SUBPROTOCOL`, as ours do, speaks frames instead.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from jina.gateway.calls import CallStream
from jina.gateway.deadline import HEADER, seconds
from jina.gateway.engine import Engine
from jina.gateway.frames import FramesStream
from jina.gateway.rest import refusal, status_page
from jina.gateway.web import STOP_SECONDS, WebServer
from jina.spec import DoorSpec, GatewaySpec
from jina.wire.batches import SUBPROTOCOL
from jina.wire.head import Body

MAX_MESSAGE = 1 << 30
END = b'\0'
NORMAL, GOING_AWAY, WRONG = 1000, 1001, 1002
LONGEST_REASON = 123  # bytes that fit into the message that closes a connection

_TIMEOUT = HEADER.encode()
_JSON = [(b'content-type', b'application/json')]
_log = logging.getLogger('jina.gateway')

_Scope = dict[str, Any]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]


class WebSocketDoor:
    """Hands requests that arrive over WebSocket to the engine, and its answers back."""

    def __init__(self, engine: Engine, door: DoorSpec, gateway: GatewaySpec) -> None:
        self._engine = engine
        self._window = gateway.prefetch
        # Whether a ping is answered in time says nothing: the client's loop may stand still between two calls of its
        # program, and its answer may be in what the window keeps from being read.
        self._server = WebServer(
            self, 'websocket', door.host, door.port, ws='websockets-sansio', ws_max_size=MAX_MESSAGE,
            ws_ping_timeout=None, ws_per_message_deflate=False,
        )  # fmt: skip
        self._streams: dict[CallStream | FramesStream, asyncio.Event] = {}
        self._stopping = False

    def bind(self) -> int:
        """Take the port; see :meth:`WebServer.bind`."""
        return self._server.bind()

    async def serve(self) -> None:
        """Accept connections, until :meth:`stop`."""
        await self._server.serve()

    async def stop(self) -> None:
        """Let the open requests end, within a second, and close."""
        self._stopping = True
        for stream in self._streams:
            stream.end()
        try:
            async with asyncio.timeout(STOP_SECONDS):
                for over in list(self._streams.values()):
                    await over.wait()
        except TimeoutError:
            pass
        await self._server.stop()

    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        """The ASGI application."""
        if scope['type'] == 'http':
            await _answer_http(send, *self._plain(scope))
        elif scope['path'] != '/':
            await _refuse(receive, send, 404, f'WebSocket is at /, not at {scope["path"]}')
        elif self._stopping:
            await _refuse(receive, send, 503, 'the Flow is closing')
        else:
            await self._accept(scope, receive, send)

    async def _accept(self, scope: _Scope, receive: _Receive, send: _Send) -> None:
        try:
            messages = _Messages(receive, send, _timeout_of(scope))
        except ValueError as error:
            await _refuse(receive, send, 400, str(error))
            return
        chosen = SUBPROTOCOL if SUBPROTOCOL in scope['subprotocols'] else None
        stream = (FramesStream if chosen else CallStream)(self._engine, messages, self._window)
        self._streams[stream] = over = asyncio.Event()
        try:
            await messages.greet(chosen, stream.cancel)
            await stream.run()
            await messages.close(GOING_AWAY if self._stopping else NORMAL)
        except OSError as error:
            _log.debug('a client went away: %s', error)
        finally:
            stream.cancel()
            messages.stop()
            del self._streams[stream]
            over.set()

    def _plain(self, scope: _Scope) -> tuple[int, Body]:
        """Code and body for who asks without WebSocket."""
        if scope['path'] != '/status':
            return 426, refusal('this port speaks WebSocket, at /')
        return 200, [status_page(self._engine.graph.needs)]


async def _answer_http(send: _Send, code: int, body: Body) -> None:
    encoded = b''.join(body)
    headers = [*_JSON, (b'content-length', str(len(encoded)).encode())]
    if code == 426:
        headers.append((b'upgrade', b'websocket'))
    await send({'type': 'http.response.start', 'status': code, 'headers': headers})
    await send({'type': 'http.response.body', 'body': encoded})


async def _refuse(receive: _Receive, send: _Send, code: int, why: str) -> None:
    """Answer the handshake with an error."""
    await receive()
    await send({'type': 'websocket.http.response.start', 'status': code, 'headers': _JSON})
    await send({'type': 'websocket.http.response.body', 'body': b''.join(refusal(why))})
    for _ in range(2):  # uvicorn says that it is over, and then that the connection is; before, it would log an error
        await receive()


def _timeout_of(scope: _Scope) -> float | None:
    """What the handshake says of all requests to come.

    :raises ValueError: if that is no number of seconds.
    """
    given = dict(scope['headers']).get(_TIMEOUT)
    return None if given is None else seconds(given)


class _Messages:
    """The messages of one connection; see :class:`~jina.gateway.messages.Messages`.

    :param timeout: seconds that each of its requests may take.
    """

    def __init__(self, receive: _Receive, send: _Send, timeout: float | None) -> None:
        self._receive = receive
        self._send = send
        self._timeout = timeout
        self._gone: Callable[[], None] = lambda: None
        self._rest: asyncio.Task[None] | None = None
        self._closed = False

    async def greet(self, subprotocol: str | None, gone: Callable[[], None]) -> None:
        """Accept the connection.

        :param gone: to be called when the client goes away.
        """
        self._gone = gone
        await self._receive()
        await self._send({'type': 'websocket.accept', 'subprotocol': subprotocol})

    async def read(self) -> bytes | str | None:
        """The next message; ``None`` also where the client says that it has no more."""
        message = await self._receive()
        if message['type'] == 'websocket.disconnect':
            self._gone()
            return None
        data: bytes | None = message.get('bytes')
        if data == END:
            self._rest = asyncio.get_running_loop().create_task(self._ignore_rest())
            return None
        return message['text'] if data is None else data

    async def _ignore_rest(self) -> None:
        while (await self._receive())['type'] != 'websocket.disconnect':
            pass
        self._gone()

    async def write(self, message: bytes | str) -> None:
        """Send one.

        :raises OSError: if the client is gone.
        """
        await self._send({'type': 'websocket.send', 'text' if isinstance(message, str) else 'bytes': message})

    async def refuse(self, why: str) -> None:
        """Close the connection, because of what was sent."""
        await self.close(WRONG, why)

    def time_left(self) -> float | None:
        """What the handshake said."""
        return self._timeout

    async def close(self, code: int, reason: str = '') -> None:
        """Close the connection, unless it is."""
        if not self._closed:
            self._closed = True
            shown = reason.encode()[:LONGEST_REASON].decode(errors='ignore')
            await self._send({'type': 'websocket.close', 'code': code, 'reason': shown})

    def stop(self) -> None:
        """Read no more."""
        self._gone = _nobody_minds  # it leads back here: a cycle that only the collector would end
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None


def _nobody_minds() -> None:
    """What the end of a client means to a connection that is over."""
