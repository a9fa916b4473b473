"""How long something takes."""

import time

from jina.logging.logger import JinaLogger


class TimeContext:
    """Measures the time between the beginning and the end of a ``with`` block, in seconds, and logs it.

    >>> with TimeContext('encoding') as timer:
    ...     encode()
    >>> timer.duration

    :param task_name: what is measured; empty: nothing is told.
    :param logger: where it is logged; ``None``: printed.
    """

    def __init__(self, task_name: str = '', logger: JinaLogger | None = None) -> None:
        self.task_name = task_name
        self.duration = 0.0
        self._logger = logger
        self._start = 0.0

    def __enter__(self) -> 'TimeContext':
        self._start = time.perf_counter()
        return self

    def __exit__(self, *exc: object) -> None:
        self.duration = self.now()
        if not self.task_name:
            return
        told = f'{self.task_name} takes {self.duration:.2f} seconds'
        if self._logger is None:
            print(told)
        else:
            self._logger.info(told)

    def now(self) -> float:
        """Seconds since the block began."""
        return time.perf_counter() - self._start
