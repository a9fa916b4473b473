"""An event loop that one thread lends to another.

A thread that works on what arrives, and whose work is short, had best run the loop itself between two pieces of work:
no hand-over of each, no wait for the GIL. But its work may turn out to be long, and meanwhile the loop must go on. So
the *host*, the thread in which the loop began, looks at the *guest* every few milliseconds, and takes the loop back
from one that is busy with the same thing as before.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from jina.transport.loop import new_loop

T = TypeVar('T')

LOOK_SECONDS = 0.005
LOOKS_AT_NOTHING = 20  # then the host sleeps until the guest has something to do


class LoopHost:
    """Runs a loop in the thread that calls :meth:`run`, as long as no guest does.

    :meth:`borrow`, :meth:`begin`, :meth:`end` and :meth:`give_back` are the guest's.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner(loop_factory=new_loop)
        self._main: asyncio.Task[Any] | None = None
        self._asked: Future[bool] | None = None
        self._refuses = False
        self._lent = False
        self._works = False
        self._pieces = 0  # of work that the guest has begun
        self._sleeps = False
        self._news = threading.Event()
        self._lock = threading.Lock()

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Run the loop until ``main`` is done."""
        try:
            with self._runner:
                return self._run(main)
        finally:
            self.refuse()

    def _run(self, main: Coroutine[Any, Any, T]) -> T:
        loop = self._runner.get_loop()
        self._main = task = loop.create_task(main)
        task.add_done_callback(lambda _: loop.stop())
        while not task.done():
            loop.run_forever()
            if self._answer(True):
                self._stand_by()
        return task.result()

    def refuse(self) -> None:
        """Lend no more."""
        self._refuses = True
        self._answer(False)

    @property
    def is_lent(self) -> bool:
        """Whether the guest has the loop."""
        return self._lent

    @property
    def is_over(self) -> bool:
        """Whether nobody needs the loop any more."""
        return self._main is None or self._main.done()

    def borrow(self) -> bool:
        """Wait until the guest may run the loop.

        :return: ``False`` if it may not.
        """
        asked: Future[bool] = Future()
        with self._lock:
            if self._refuses:
                return False
            self._asked = asked
        try:
            loop = self._runner.get_loop()
            loop.call_soon_threadsafe(loop.stop)
        except RuntimeError:  # it is closed, and the answer will be no
            pass
        return asked.result()

    def begin(self) -> None:
        """The guest does not run the loop now, but works."""
        self._pieces += 1
        self._works = True
        if self._sleeps:
            self._news.set()

    def end(self) -> bool:
        """The guest has done a piece of work.

        :return: whether it has the loop; ``False`` if it took too long, and the host runs the loop again.
        """
        with self._lock:
            self._works = False
            return self._lent

    def give_back(self) -> None:
        """The guest wants the loop no longer."""
        self._lent = False
        self._news.set()

    def _answer(self, granted: bool) -> bool:
        """Tell a guest that waits whether it may have the loop. Return whether there is one and it may."""
        with self._lock:
            asked, self._asked = self._asked, None
            if asked is None:
                return False
            self._works, self._lent = False, granted
        asked.set_result(granted)
        return granted

    def _stand_by(self) -> None:
        """While the guest has the loop: look at it."""
        seen, times = self._pieces, 0
        while self._lent:
            self._wait(seen, times)
            if self._pieces != seen:
                seen, times = self._pieces, 0
            elif self._works:
                self._take_from(seen)
            else:
                times += 1

    def _wait(self, seen: int, times: int) -> None:
        """Until the next look."""
        self._sleeps = times >= LOOKS_AT_NOTHING
        self._news.wait(None if self._sleeps and self._pieces == seen else LOOK_SECONDS)
        self._sleeps = False
        self._news.clear()

    def _take_from(self, piece: int) -> None:
        """Take the loop, if the guest is still busy with this piece of work."""
        with self._lock:
            self._lent = not (self._works and self._pieces == piece)
