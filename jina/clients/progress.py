"""The progress bar of ``post``: documents done, documents a second, time left."""

from typing import Any


class Progress:
    """Shows how far a call is; does nothing if it is not wanted.

    :param total: Documents to come, where that is known.
    """

    def __init__(self, wanted: bool, total: int | None) -> None:
        self._bar: Any = _bar() if wanted else None
        self._total = total
        self._task: Any = None

    def __enter__(self) -> 'Progress':
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task('', total=self._total)
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def advance(self, count: int) -> None:
        """So many more Documents are done."""
        if self._bar is not None:
            self._bar.advance(self._task, count)


def _bar() -> Any:
    import rich.progress as shown
    from rich.console import Console

    class Speed(shown.ProgressColumn):
        """Documents a second."""

        def render(self, task: shown.Task) -> str:
            return f'{task.speed:,.0f} docs/s' if task.speed else ''

    return shown.Progress(
        shown.SpinnerColumn(),
        shown.BarColumn(),
        shown.TextColumn('{task.completed:,.0f} docs'),
        Speed(),
        shown.TimeRemainingColumn(),
        shown.TextColumn('left'),
        console=Console(stderr=True),
    )
