"""One request, worked on by one Executor."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from jina.excepts import BadDocument, stack_of, text_of
from jina.executors import Handler
from jina.types.document import Document
from jina.types.request import ExceptionInfo, Route, Status, StatusCode
from jina.wire.connection import ServerCall
from jina.wire.frames import LARGE
from jina.wire.head import NOT_BOUND, Body, Head, body_size
from jina.worker.payload import Payload

if TYPE_CHECKING:
    from jina.worker import Worker


LONGEST_TEXT = 10_000


class Work:
    """A job for the Executor's thread, or, for an ``async def``, a task on the loop.

    :ivar holds: one, after a large answer. Its arrays are sent from where the Executor has them, without a copy, so its
        next call may begin only when they have left.
    """

    __slots__ = ('_answer', '_body', '_finished', '_handler', '_start', '_worker', 'call', 'holds')

    more: Sequence['Work'] = ()

    def __init__(
        self, worker: 'Worker', call: ServerCall, handler: Handler | None, finished: 'Callable[[Work], None]'
    ) -> None:
        self._worker = worker
        self._handler = handler
        self._finished = finished
        self._start = time.time()
        self._answer: Head | None = None
        self._body: Body = []
        self.call = call
        self.holds: Sequence[threading.Event] = ()

    @property
    def is_async(self) -> bool:
        """Whether it is a task on the loop."""
        return self._handler is not None and self._handler.is_async

    def run(self) -> None:
        """Decode, call, encode."""
        if self.is_over():
            return
        try:
            payload = Payload(self.call.head, self.call.body)
            if self._handler is not None:
                payload.replace(self._handler(payload.arguments()))
            self._succeed(payload)
        except BaseException as error:  # SystemExit, too, must neither end the worker nor leave the request open
            self.fail(error)
        self.hold_if_large()

    async def run_async(self) -> None:
        """The same for an ``async def``."""
        if not self.is_over():
            await self._call_async()
        self.copy_if_large()
        self.finish()

    async def _call_async(self) -> None:
        try:
            payload = Payload(self.call.head, self.call.body)
            assert self._handler is not None
            payload.replace(await self._handler(payload.arguments()))
            self._succeed(payload)
        except BaseException as error:
            self.fail(error)

    def is_over(self) -> bool:
        """Whether it is too late to begin; then that is the answer."""
        timeout = self.call.head.timeout
        late = timeout is not None and time.time() > self._start + timeout
        if not late and not self.call.cancelled:
            return False
        told = 'its deadline has passed' if late else 'nobody waits for it any more'
        self._answer_with(Status(StatusCode.ERROR, f'{self._worker.who} did not begin: {told}', timed_out=late))
        return True

    def open(self, copy: bool) -> Payload | None:
        """What the request brings, decoded; ``None`` if it cannot be read: then that is the answer.

        :param copy: decode from a copy, so that the body stays as it is.
        """
        try:
            payload = Payload(self.call.head, bytearray(self.call.body) if copy else self.call.body)
            payload.open()
            for side in (payload.docs, payload.groundtruths):
                len(side or ())
        except BaseException as error:
            self.fail(error)
            return None
        return payload

    def succeed_with(self, payload: Payload, docs: list[Document]) -> None:
        """Answer with those documents in place of what the request brought, or with why they cannot be sent."""
        try:
            payload.replace(docs)
            self._succeed(payload)
        except BaseException as error:
            self.fail(error)

    def hold_if_large(self) -> None:
        """Let the Executor's thread wait until a large answer has left."""
        if body_size(self._body) >= LARGE:
            self.holds = (threading.Event(),)

    def copy_if_large(self) -> None:
        """Make a large answer independent of the Executor, whose other calls may change what it would be sent from."""
        if body_size(self._body) >= LARGE:
            self._body = [b''.join(self._body)]

    def finish(self) -> None:
        """Send the answer; in the thread that has the loop."""
        assert self._answer is not None
        self.call.answer(self._answer, self._body)
        self._finished(self)

    def _succeed(self, payload: Payload) -> None:
        parts, flags, self._body = payload.encode()
        if self._handler is None:
            flags |= NOT_BOUND
        self._answer = Head(self.call.head.request_id, '', parts, flags=flags, routes=[self._route()])

    def _answer_with(self, status: Status) -> None:
        self._body = []
        self._answer = Head(self.call.head.request_id, '', status=status, routes=[self._route()])

    def warn(self, text: str) -> None:
        """Log something about this request."""
        self._worker.say(logging.WARNING, f'{self._worker.who}, {self.call.head.endpoint!r}: {text}')

    def _route(self) -> Route:
        return Route(self._worker.name, self._worker.identity, self._start, time.time())

    def fail(self, error: BaseException) -> None:
        """Answer with what was raised."""
        text = _shortened(text_of(error))
        told = f'{self._worker.who} failed on {self.call.head.endpoint!r}: {type(error).__name__}: {text}'
        stacks = [_shortened(line) for line in stack_of(error)]
        bad_input = isinstance(error, BadDocument)
        brief = bad_input or self._worker.is_brief
        self._worker.say(logging.ERROR, told if brief else f'{told}\n{"".join(stacks).rstrip()}')
        arguments = tuple(_shortened(str(text_of(Exception(a)))) for a in error.args)
        info = ExceptionInfo(type(error).__name__, arguments, tuple(stacks), self._worker.executor_class)
        self._answer_with(Status(StatusCode.ERROR, told, info, client_error=bad_input))


def _shortened(text: str) -> str:
    """The text, sendable, and cut where it is longer than anybody will read."""
    text = text.encode(errors='backslashreplace').decode()
    return text if len(text) <= LONGEST_TEXT else f'{text[:LONGEST_TEXT]} … ({len(text):,} characters)'
