"""The stream ``jina.JinaRPC/Call``, for clients of any make.

It has a reader and a writer. The reader stops while as much as the window allows is without an answer, so that no
client queues without bound. The writer sends answers as they come, in any order.
"""

import asyncio
import logging
import math
from functools import partial
from typing import Any

import grpc

from jina.excepts import WireError
from jina.gateway.engine import Engine, Walk
from jina.gateway.grpc.window import Window
from jina.proto.jina_pb2 import RawRequestProto
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import Head
from jina.wire.rpc import answer_to_proto, parse, request_from_proto

TIMEOUT = 'jina-timeout'  # key of the call's metadata: seconds that each of its requests may take

_log = logging.getLogger('jina.gateway')


class CallStream:
    """One client's requests. Messages arrive as bytes, so that one which is none spoils no other."""

    def __init__(self, engine: Engine, context: Any, window: int) -> None:
        self._engine = engine
        self._context = context
        self._window = Window(window)
        self._timeout: float | None = None
        self._answers: asyncio.Queue[tuple[RawRequestProto, int] | None] = asyncio.Queue()
        self._walks: dict[int, Walk] = {}
        self._unanswered: dict[int, int] = {}  # number → size
        self._ended = False

    async def run(self) -> None:
        """Serve until the client has ended its side and all is answered."""
        try:
            self._timeout = _timeout_of(self._context)
        except ValueError as error:
            await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
        reading = asyncio.get_running_loop().create_task(self._read())
        reading.add_done_callback(self._read_all)
        try:
            await self._write()
        finally:
            reading.cancel()

    def _read_all(self, reading: 'asyncio.Task[None]') -> None:
        if not reading.cancelled() and (error := reading.exception()):
            _log.debug('a stream broke: %s', error)
        self.end()

    def end(self) -> None:
        """Take no more requests; the stream ends when those that there are have their answers."""
        self._ended = True
        if not self._unanswered:
            self._answers.put_nowait(None)

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        walks, self._walks = self._walks, {}
        for walk in walks.values():
            walk.cancel()

    async def _read(self) -> None:
        number = 0
        while True:
            await self._window.room()
            message = await self._context.read()
            if message is grpc.aio.EOF:
                break
            self._unanswered[number] = len(message)
            await self._window.room(len(message))
            self._window.take(len(message))
            self._submit(number, message)
            number += 1

    def _submit(self, number: int, message: bytes) -> None:
        try:
            head, body = request_from_proto(parse(message))
        except WireError as error:
            self._refuse(number, str(error))
            return
        head.timeout = self._time_left()
        walk = self._engine.submit(head, body, partial(self._answered, number, head))
        if number in self._unanswered:
            self._walks[number] = walk

    def _time_left(self) -> float | None:
        """Seconds for a request that begins now: what the client said, and no more than its call has left."""
        left: float | None = self._context.time_remaining()
        if left is None or self._timeout is None:
            return self._timeout if left is None else left
        return min(left, self._timeout)

    def _refuse(self, number: int, why: str) -> None:
        """Answer what cannot be read, and so has no id."""
        head = Head('', '', status=Status(StatusCode.ERROR, why, client_error=True))
        self._answered(number, head, head, b'')

    def _answered(self, number: int, request: Head, answer: Head, body: Buffer) -> None:
        size = self._unanswered.pop(number)
        self._walks.pop(number, None)
        self._answers.put_nowait((answer_to_proto(request, answer, [body]), size))
        if self._ended:
            self.end()

    async def _write(self) -> None:
        while (answer := await self._answers.get()) is not None:
            message, size = answer
            await self._context.write(message)
            self._window.give(size)


def _timeout_of(context: Any) -> float | None:
    """What the metadata of the call say.

    :raises ValueError: if that is no number of seconds.
    """
    given = dict(context.invocation_metadata() or ()).get(TIMEOUT)
    if given is None:
        return None
    try:
        seconds = float(given)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ValueError(f'{TIMEOUT}: {given!r} in the metadata of the call: it takes a number of seconds above 0')
    return seconds
