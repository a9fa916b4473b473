"""Requests that share one call of an Executor's method, and get each its own documents back."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, TypeAlias

from jina.executors import Handler
from jina.spec import BatchingSpec
from jina.types.arrays.document import DocumentArray
from jina.wire.head import Head
from jina.worker.payload import Payload, as_documents
from jina.worker.split import split
from jina.worker.work import Work

AnyJob: TypeAlias = 'Work | Batch'


def may_share(head: Head) -> bool:
    """Whether a request may share a call: it is no join of branches, and it may have documents."""
    return len(head.parts) == 1 and head.parts[0].count != 0


class Batcher:
    """Gathers the requests to one endpoint that may share a call: those with the same parameters.

    All of it is for the loop.

    :param handler: what works on the endpoint.
    :param submit: does a job, in the Executor's thread or as a task.
    """

    def __init__(self, handler: Handler, batching: BatchingSpec, submit: Callable[[AnyJob], None]) -> None:
        self.handler = handler
        self.limit = batching.batch
        self.submit = submit
        self._wait = batching.wait / 1000
        self._open: dict[bytes, Batch] = {}

    def add(self, work: Work) -> None:
        """Let a request share the next call, or the one after it where that is full."""
        key = bytes(work.call.head.parameters)
        batch = self._open.get(key)
        if batch is None or not batch.add(work):
            if batch is not None:
                batch.go()
            batch = self._open[key] = Batch(self, [work], key)
            batch.wait(self._wait)
        if batch.is_full or not _has_time(work, batch.seconds_left()):
            batch.go()

    def flush(self) -> None:
        """Nobody waits for others any longer."""
        for batch in self._open.values():
            batch.go()

    def forget(self, batch: 'Batch') -> None:
        """A batch has been worked on."""
        if self._open.get(batch.key) is batch:
            del self._open[batch.key]


def _has_time(work: Work, seconds: float) -> bool:
    """Whether the deadline of a request admits that it waits that long."""
    timeout = work.call.head.timeout
    return timeout is None or timeout > seconds


class Batch:
    """A job: one call for several requests. Others may join them until it begins or is full.

    When the call raises, each request is tried again alone, from its body, so that only its own documents can fail it.

    :ivar key: the parameters of all its requests.
    :ivar holds: as of a :class:`~jina.worker.work.Work`.
    :ivar more: what is to be done right after it.
    """

    def __init__(self, batcher: Batcher, works: Sequence[Work], key: bytes) -> None:
        self._batcher = batcher
        self._works = list(works)
        self._count = sum(map(_count, works))
        self._lock = threading.Lock()
        self._has_begun = False
        self._timer: asyncio.TimerHandle | None = None
        self._is_gone = False
        self._answered: list[Work] = []
        self._calling: list[tuple[Work, Payload]] = []
        self._docs = DocumentArray()
        self.key = key
        self.holds: Sequence[threading.Event] = ()
        self.more: list[AnyJob] = []

    @property
    def is_async(self) -> bool:
        """Whether it is a task on the loop."""
        return self._batcher.handler.is_async

    @property
    def is_full(self) -> bool:
        """Whether it has as many documents as a call may have."""
        return self._count >= self._batcher.limit

    def add(self, work: Work) -> bool:
        """Take in one more request. Return ``False`` if it is too late, or its documents would be too many."""
        with self._lock:
            if self._has_begun or self._count + _count(work) > self._batcher.limit:
                return False
            self._works.append(work)
            self._count += _count(work)
            return True

    def wait(self, seconds: float) -> None:
        """Wait for others, so long at most."""
        if seconds:
            self._timer = asyncio.get_running_loop().call_later(seconds, self.go)
        else:
            self.go()

    def seconds_left(self) -> float:
        """For how long it still waits."""
        return 0.0 if self._timer is None else self._timer.when() - asyncio.get_running_loop().time()

    def go(self) -> None:
        """Wait no longer; until its turn comes others may join all the same."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._is_gone:
            self._is_gone = True
            self._batcher.submit(self)

    def run(self) -> None:
        """Decode, call once, encode; in the Executor's thread."""
        self._begin()
        if self._calling:
            try:
                result = self._batcher.handler(self._arguments())
            except BaseException as error:
                self._failed(error)
            else:
                self._returned(result)
        for work in self._answered:
            work.hold_if_large()
        self.holds = [hold for work in self._answered for hold in work.holds]

    async def run_async(self) -> None:
        """The same for an ``async def``."""
        self._begin()
        if self._calling:
            try:
                result = await self._batcher.handler(self._arguments())
            except BaseException as error:
                self._failed(error)
            else:
                self._returned(result)
        for work in self._answered:
            work.copy_if_large()
        self.finish()
        for job in self.more:
            self._batcher.submit(job)

    def finish(self) -> None:
        """Send the answers; on the loop."""
        self._batcher.forget(self)
        for work in self._answered:
            work.finish()

    def _begin(self) -> None:
        """Find who takes part in the call, and answer or put off the others."""
        with self._lock:
            self._has_begun = True
        several = len(self._works) > 1
        for n, work in enumerate(self._works):
            # Arrays are views of the body. A call that fails may have changed them: it gets a copy where it is shared.
            payload = None if work.is_over() else work.open(copy=several)
            if payload is None:
                self._answered.append(work)
            elif _is_apart(payload):
                self.more.append(work)
            elif self._fits(payload):
                self._calling.append((work, payload))
                self._docs.extend(payload.docs or ())
            else:
                self.more.append(Batch(self._batcher, self._works[n:], self.key))
                break

    def _fits(self, payload: Payload) -> bool:
        """Whether a request may join those of this call. Where the head does not tell, it is known only now."""
        if not self._calling:
            return True
        if (payload.groundtruths is None) != (self._calling[0][1].groundtruths is None):
            return False
        return len(self._docs) + len(payload.docs or ()) <= self._batcher.limit

    def _arguments(self) -> dict[str, Any]:
        payloads = [payload for _, payload in self._calling]
        arguments = payloads[0].arguments() | {'docs': self._docs}
        if payloads[0].groundtruths is not None:
            arguments['groundtruths'] = DocumentArray(chain.from_iterable(p.groundtruths or () for p in payloads))
        return arguments

    def _returned(self, result: Any) -> None:
        """Give each request its own of the documents that the method left or returned."""
        try:
            left = self._docs if result is None else as_documents(result)
            shares = split([list(p.docs or ()) for _, p in self._calling], list(left))
        except BaseException as error:
            for work, _ in self._calling:
                work.fail(error)
        else:
            for (work, payload), docs in zip(self._calling, shares, strict=True):
                work.succeed_with(payload, docs)
        self._answered += [work for work, _ in self._calling]

    def _failed(self, error: BaseException) -> None:
        """Try each request again alone; one that was alone has failed."""
        works = [work for work, _ in self._calling]
        if len(works) == 1:
            works[0].fail(error)
            self._answered += works
            return
        works[0].warn(f'{type(error).__name__} in a call for {len(works)} requests: each is tried again alone')
        self.more[:0] = [Batch(self._batcher, [work], self.key) for work in works]


def _count(work: Work) -> int:
    """How many documents a request has, as far as its head tells."""
    return max(1, work.call.head.parts[0].count)


def _is_apart(payload: Payload) -> bool:
    """Whether a request cannot share a call: without documents, or with groundtruths that do not stand beside them."""
    docs, groundtruths = payload.docs, payload.groundtruths
    return docs is None or (groundtruths is not None and len(groundtruths) != len(docs))
