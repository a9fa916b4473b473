"""One connection to an HTTP server: a request, its answer, the next request. Its parser is httptools."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httptools

MAX_IDLE_SECONDS = 2.0  # servers close what is idle, often after five: a request must not meet that


@dataclass(slots=True)
class HttpAnswer:
    """What a server has answered."""

    code: int = 0
    reason: str = ''
    pieces: list[bytes] = field(default_factory=list)
    ends_with_connection: bool = True

    @property
    def body(self) -> bytes:
        """Its body."""
        return b''.join(self.pieces)


Done = Callable[[HttpAnswer | str], None]
"""Called once with the answer, or with the reason why there is none."""


class HttpConnection(asyncio.Protocol):
    """A connection that is kept for the next request.

    :ivar closed: it is lost, was closed, or cannot be used again.
    :param on_close: called when that comes to be while no request is under way.
    """

    def __init__(self, on_close: Callable[['HttpConnection'], None] = lambda connection: None) -> None:
        self.closed = False
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._done: Done | None = None
        self._answer = HttpAnswer()
        self._complete = False
        self._idle_since = self._loop.time()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Whether the next request may be sent here."""
        is_open = not self.closed and not self._transport.is_closing()
        return is_open and self._loop.time() - self._idle_since < MAX_IDLE_SECONDS

    def send(self, message: bytes, done: Done) -> None:
        """Send a request; only after the answer to the last one."""
        self._parser = httptools.HttpResponseParser(self)
        self._answer, self._complete = HttpAnswer(), False
        self._done = done
        self._transport.write(message)

    def close(self) -> None:
        """Close it; of a request that is under way nobody hears again."""
        self.closed = True
        self._done = None
        if self._transport is not None:
            self._transport.abort()

    # asyncio

    def data_received(self, data: bytes) -> None:
        if self._done is None:
            self._lost('it spoke before it was asked')
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._lost(f'what it says is not HTTP: {error}')
            return
        if self._complete:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._done is not None and self._answer.code and self._answer.ends_with_connection and exc is None:
            self.closed = True
            self._finish()
        else:
            self._lost(str(exc) if exc else 'it closed the connection')

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b'content-length', b'transfer-encoding'):
            self._answer.ends_with_connection = False

    def on_status(self, status: bytes) -> None:
        self._answer.reason += status.decode('latin-1')

    def on_headers_complete(self) -> None:
        self._answer.code = self._parser.get_status_code()

    def on_body(self, body: bytes) -> None:
        self._answer.pieces.append(body)

    def on_message_complete(self) -> None:
        if self._answer.code < 200:  # only the first of what it has to say
            self._answer = HttpAnswer()
            return
        self._complete = True
        self.closed = self.closed or not self._parser.should_keep_alive()

    def _finish(self) -> None:
        done, self._done = self._done, None
        self._idle_since = self._loop.time()
        if self.closed:
            self._transport.close()
        if done is not None:
            done(self._answer)

    def _lost(self, why: str) -> None:
        done, self._done = self._done, None
        self.closed = True
        self._transport.abort()
        if done is not None:
            done(why)
        else:
            self._on_close(self)
