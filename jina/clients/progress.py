"""The progress of ``post``: documents sent and received, documents a second, time left."""

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable

from jina.looks.live import Line, Live, live
from jina.looks.words import counted

WINDOW_SECONDS = 10.0  # what went on before does not count for the speed


class Progress:
    """Counts what goes out and comes back and, if that is wanted, shows it while a ``with`` block runs.

    :param total: Documents to come, where that is known.
    :param clock: seconds since some time.
    """

    def __init__(self, wanted: bool, total: int | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._wanted = wanted
        self._total = total
        self._clock = clock
        self._out = 0
        self._back = 0
        self._answers = 0
        self._live: Live | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        self._start = 0.0
        self._samples: deque[tuple[float, int]] = deque()

    def sent(self, count: int) -> None:
        """A request with so many Documents has left."""
        self._out += count

    def advance(self, count: int) -> None:
        """The answer to a request with so many Documents is there."""
        self._back += count
        self._answers += 1

    def __enter__(self) -> 'Progress':
        if self._wanted:
            self._start = self._clock()
            self._samples.append((self._start, 0))
            self._live = live()
            self._thread = threading.Thread(target=self._show, args=(self._live,), name='jina-progress', daemon=True)
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *exc: object) -> None:
        if self._live is not None and self._thread is not None:
            self._over.set()
            try:
                self._thread.join()
            finally:
                with contextlib.suppress(OSError, ValueError):  # a terminal or pipe that is gone must not end `post`
                    self._live.end(self.sum(finished=kind is None), good=kind is None)

    def _show(self, place: Live) -> None:
        with contextlib.suppress(OSError, ValueError):
            while not self._over.wait(place.seconds):
                place.show(self.line())

    # What is shown

    def line(self) -> Line:
        """Return how far it is."""
        back, total, speed = self._back, self._total, self._speed()
        parts = [self._of_total() if total else counted(back, 'document')]
        if self._out > back:
            parts.append(f'{self._out:,} sent')
        if speed:
            parts.append(_rate(speed))
        if speed and total and total > back:
            parts.append(f'{duration((total - back) / speed)} left')
        return Line(', '.join(parts), min(back / total, 1.0) if total else None)

    def _speed(self) -> float:
        """Documents a second of late; each call is a sample."""
        now = self._clock()
        self._samples.append((now, self._back))
        while len(self._samples) > 2 and self._samples[1][0] <= now - WINDOW_SECONDS:
            self._samples.popleft()
        before, count = self._samples[0]
        return (self._back - count) / (now - before) if now > before else 0.0

    def sum(self, finished: bool) -> str:
        """Return what is said at the end."""
        seconds = self._clock() - self._start
        if not self._out:
            return f'{counted(self._answers, "request")} in {duration(seconds)}'
        done = counted(self._back, 'document') if finished or not self._total else self._of_total()
        speed = self._back / max(seconds, 1e-6)
        return f'{done} in {duration(seconds)}' + (f', {_rate(speed)}' if speed else '')

    def _of_total(self) -> str:
        return f'{self._back:,} of {counted(self._total or 0, "document")}'


def _rate(speed: float) -> str:
    return f'{speed:,.0f} documents/s' if speed >= 9.95 else f'{speed:.1f} documents/s'


def duration(seconds: float) -> str:
    """Return ``2 ms``, ``0.31 s``, ``12 s``, ``3 min 05 s`` or ``2 h 07 min``."""
    if seconds < 0.0995:
        return f'{seconds * 1000:.0f} ms'
    if seconds < 9.95:
        return f'{seconds:.{1 if seconds >= 0.95 else 2}f} s'
    whole = round(seconds)
    if whole < 60:
        return f'{whole} s'
    if whole < 3600:
        return f'{whole // 60} min {whole % 60:02} s'
    return f'{whole // 3600} h {whole % 3600 // 60:02} min'
