"""One call of ``post``: requests out as the server admits them, responses in as they come."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

import msgspec
import numpy as np

from jina.clients.link import Link
from jina.clients.request import Batch, async_batches, batches, called, is_async
from jina.excepts import BadClientInput, BadOption, ServerUnreachable
from jina.types.arrays.document import wrapped
from jina.types.document import Document
from jina.types.document.identity import random_identity
from jina.types.request import Header, Response, Sides, Status, StatusCode
from jina.wire.codecs import codec
from jina.wire.connection import Reply
from jina.wire.frames import LARGE, Buffer
from jina.wire.head import NO_PARAMETERS, Body, Head, Part, body_size, split_body

AHEAD = 64  # responses that a stream keeps for a reader who is slow
BURST = 32  # requests sent before answers are looked at
GRACE_SECONDS = 0.1  # after a deadline, for the server's own word that it has passed: it knows where the request was

_AS_THEY_ARE = (bytes, bytearray, memoryview, datetime)

_decode_parameters = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Call(msgspec.Struct, frozen=True):
    """What ``post`` was asked to do."""

    on: str
    inputs: Any
    on_done: Callable[[Response], Any] | None
    on_error: Callable[[Response], Any] | None
    on_always: Callable[[Response], Any] | None
    parameters: Mapping[str, Any]
    target_peapod: str
    request_size: int
    show_progress: bool
    continue_on_error: bool
    return_results: bool
    timeout: float | None = None


class Exchange:
    """Runs a call over a link that is its own for that time.

    :param received: called with the position of a request, its response and the number of Documents it was sent with,
        in the order of arrival. What it raises ends the exchange.
    :param is_behind: whether the one who takes the responses has so many of them left that no more should be asked for.
    :param sent: called with the number of Documents of each request that leaves.
    """

    def __init__(
        self,
        link: Link,
        call: Call,
        received: Callable[[int, Response, int], None],
        is_behind: Callable[[], bool] = lambda: False,
        sent: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._link = link
        self._is_behind = is_behind
        self._call = call
        self._received = received
        self._tell_sent = sent
        self._codec = codec(link.encoding)
        self._head = _template(call, link.encoding)
        self._open: dict[int, int] = {}  # position → number on the link
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._error: BaseException | None = None
        self._waiters: list[asyncio.Future[None]] = []
        self._sent = 0

    async def run(self) -> None:
        """Send everything and wait for every answer.

        :raises BadClientInput: if ``inputs`` cannot be sent; what was sent before is answered first.
        :raises ServerUnreachable: if the connection is lost.
        """
        self._link.on_change = self.changed
        try:
            await self._send_and_receive()
        finally:
            self._forget_open()
        if self._error is not None:
            raise self._error

    async def _send_and_receive(self) -> None:
        try:
            await self._send_all()
        except BadClientInput:
            await self._until(lambda: not self._open)
            raise
        await self._until(lambda: not self._open)

    async def _send_all(self) -> None:
        inputs = called(self._call.inputs)
        if is_async(inputs):
            await self._send_async(inputs)
            return
        for batch in batches(inputs, self._call.request_size):
            await self._send(batch)
            if self._error is not None:
                return

    async def _send_async(self, inputs: AsyncIterable[Any]) -> None:
        """In a task of its own, so that an error ends it even while the inputs keep it waiting."""

        async def send() -> None:
            async for batch in async_batches(inputs, self._call.request_size):
                await self._send(batch)

        sending = asyncio.get_running_loop().create_task(send())
        sending.add_done_callback(lambda _: self.changed())
        try:
            await self._until(sending.done)
            if sending.done():
                await sending
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def _send(self, batch: Batch) -> None:
        docs, groundtruths = batch
        body = self._encoded(docs, groundtruths)
        size = body_size(body)
        if self._sent % BURST == BURST - 1:
            await asyncio.sleep(0)
        admitted = (self._link.admits(size) and not self._is_behind()) or await self._wait_for_room(size)
        if self._error is not None:
            return
        if self._link.closed:
            self._fail(self._lost())
            return
        if not admitted:
            self._end_unsent(len(docs))
            return
        self._request(Part(self._link.encoding, size, len(docs), len(groundtruths)), body)
        if size >= LARGE:
            with contextlib.suppress(TimeoutError):  # by then it has its outcome
                async with asyncio.timeout(self._call.timeout):
                    await self._link.drained()

    async def _wait_for_room(self, size: int) -> bool:
        """Wait until the next request may be sent.

        :return: ``False`` if the server did not admit it before its deadline.
        """
        await self._until(lambda: not self._is_behind() or self._link.closed)
        try:
            async with asyncio.timeout(self._call.timeout):
                await self._until(lambda: self._link.admits(size) or self._link.closed)
        except TimeoutError:
            return False
        return True

    def _encoded(self, docs: list[Document], groundtruths: list[Document]) -> Body:
        if not docs and not groundtruths:
            return []
        try:
            return self._codec.encode(docs, groundtruths or None)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise BadClientInput(f'a Document among {len(docs)} of one request cannot be sent: {error}') from error

    def _request(self, part: Part, body: list[Buffer]) -> None:
        position = self._sent
        self._sent += 1
        head = msgspec.structs.replace(self._head, request_id=random_identity(), parts=(part,) if body else ())
        reply = partial(self._answered, position, part.count)
        self._open[position] = -1
        if self._call.timeout is not None:
            self._limit(position, reply)
        self._tell_sent(part.count)
        try:
            number = self._link.request(head, body, reply)
        except BaseException:
            del self._open[position]
            raise
        if position in self._open:
            self._open[position] = number

    def _end_unsent(self, count: int) -> None:
        """The outcome of a request that the server never admitted."""
        position, self._sent = self._sent, self._sent + 1
        self._open[position] = -1
        self._tell_sent(count)
        told = f'the deadline of {self._call.timeout:g} s passed before the server took it: it has too many to answer'
        status = Status(StatusCode.ERROR, told, timed_out=True)
        self._answered(position, count, Head(random_identity(), '', status=status), b'')

    def _limit(self, position: int, reply: Reply) -> None:
        """See to it that a request has its outcome in time, even if the server says nothing."""
        timeout = self._call.timeout or 0.0

        def expire() -> None:
            self._link.cancel(self._open[position])
            told = f'the deadline of {timeout:g} s passed without an answer'
            reply(Head('', '', status=Status(StatusCode.ERROR, told, timed_out=True)), b'')
            self.changed()  # the link may have nothing to tell

        self._timers[position] = asyncio.get_running_loop().call_later(timeout + GRACE_SECONDS, expire)

    def _answered(self, position: int, count: int, answer: Head, body: Buffer) -> None:
        del self._open[position]
        if timer := self._timers.pop(position, None):
            timer.cancel()
        if self._error is not None:
            return
        if self._link.closed:
            self._fail(self._lost(answer.status.description if answer.status else ''))
            return
        try:
            self._received(position, _response(self._call, answer, body), count)
        except BaseException as error:  # a callback may raise KeyboardInterrupt too
            self._fail(error)

    def _lost(self, why: str = '') -> ServerUnreachable:
        told = f'the connection to the server was lost{": " if why else ""}{why}'
        return ServerUnreachable(f'{told}; requests without an answer: {len(self._open) + 1}')

    def _fail(self, error: BaseException) -> None:
        self._error = self._error or error
        self.changed()

    def _forget_open(self) -> None:
        self._link.on_change = lambda: None
        for timer in self._timers.values():
            timer.cancel()
        if not self._link.closed:
            for number in self._open.values():
                self._link.cancel(number)

    async def _until(self, condition: Callable[[], bool]) -> None:
        while self._error is None and not condition():
            waiter = asyncio.get_running_loop().create_future()
            self._waiters.append(waiter)
            await waiter

    def changed(self) -> None:
        """What the link admits, or what ``is_behind`` says, may have changed."""
        if not self._waiters:
            return
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)


def _template(call: Call, encoding: str) -> Head:
    """The head that all requests of a call share."""
    return Head('', call.on, (), encoding, _packed(call.parameters), call.target_peapod, timeout=call.timeout)


def _packed(parameters: Mapping[str, Any]) -> msgspec.Raw:
    if not parameters:
        return NO_PARAMETERS
    try:
        plain = msgspec.to_builtins(dict(parameters), str_keys=True, builtin_types=_AS_THEY_ARE, enc_hook=_plain)
        return msgspec.Raw(msgspec.msgpack.encode(plain))
    except (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError) as error:
        raise BadOption(f'parameters={parameters!r} cannot be sent: {error}') from error


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f'it holds a {type(value).__name__}; it takes numbers, strings, booleans, None, lists and dicts')


def _response(call: Call, answer: Head, body: Buffer) -> Response:
    parameters = {} if answer.parameters == NO_PARAMETERS else _decode_parameters(answer.parameters)
    return Response(
        answer.request_id,
        Header(call.on, call.target_peapod),
        parameters,
        partial(_sides, answer, body),
        answer.routes,
        answer.status or Status(),
    )


def _sides(answer: Head, body: Buffer) -> Sides:
    if len(answer.parts) == 1:
        docs, groundtruths = codec(answer.parts[0].encoding).decode(body)
    else:
        decoded = [codec(part.encoding).decode(piece) for part, piece in split_body(answer, body)]
        docs = [doc for part, _ in decoded for doc in part]
        groundtruths = [doc for _, part in decoded for doc in part]
    return wrapped(docs), wrapped(groundtruths)


async def stream(
    link: Link, call: Call, received: Callable[[Response, int], None], sent: Callable[[int], None] = lambda count: None
) -> AsyncIterator[Response]:
    """The responses of a call, in the order of its requests."""
    early: dict[int, Response] = {}
    arrived = asyncio.Event()

    def take(position: int, response: Response, count: int) -> None:
        received(response, count)
        early[position] = response
        arrived.set()

    exchange = Exchange(link, call, take, lambda: len(early) >= AHEAD, sent)
    running = asyncio.get_running_loop().create_task(exchange.run())
    running.add_done_callback(lambda _: arrived.set())
    try:
        for position in itertools.count():
            while position not in early and not running.done():
                arrived.clear()
                await arrived.wait()
            if position not in early:
                break
            response = early.pop(position)
            exchange.changed()
            yield response
        await running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
