"""The WebSocket door: binary messages are those of gRPC, text messages those of HTTP.

Each connection has a reader and a writer. The reader stops while as much as the window allows is without an answer, so
that no client queues without bound. The writer sends answers as they come, in any order.
"""

import asyncio
import json
import logging
import platform
from collections.abc import Awaitable, Callable
from typing import Any

import jina
from jina.excepts import WireError
from jina.gateway.engine import Engine, Walk
from jina.gateway.text import answer_to_text, request_from_text
from jina.gateway.web import STOP_SECONDS, WebServer
from jina.spec import DoorSpec, GatewaySpec
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import Head
from jina.wire.rpc import answer_to_proto, parse, request_from_proto

MAX_MESSAGE = 1 << 30
WINDOW_BYTES = 64 << 20
END = b'\0'
NORMAL, GOING_AWAY = 1000, 1001

_VERSION = (b'jina-version', jina.__version__.encode())  # our client knows by it that nothing is held back here
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
        self._streams: dict[_Stream, asyncio.Event] = {}
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
            stream.end(GOING_AWAY)
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
            await self._serve_stream(receive, send)

    async def _serve_stream(self, receive: _Receive, send: _Send) -> None:
        stream = _Stream(self._engine, receive, send, self._window)
        self._streams[stream] = over = asyncio.Event()
        try:
            await stream.run()
        except OSError as error:
            _log.debug('a client went away: %s', error)
        finally:
            stream.cancel()
            del self._streams[stream]
            over.set()

    def _plain(self, scope: _Scope) -> tuple[int, Any]:
        """Code and body for who asks without WebSocket."""
        if scope['path'] == '/status':
            versions = {'jina': jina.__version__, 'python': platform.python_version()}
            return 200, {'jina': versions, 'executors': list(self._engine.graph.needs)}
        return 426, {'status': {'code': int(StatusCode.ERROR), 'description': 'this port speaks WebSocket, at /'}}


async def _answer_http(send: _Send, code: int, body: Any) -> None:
    encoded = json.dumps(body).encode()
    headers = [*_JSON, (b'content-length', str(len(encoded)).encode())]
    if code == 426:
        headers.append((b'upgrade', b'websocket'))
    await send({'type': 'http.response.start', 'status': code, 'headers': headers})
    await send({'type': 'http.response.body', 'body': encoded})


async def _refuse(receive: _Receive, send: _Send, code: int, why: str) -> None:
    """Answer the handshake with an error."""
    await receive()
    body = {'status': {'code': int(StatusCode.ERROR), 'description': why}}
    await send({'type': 'websocket.http.response.start', 'status': code, 'headers': _JSON})
    await send({'type': 'websocket.http.response.body', 'body': json.dumps(body).encode()})


class _Asked:
    """A request under way.

    :ivar size: of its message, in bytes.
    :ivar is_text: it came as text, and is answered so.
    """

    __slots__ = ('head', 'is_text', 'size', 'walk')

    def __init__(self, size: int, is_text: bool) -> None:
        self.head = Head('', '')
        self.size = size
        self.is_text = is_text
        self.walk: Walk | None = None


class _Stream:
    """One client's requests. One that cannot be read spoils no other."""

    def __init__(self, engine: Engine, receive: _Receive, send: _Send, window: int) -> None:
        self._engine = engine
        self._receive = receive
        self._send = send
        self._window = window
        self._bytes = 0
        self._room = asyncio.Event()
        self._answers: asyncio.Queue[tuple[_Asked, Head, Buffer] | None] = asyncio.Queue()
        self._open: set[_Asked] = set()
        self._ended = False
        self._code = NORMAL

    async def run(self) -> None:
        """Serve until the client has ended its side and all is answered, or it is gone.

        :raises OSError: if it goes away while an answer is sent.
        """
        await self._receive()
        await self._send({'type': 'websocket.accept', 'headers': [_VERSION]})
        reading = asyncio.get_running_loop().create_task(self._read())
        try:
            await self._write()
            await self._send({'type': 'websocket.close', 'code': self._code})
        finally:
            reading.cancel()

    def end(self, code: int = NORMAL) -> None:
        """Take no more requests; the connection is closed when those that there are have their answers."""
        if not self._ended:
            self._ended, self._code = True, code
            self._answers.put_nowait(None)

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        asked, self._open = self._open, set()
        for each in asked:
            if each.walk is not None:
                each.walk.cancel()
        self._ended = True
        self._answers.put_nowait(None)

    async def _read(self) -> None:
        while True:
            await self._until_room()
            message = await self._receive()
            if message['type'] == 'websocket.disconnect':
                self.cancel()
                return
            if not self._ended:
                self._take(message.get('bytes'), message.get('text'))

    async def _until_room(self) -> None:
        while len(self._open) >= self._window or self._bytes >= WINDOW_BYTES:
            self._room.clear()
            await self._room.wait()

    def _take(self, data: bytes | None, text: str | None) -> None:
        if data == END:
            self.end()
            return
        asked = _Asked(len(data or text or ''), data is None)
        self._open.add(asked)
        self._bytes += asked.size
        try:
            asked.head, body = self._request(data, text)
        except WireError as error:
            refused = Status(StatusCode.ERROR, str(error), client_error=True)
            self._answered(asked, Head('', '', status=refused), b'')
            return

        def reply(head: Head, body: Buffer) -> None:
            asked.walk = None
            self._answered(asked, head, body)

        asked.walk = self._engine.submit(asked.head, body, reply)

    def _request(self, data: bytes | None, text: str | None) -> tuple[Head, Buffer]:
        if data is not None:
            return request_from_proto(parse(data))
        return request_from_text(text or '', normal=not self._engine.graph.needs)

    def _answered(self, asked: _Asked, head: Head, body: Buffer) -> None:
        self._answers.put_nowait((asked, head, body))

    async def _write(self) -> None:
        """Send answers until there will be no more."""
        while self._open or not self._ended:
            answer = await self._answers.get()
            if answer is not None and answer[0] in self._open:
                await self._send(_message(*answer))
                self._release(answer[0])

    def _release(self, asked: _Asked) -> None:
        self._open.discard(asked)
        self._bytes -= asked.size
        self._room.set()


def _message(asked: _Asked, head: Head, body: Buffer) -> dict[str, Any]:
    if asked.is_text:
        return {'type': 'websocket.send', 'text': answer_to_text(asked.head, head, body)}
    return {'type': 'websocket.send', 'bytes': answer_to_proto(asked.head, head, [body]).SerializeToString()}
