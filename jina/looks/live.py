"""One line of text that changes while something goes on, wherever the program runs.

In a terminal it is drawn in place, with a bar, and removed at the end; in a notebook it is one display that is
updated; anywhere else (a log file, a pipe, a dumb terminal) it is a plain line now and then. Everything but the
notebook's display goes to stderr: what a program prints stays clean.
"""

import os
import sys
import threading
from html import escape
from typing import Any, NamedTuple, Protocol, TextIO

from jina.looks.printed import can_show

DUMB = ('', 'dumb', 'unknown')  # what TERM says of a terminal that cannot go back in a line
BAR_WIDTH = 24
DONE, STOPPED = '✅', '❌'

_drawing = threading.Lock()  # held by the one that draws in the terminal: two at a time would overwrite each other


class Line(NamedTuple):
    """What is shown.

    :ivar done: how much of it is done, from 0 to 1; ``None`` if nobody knows.
    """

    text: str
    done: float | None = None


class Live(Protocol):
    """Where the line is shown.

    :ivar seconds: how long to wait between two lines.
    """

    seconds: float

    def show(self, line: Line) -> None:
        """Put a line in place of the last one."""

    def end(self, text: str, good: bool) -> None:
        """Leave this as the last line, and nothing else; ``good``: whether all went well."""


def live() -> Live:
    """Return what fits the place that the program runs in."""
    if _in_notebook():
        return Notebook()
    if _is_terminal(sys.stderr) and _drawing.acquire(blocking=False):
        try:
            return Terminal()
        except BaseException:
            _drawing.release()
            raise
    return Lines()


def _in_notebook() -> bool:
    # Where there is a notebook, IPython is loaded already; in a terminal it has no kernel.
    ipython: Any = sys.modules.get('IPython')
    return ipython is not None and hasattr(ipython.get_ipython(), 'kernel')


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty() and os.environ.get('TERM', '').lower() not in DUMB
    except (AttributeError, ValueError):  # replaced by something else, or closed
        return False


class Lines:
    """Plain lines, for logs and pipes: no control characters, and few."""

    seconds = 5.0

    def show(self, line: Line) -> None:
        """Write a line."""
        _write(line.text)

    def end(self, text: str, good: bool) -> None:
        """Write the last line."""
        _write(_signed(text, good))


def _signed(text: str, good: bool) -> str:
    # While somebody else draws in the terminal, stderr is a proxy, which does not know the encoding.
    if can_show(getattr(sys.stderr, 'rich_proxied_file', sys.stderr), DONE + STOPPED):
        return f'{DONE if good else STOPPED} {text}'
    return f'{"done" if good else "stopped"}: {text}'


def _write(text: str) -> None:
    if sys.stderr is not None:
        print(text, file=sys.stderr, flush=True)


class Terminal:
    """A line with a bar that is drawn anew in its place; what is printed meanwhile goes above it.

    Whoever makes one holds :data:`_drawing`, which :meth:`end` releases.
    """

    seconds = 0.12

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as RichLive

        self._line = Line('')
        self._live = RichLive(
            get_renderable=self._drawn,
            console=Console(stderr=True, force_terminal=True, force_jupyter=False, soft_wrap=True),
            auto_refresh=False,
            transient=True,
            redirect_stdout=_is_terminal(sys.stdout),  # what goes to a file must go on to go there
        )
        self._live.start()

    def _drawn(self) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        grid.add_column(width=BAR_WIDTH)
        grid.add_column(no_wrap=True, overflow='ellipsis')
        known = self._line.done is not None
        bar = ProgressBar(total=1.0, completed=self._line.done or 0.0, width=BAR_WIDTH, pulse=not known)
        grid.add_row(bar, Text(self._line.text, no_wrap=True, overflow='ellipsis'))
        return grid

    def show(self, line: Line) -> None:
        """Draw the line."""
        self._line = line
        self._live.refresh()

    def end(self, text: str, good: bool) -> None:
        """Remove the bar, give the terminal back as it was, and write the last line."""
        try:
            self._live.stop()
        finally:
            _drawing.release()
        _write(_signed(text, good))


class Notebook:
    """One output of the cell, which is updated."""

    seconds = 0.2

    def __init__(self) -> None:
        self._display: Any = None

    def show(self, line: Line) -> None:
        """Update the display; the first line makes it."""
        self._put(_Cell(line))

    def end(self, text: str, good: bool) -> None:
        """Update it for the last time."""
        self._put(_Cell(Line(f'{DONE if good else STOPPED} {text}'), over=True))

    def _put(self, cell: '_Cell') -> None:
        if self._display is None:
            ipython: Any = sys.modules['IPython']
            self._display = ipython.display.display(cell, display_id=True)
        else:
            self._display.update(cell)


class _Cell:
    """A line as notebooks show it, and as those show it that have no HTML."""

    def __init__(self, line: Line, over: bool = False) -> None:
        self._line = line
        self._over = over

    def __repr__(self) -> str:
        return self._line.text

    def _repr_html_(self) -> str:
        text = f'<code>{escape(self._line.text)}</code>'
        if self._over:
            return text
        value = '' if self._line.done is None else f' value="{self._line.done:.4f}"'
        return f'<progress{value}></progress> {text}'
