"""Links for blocking callers, each with an event loop of its own that runs in the caller's thread.

So a blocking call costs no hand-over to another thread, and calls from several threads do not wait for each other.
"""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from jina.clients.link import Link, OpenLink, open_within

T = TypeVar('T')

MOST_FREE = 8  # kept for the next call; each has open files


class Session:
    """A loop and a link that lives on it."""

    def __init__(self) -> None:
        # Not uvloop: this loop runs in the program's own thread, where uvloop swallows what the program's signal
        # handlers raise. It is no slower here.
        self.loop = asyncio.new_event_loop()
        self.link: Link | None = None

    def run(self, open_link: OpenLink, use: Callable[[Link], Awaitable[T]]) -> T:
        """Run ``use`` to its end, in this thread."""
        result: T = self._complete(self._use(open_link, use))
        return result

    async def _use(self, open_link: OpenLink, use: Callable[[Link], Awaitable[T]]) -> T:
        if self.link is not None:
            await self._catch_up()
        if self.link is None or self.link.closed:
            self.link = await open_link()
        return await use(self.link)

    async def _catch_up(self) -> None:
        """Learn what became of the link while the loop did not run: its end takes two turns to be known."""
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def close(self) -> None:
        """Close the link and the loop."""
        if self.link is not None:
            self._complete(self._close_link(self.link))
        self.loop.close()

    async def _close_link(self, link: Link) -> None:
        await link.close()
        await asyncio.sleep(0)  # for what closing has scheduled

    def _complete(self, coroutine: Any) -> Any:
        task = self.loop.create_task(coroutine)
        try:
            return self.loop.run_until_complete(task)
        except BaseException:  # KeyboardInterrupt leaves the task half-way
            if not task.done():
                task.cancel()
                self.loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
            elif not task.cancelled():
                task.exception()  # it is raised from here: asyncio need not log it as one that nobody saw
            raise


class Sessions:
    """Those sessions that are not in use now."""

    def __init__(self, open_link: OpenLink) -> None:
        self._open_link = open_link
        self._free: list[Session] = []
        self._closings = 0
        self._pid = os.getpid()

    def run(self, use: Callable[[Link], Awaitable[T]], timeout: float | None = None) -> T:
        """Run ``use`` over a free link, in this thread; in another one if this runs an event loop already.

        :param timeout: seconds that it may take to open a link.
        """
        if _in_running_loop():
            return _in_thread(lambda: self.run(use, timeout))
        closings = self._closings
        session = self._take()
        try:
            result = session.run(lambda: open_within(timeout, self._open_link), use)
        except BaseException:
            session.close()  # what is under way on it is nobody's any more
            raise
        if len(self._free) < MOST_FREE:
            self._free.append(session)
        else:
            session.close()
        if closings != self._closings:  # meanwhile another thread has closed those that were free
            self._close_free()
        return result

    def close(self) -> None:
        """Close all that are free."""
        if _in_running_loop():
            _in_thread(self.close)
            return
        self._closings += 1  # first: who gives a session back looks at it afterwards
        self._close_free()

    def _close_free(self) -> None:
        while session := self._pop():
            session.close()

    def _take(self) -> Session:
        if self._pid != os.getpid():  # after a fork the links belong to the parent
            self._free, self._pid = [], os.getpid()
        return self._pop() or Session()

    def _pop(self) -> Session | None:
        try:
            return self._free.pop()
        except IndexError:  # no need to ask beforehand: another thread may take the last one meanwhile
            return None


def _in_running_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _in_thread(function: Callable[[], T]) -> T:
    """Call a function in a thread of its own and wait for it."""
    outcome: list[Any] = []

    def call() -> None:
        try:
            outcome.extend((function(), None))
        except BaseException as error:
            outcome.extend((None, error))

    thread = threading.Thread(target=call, name='jina-post')
    thread.start()
    thread.join()
    result, error = outcome
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]
