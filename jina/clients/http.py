"""An HTTP server as clients see it: each request has a connection of its own, which is then kept for the next one."""

import asyncio
from collections.abc import Callable
from functools import partial

from jina.clients.address import Address
from jina.clients.dial import DIAL_SECONDS, dial
from jina.clients.http1 import HttpAnswer, HttpConnection
from jina.clients.rest import answer_from_json, refusal, request_to_json, shown
from jina.clients.window import Window
from jina.excepts import ServerUnreachable, WireError
from jina.types.request import StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import JSON, Body, Head, Part, body_size

MOST_CONNECTIONS = 32
WINDOW_BYTES = 64 << 20


class HttpLink:
    """The connections to an HTTP server. All belongs to the thread of its loop.

    :ivar encoding: how bodies are to be encoded for it.
    :ivar closed: it is lost, or was closed.
    :ivar on_change: called when :meth:`admits` may have changed.
    """

    def __init__(self, address: Address) -> None:
        self.encoding: str = JSON
        self.closed = False
        self.on_change: Callable[[], None] = lambda: None
        self._address = address
        self._window = Window(MOST_CONNECTIONS, WINDOW_BYTES)
        self._idle: list[HttpConnection] = []
        self._busy: dict[int, HttpConnection | asyncio.Task[None]] = {}

    async def dial(self, timeout: float = DIAL_SECONDS) -> HttpConnection:
        """Open one more connection.

        :raises ServerUnreachable: if nothing answers there.
        """
        return await dial(self._address, lambda: HttpConnection(self._forget), timeout)

    def keep(self, connection: HttpConnection) -> None:
        """It is there for the next request."""
        if self.closed:
            connection.close()
        elif not connection.closed:
            self._idle.append(connection)

    def _forget(self, connection: HttpConnection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def admits(self, size: int) -> bool:
        """Whether one more request with a body of ``size`` bytes may be sent now."""
        return not self.closed and self._window.admits(size)

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so. The body is copied.

        :return: its number, for :meth:`cancel`.
        """
        assert not self.closed, 'not connected'
        message = self._message(head, request_to_json(head, body))
        stream = self._window.open(head, body, reply)
        connection = self._free()
        if connection is not None:
            self._send(stream, message, connection)
        else:
            self._busy[stream] = asyncio.get_running_loop().create_task(self._dial_and_send(stream, message))
        return stream

    def cancel(self, stream: int) -> None:
        """Its answer is no longer wanted: the connection is closed, from which the server sees it."""
        self._window.ignore(stream)
        busy = self._busy.pop(stream, None)
        if isinstance(busy, HttpConnection):
            busy.close()
        elif busy is not None:
            busy.cancel()
        self._answered(stream, Head('', ''), b'')

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change: no time, they were copied."""

    async def close(self) -> None:
        """Close it; requests without an answer get an outcome that says so."""
        dialing = [busy for busy in self._busy.values() if isinstance(busy, asyncio.Task)]
        self._lost('the client closed the connection')
        await asyncio.gather(*dialing, return_exceptions=True)

    def _message(self, head: Head, body: bytes) -> bytes:
        lines = [
            f'POST {self._address.path}/post HTTP/1.1',
            f'host: {self._address.authority}',
            'content-type: application/json',
            f'content-length: {len(body)}',
        ]
        if head.timeout is not None:
            lines.append(f'jina-timeout: {head.timeout:g}')
        return '\r\n'.join([*lines, '\r\n']).encode() + body

    def _free(self) -> HttpConnection | None:
        """The connection that was used last, if it can be used again."""
        while self._idle:
            connection = self._idle.pop()
            if connection.usable:
                return connection
            connection.close()
        return None

    async def _dial_and_send(self, stream: int, message: bytes) -> None:
        try:
            connection = await self.dial()
        except ServerUnreachable as error:
            self._lost(str(error))
        else:
            self._send(stream, message, connection)

    def _send(self, stream: int, message: bytes, connection: HttpConnection) -> None:
        self._busy[stream] = connection
        connection.send(message, partial(self._done, stream, connection))

    def _done(self, stream: int, connection: HttpConnection, answer: HttpAnswer | str) -> None:
        del self._busy[stream]
        if isinstance(answer, str):
            self._lost(f'{self._address}: {answer}')
            return
        self.keep(connection)
        asked = self._window[stream]
        try:
            head, body = answer_from_json(answer.code, asked.head, answer.body)
        except WireError:
            if _is_no_flow(answer):
                self._lost(f'{self._address} is no Flow: it {_told(answer)} to POST /post: {shown(answer.body)}')
                return
            head, body = refusal(f'the server {_told(answer)}', answer.code, asked.head, answer.body), b''
        if head.status is not None and head.status.code >= StatusCode.ERROR and not body:
            head.parts, body = _own(asked.body), b''.join(asked.body)
        self._answered(stream, head, body)

    def _answered(self, stream: int, head: Head, body: Buffer) -> None:
        self._window.answer(stream, head, body)
        self.on_change()

    def _lost(self, reason: str) -> None:
        """It is over: every request without an answer gets an outcome that says why."""
        if self.closed:
            return
        self.closed = True
        connections, self._idle = self._idle, []
        for connection in connections:
            connection.close()
        self._end_busy()
        self._window.lose(reason)
        self.on_change()

    def _end_busy(self) -> None:
        busy, self._busy = self._busy, {}
        for each in busy.values():
            if isinstance(each, HttpConnection):
                each.close()
            elif each is not asyncio.current_task():
                each.cancel()


def _is_no_flow(answer: HttpAnswer) -> bool:
    """Whether somebody else is there, and not one who refused a request in words of its own."""
    return answer.code < 400 or answer.code in (404, 405)


def _told(answer: HttpAnswer) -> str:
    return f'answers {answer.code} {answer.reason}'.rstrip()


def _own(body: Body) -> tuple[Part, ...]:
    """The parts of a request's own body."""
    return (Part(JSON, body_size(body)),) if body else ()


async def open_http(address: Address, timeout: float = DIAL_SECONDS) -> HttpLink:
    """Connect to an HTTP server.

    :raises ServerUnreachable: if nothing answers there: at once when it refuses, else after ``timeout`` seconds.
    """
    link = HttpLink(address)
    link.keep(await link.dial(timeout))
    return link
