"""The thread of an Executor."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol


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
        """What is to be done on the loop afterwards. Must not raise."""


class UserThread:
    """Runs jobs one after another in one thread, always the same.

    Jobs go to the thread, and come back from it, in batches: one wake-up for many.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        self._loop = loop
        self._submitted: list[Job] = []
        self._jobs: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._todo: deque[Job] = deque()
        self._done: deque[Job] = deque()
        self._waking = False
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, job: Job) -> None:
        """Do a job after those that were submitted before; to be called on the loop."""
        if not self._submitted:
            self._loop.call_soon(self._hand_over)
        self._submitted.append(job)

    def _hand_over(self) -> None:
        jobs, self._submitted = self._submitted, []
        self._jobs.put(jobs)

    def call(self, function: Callable[[], Any]) -> 'asyncio.Future[Any]':
        """Run a function; what it returns or raises is the future's."""
        call = _Call(function, self._loop.create_future())
        self.submit(call)
        return call.future

    def stop(self) -> None:
        """End the thread after the jobs it has."""
        self._hand_over()
        self._jobs.put(None)

    def _work(self) -> None:
        while (jobs := self._jobs.get()) is not None:
            self._todo.extend(jobs)
            del jobs  # so that the documents of a job that is done are not kept until the next one comes
            while self._todo:
                if not self._do(self._todo.popleft()):
                    return

    def _do(self, job: Job) -> bool:
        """Do one job. Return whether anybody waits for results."""
        job.run()
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
