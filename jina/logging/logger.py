"""One line a message: who, in which process, how serious, what.

``JINA_LOG_LEVEL`` sets the level (``DEBUG``, ``INFO``, ``WARNING``, ``ERROR``), ``NO_COLOR`` turns colours off.
Everything goes to stderr: what a program prints stays clean.
"""

import logging
import os
import sys
from typing import TextIO

SUCCESS = 25  # between INFO and WARNING

_LETTERS = {10: 'D', 20: 'I', SUCCESS: 'S', 30: 'W', 40: 'E', 50: 'C'}
_COLOURS = {SUCCESS: 32, logging.WARNING: 33, logging.ERROR: 31, logging.CRITICAL: 31}


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is now, which notebooks and test runners change."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Fixed."""


class _Line(logging.Formatter):
    """``name@process[I]: message``"""

    def format(self, record: logging.LogRecord) -> str:
        name = record.name.removeprefix('jina.')
        head = f'{name:>10s}@{record.process}[{_LETTERS.get(record.levelno, "?")}]'
        if sys.stderr.isatty() and 'NO_COLOR' not in os.environ:
            head = f'\033[{_COLOURS.get(record.levelno, 36)}m{head}\033[0m'
        text = record.getMessage()
        if record.exc_info:
            text += '\n' + self.formatException(record.exc_info)
        return f'{head}: {text}'


def configure(name: str = '', quiet: bool = False) -> logging.Logger:
    """Make the messages of this package visible, once a process, and set their level.

    :param name: whose logger is returned; by default the one above all.
    :param quiet: errors only, for that logger.
    """
    root = logging.getLogger('jina')
    if not any(isinstance(h, _Stderr) for h in root.handlers):
        handler = _Stderr()
        handler.setFormatter(_Line())
        root.addHandler(handler)
        root.propagate = False
    logging.addLevelName(SUCCESS, 'SUCCESS')
    level = os.environ.get('JINA_LOG_LEVEL', 'INFO').upper()
    root.setLevel(_LEVELS.get(level, logging.INFO))
    logger = logging.getLogger(f'jina.{name}') if name else root
    if quiet:
        logger.setLevel(max(logging.ERROR, root.level))
    elif name:
        logger.setLevel(logging.NOTSET)
    return logger


_LEVELS = {**logging.getLevelNamesMapping(), 'SUCCESS': SUCCESS}


class JinaLogger:
    """A logger by name, with one level more: :meth:`success`.

    :param context: the name that its lines begin with.
    """

    def __init__(self, context: str, quiet: bool = False) -> None:
        self.logger = configure(context, quiet)
        self.debug = self.logger.debug
        self.info = self.logger.info
        self.warning = self.logger.warning
        self.error = self.logger.error
        self.critical = self.logger.critical

    def success(self, message: str, *args: object) -> None:
        """Good news."""
        self.logger.log(SUCCESS, message, *args)
