"""The thread of an Executor."""

import asyncio
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from jina.transport.lending import LoopHost

SHORT_SECONDS = 0.002  # a job that takes no longer may keep the loop waiting
TURN_SECONDS = 0.0005  # so long jobs are done before the loop has its turn, at least one


class Job(Protocol):
    """What a :class:`UserThread` does.

    :ivar holds: what the thread waits for after the job, before it takes the next one.
    :ivar more: what it does then, before anything that was submitted.
    """

    @property
    def holds(self) -> Sequence[threading.Event]: ...

    @property
    def more(self) -> 'Sequence[Job]': ...

    def run(self) -> None:
        """The work, in the thread. Must not raise."""

    def finish(self) -> None:
        """What is to be done afterwards, in the thread that has the loop. Must not raise."""


class UserThread:
    """Runs jobs one after another in one thread, always the same.

    Jobs go to the thread, and come back from it, in batches: one wake-up for many. While they are short, the thread
    runs the loop itself, and there is nobody to wake up.

    :param host: lends the loop; ``None``: it is never lent.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str, host: LoopHost | None = None) -> None:
        self._loop = loop
        self._host = host
        self._submitted: list[Job] = []
        self._jobs: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._todo: deque[Job] = deque()
        self._done: deque[Job] = deque()
        self._waking = False
        self._is_short = False
        self._ended = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, job: Job) -> None:
        """Do a job after those that were submitted before; to be called on the loop."""
        if not self._submitted:
            self._loop.call_soon(self._hand_over)
        self._submitted.append(job)

    def call(self, function: Callable[[], Any]) -> 'asyncio.Future[Any]':
        """Run a function; what it returns or raises is the future's."""
        call = _Call(function, self._loop.create_future())
        self.submit(call)
        return call.future

    def wake(self) -> None:
        """There are jobs, or what the thread waited for has happened; to be called on the loop."""
        if self._host is not None and self._host.is_lent:
            self._loop.stop()

    def stop(self) -> None:
        """End the thread after the jobs it has; to be called on the loop."""
        if self._host is not None:
            self._host.refuse()
        self._hand_over()
        self._jobs.put(None)

    def _hand_over(self) -> None:
        jobs, self._submitted = self._submitted, []
        self._jobs.put(jobs)
        self.wake()

    def _take(self, jobs: list[Job] | None) -> None:
        if jobs is None:
            self._ended = True
        else:
            self._todo.extend(jobs)

    def _work(self) -> None:
        while not self._ended:
            if not self._todo:
                self._take(self._jobs.get())
            while self._todo:
                if not self._do(self._todo.popleft()):
                    return
            if self._is_short and self._host is not None and self._host.borrow():
                self._drive(self._host)

    def _do(self, job: Job) -> bool:
        """Do one job while the host runs the loop. Return whether anybody waits for results."""
        start = time.monotonic()
        job.run()
        self._is_short = time.monotonic() - start < SHORT_SECONDS
        return self._give(job)

    def _give(self, job: Job) -> bool:
        """Let the host finish a job that is done, and wait as long as that takes."""
        self._done.append(job)
        if not self._waking:
            self._waking = True
            try:
                self._loop.call_soon_threadsafe(self._deliver)
            except RuntimeError:  # the loop is closed
                return False
        for hold in job.holds:
            hold.wait()
        self._todo.extendleft(reversed(job.more))
        return True

    def _deliver(self) -> None:
        self._waking = False  # first: what is done from now on wakes the loop again
        while self._done:
            self._done.popleft().finish()

    def _drive(self, host: LoopHost) -> None:
        """Run the loop, and do the jobs that it brings, until one is not short, or the end."""
        try:
            while not host.is_over and self._next(host):
                self._loop.run_forever()
        finally:
            host.give_back()

    def _next(self, host: LoopHost) -> bool:
        """Do what there is to do. Return whether this thread is to run the loop then."""
        while not self._jobs.empty():
            self._take(self._jobs.get())
        if not self._turn(host):
            return False
        if self._todo or not self._jobs.empty():  # more may have come while a large answer was leaving
            self._loop.call_soon(self._loop.stop)  # it sends, reads, and comes back
            return True
        return not self._ended

    def _turn(self, host: LoopHost) -> bool:
        """Do jobs until it is the loop's turn. Return whether this thread still has the loop."""
        until = time.monotonic() + TURN_SECONDS
        while self._todo and time.monotonic() < until:
            job = self._todo.popleft()
            host.begin()
            job.run()
            if not host.end():
                self._is_short = False
                self._ended = not self._give(job)
                return False
            job.finish()
            for hold in job.holds:
                while not (hold.is_set() or host.is_over):
                    self._loop.run_forever()
            self._todo.extendleft(reversed(job.more))
        return True


class _Call:
    """A job that settles a future."""

    holds: Sequence[threading.Event] = ()
    more: Sequence[Job] = ()

    def __init__(self, function: Callable[[], Any], future: 'asyncio.Future[Any]') -> None:
        self._function = function
        self._error: BaseException | None = None
        self._result: Any = None
        self.future = future

    def run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error

    def finish(self) -> None:
        if self.future.cancelled():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)
