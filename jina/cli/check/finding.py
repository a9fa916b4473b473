"""What a check has found, in one line."""

from typing import Literal, NamedTuple


class Finding(NamedTuple):
    """One line of a check.

    :ivar level: ``fail`` is what will not work, ``warn`` what may be meant.
    """

    level: Literal['ok', 'warn', 'fail']
    text: str

    def __str__(self) -> str:
        return f'{self.level:<4}  {self.text}'


def ok(text: str) -> Finding:
    """It will work."""
    return Finding('ok', text)


def warn(text: str) -> Finding:
    """It will work, but perhaps not as it is meant."""
    return Finding('warn', text)


def fail(text: str) -> Finding:
    """It will not work."""
    return Finding('fail', text)
