"""Frames over a protocol of messages: many requests in one, for clients of this package.

A message costs gRPC in Python more than all else that a small request needs, and WebSocket not much less. So our own
clients send the frames of the native door, as many in one message as there are; all that arrive while a message is
being written go into the next. Others need not know of it.
"""

import asyncio
import logging
import os

from jina.excepts import WireError
from jina.gateway.deadline import soonest
from jina.gateway.engine import Engine
from jina.gateway.messages import Messages
from jina.gateway.native import submit
from jina.gateway.window import WINDOW_BYTES
from jina.wire.batches import Inbox, Outbox
from jina.wire.connection import ServerCall, ServerConnection
from jina.wire.frames import Buffer, Frame, Kind
from jina.wire.head import Body, Hello

_log = logging.getLogger('jina.gateway')


class FramesStream:
    """One client's stream: a channel below a connection. It ends at bytes that are no frames."""

    def __init__(self, engine: Engine, messages: Messages, window: int) -> None:
        self._engine = engine
        self._messages = messages
        self._connection = ServerConnection(Hello(window, WINDOW_BYTES, engine.name, os.getpid()), self._requested)
        self._inbox, self._outbox = Inbox(), Outbox()
        self._news = asyncio.Event()  # there is something to write, or nothing more will be
        self._written = asyncio.Event()
        self._unanswered: dict[int, int] = {}  # stream number → size of the body
        self._bytes = 0
        self._ended = False
        self._wrong = ''

    async def run(self) -> None:
        """Serve until the client has ended its side and all is answered."""
        self._connection.connected(self)
        reading = asyncio.get_running_loop().create_task(self._read())
        reading.add_done_callback(lambda _: self.end())
        try:
            await self._write()
        finally:
            reading.cancel()
        if self._wrong:
            await self._messages.refuse(self._wrong)

    def end(self) -> None:
        """Take no more requests; the stream ends when those that there are have their answers."""
        self._ended = True
        self._news.set()

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        self._connection.lost('the stream ended')

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        """Send one frame, with others; never blocks."""
        self._outbox.add(kind, stream, head, body)
        self._bytes -= self._unanswered.pop(stream, 0)
        self._news.set()

    async def drained(self) -> None:
        """Wait until all that was sent has been handed over."""
        while self._outbox.size:
            self._written.clear()
            await self._written.wait()

    def close(self) -> None:
        """Take no more requests."""
        self.end()

    async def _read(self) -> None:
        try:
            await self._read_all()
        except WireError as error:
            self._wrong = str(error)
            self.cancel()
        except Exception as error:
            _log.debug('a stream broke: %s', error)

    async def _read_all(self) -> None:
        while (message := await self._messages.read()) is not None:
            if isinstance(message, str):
                raise WireError('a text instead of frames')
            for frame in self._inbox.received(message):
                self._received(frame)
            if self._outbox.size > WINDOW_BYTES:  # it sends and does not read
                await self.drained()

    def _received(self, frame: Frame) -> None:
        kind, stream, _, body = frame
        if kind == Kind.REQUEST:
            if self._bytes and self._bytes + len(body) > WINDOW_BYTES:
                raise WireError(f'more than {WINDOW_BYTES:,} bytes without an answer')
            self._unanswered[stream] = len(body)
            self._bytes += len(body)
        self._connection.received(frame)

    def _requested(self, call: ServerCall) -> None:
        parts, size = call.head.parts, len(call.body)
        if sum(part.size for part in parts) != size or any(part.size < 0 for part in parts):
            raise WireError(f'a head that tells of other parts than the {size:,} bytes of its body')
        call.head.timeout = soonest(call.head.timeout, self._messages.time_left())
        submit(self._engine, call)

    async def _write(self) -> None:
        while not (self._ended and not self._connection.in_flight and not self._outbox.size):
            await self._news.wait()
            self._news.clear()
            while message := self._outbox.take():
                await self._messages.write(message)
            self._written.set()
