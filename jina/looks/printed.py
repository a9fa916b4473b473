"""What ``print`` shows."""

import sys
from typing import TextIO


def printed(value: object) -> str:
    """Return ``value`` as a table if stdout is a terminal, and its repr otherwise.

    The repr is a line that logs and other programs can do with; the table is for people.
    """
    return _as_table(value) if _is_terminal() else repr(value)


def _is_terminal() -> bool:
    # There is no stdout in a program without a console; it may be closed, or replaced by anything that can write.
    try:
        return bool(sys.stdout.isatty())
    except (AttributeError, ValueError):
        return False


def can_show(stream: TextIO | None, text: str) -> bool:
    """Whether a stream's encoding has all characters of a text."""
    try:
        text.encode(getattr(stream, 'encoding', None) or 'ascii')
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _as_table(value: object) -> str:
    from jina.looks.terminal import as_text

    return as_text(value)  # type: ignore[arg-type]  # it has __rich__
