"""Requests one by one in messages of the public contract, for clients of any make.

A stream has a reader and a writer. The reader stops while as much as the window allows is without an answer, so that no
client queues without bound. The writer sends answers as they come, in any order.
"""

import asyncio
import logging
from functools import partial

from jina.gateway.deadline import soonest
from jina.gateway.engine import Engine, Walk
from jina.gateway.forms import Encode, Message, Unreadable, read
from jina.gateway.messages import Messages
from jina.gateway.window import Window
from jina.wire.frames import Buffer
from jina.wire.head import Head

_log = logging.getLogger('jina.gateway')


class CallStream:
    """One client's requests. A message that is none spoils no other."""

    def __init__(self, engine: Engine, messages: Messages, window: int) -> None:
        self._engine = engine
        self._messages = messages
        self._window = Window(window)
        self._normal = not engine.graph.needs
        self._answers: asyncio.Queue[tuple[Message, int] | None] = asyncio.Queue()
        self._walks: dict[int, Walk] = {}
        self._unanswered: dict[int, int] = {}  # number → size
        self._ended = False

    async def run(self) -> None:
        """Serve until the client has ended its side and all is answered."""
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
        self._unanswered.clear()
        self.end()

    async def _read(self) -> None:
        number = 0
        while True:
            await self._window.room()
            message = await self._messages.read()
            if message is None:
                break
            if self._ended:
                continue
            self._unanswered[number] = len(message)
            await self._window.room(len(message))
            self._window.take(len(message))
            self._submit(number, message)
            number += 1

    def _submit(self, number: int, message: Message) -> None:
        try:
            head, body, encode = read(message, self._normal)
        except Unreadable as unreadable:
            self._answer(number, unreadable.answer)
            return
        head.timeout = soonest(head.timeout, self._messages.time_left())
        walk = self._engine.submit(head, body, partial(self._answered, number, encode))
        if number in self._unanswered:
            self._walks[number] = walk

    def _answered(self, number: int, encode: Encode, head: Head, body: Buffer) -> None:
        self._walks.pop(number, None)
        if number in self._unanswered:
            self._answer(number, encode(head, body))

    def _answer(self, number: int, message: Message) -> None:
        self._answers.put_nowait((message, self._unanswered.pop(number)))
        if self._ended:
            self.end()

    async def _write(self) -> None:
        while (answer := await self._answers.get()) is not None:
            message, size = answer
            await self._messages.write(message)
            self._window.give(size)
