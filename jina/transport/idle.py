"""Memory that is kept for the next large body is given back when none has come for a while."""

import threading
import time
from typing import Protocol
from weakref import WeakSet

IDLE_SECONDS = 5.0


class Keeper(Protocol):
    """What keeps memory for later."""

    def trim(self, used_since: float) -> bool:
        """Give back what was not used since that moment of ``time.monotonic``. From any thread.

        :return: whether anything is kept after it.
        """


class Idle:
    """Trims keepers, in a thread that lives while any of them keeps something.

    A thread, not a timer of the event loop: that of a blocking client runs only within its calls.

    :param seconds: for how long unused memory is kept; up to twice as long.
    """

    def __init__(self, seconds: float = IDLE_SECONDS) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._keepers: WeakSet[Keeper] = WeakSet()
        self._thread: threading.Thread | None = None

    def watch(self, keeper: Keeper) -> None:
        """``keeper`` keeps something from now on. Never blocks: when it cannot be noted now, the next call will."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._keepers.add(keeper)
            if self._thread is None or not self._thread.is_alive():  # after a fork there is one that is not alive
                thread = threading.Thread(target=self._run, name='idle-memory', daemon=True)
                thread.start()
                self._thread = thread
        except RuntimeError:  # the interpreter ends, and all memory with it
            pass
        finally:
            self._lock.release()

    def _run(self) -> None:
        while True:
            time.sleep(self._seconds)
            with self._lock:
                self._trim(time.monotonic() - self._seconds)
                if not self._keepers:
                    self._thread = None
                    return

    def _trim(self, used_since: float) -> None:
        for keeper in list(self._keepers):
            if not keeper.trim(used_since):
                self._keepers.discard(keeper)


IDLE = Idle()
