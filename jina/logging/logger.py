"""One line a message: who, in which process, how serious, what.

``JINA_LOG_LEVEL`` sets the level (``DEBUG``, ``INFO``, ``SUCCESS``, ``WARNING``, ``ERROR``), ``NO_COLOR`` turns colours
off. Everything goes to stderr: what a program prints stays clean.
"""

import logging
import logging.config
import os
import sys
import zlib
from collections.abc import Mapping
from typing import Any, TextIO

SUCCESS = 25  # between INFO and WARNING

HEAD_WIDTH = 18  # of name@process, right-aligned, so that messages begin in one column
INDENT = '    '  # of the further lines of a message

_LETTERS = {10: 'D', 20: 'I', SUCCESS: 'S', 30: 'W', 40: 'E', 50: 'C'}
_COLOURS = {SUCCESS: 32, logging.WARNING: 33, logging.ERROR: 31, logging.CRITICAL: 31}
# Of the 256 colours of terminals those that are read on black and on white, and are not those of a level.
_NAME_COLOURS = (32, 37, 62, 67, 73, 97, 98, 103, 133, 137, 139, 169, 172, 179)
_LEVELS = {**logging.getLevelNamesMapping(), 'SUCCESS': SUCCESS}


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what ``sys.stderr`` is now, which notebooks and test runners change, and daemons close."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, value: TextIO) -> None:
        """Fixed."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None and not getattr(sys.stderr, 'closed', False):
            super().emit(record)


class _Line(logging.Formatter):
    """``name@process[I]: message``"""

    def format(self, record: logging.LogRecord) -> str:
        first, *others = super().format(record).splitlines() or ['']
        return '\n'.join([f'{_head(record)}: {first}', *(f'{INDENT}{line}' if line else '' for line in others)])


def _head(record: logging.LogRecord) -> str:
    name, process = record.name.removeprefix('jina.'), str(record.process)
    level = f'[{_LETTERS.get(record.levelno, "?")}]'
    space = ' ' * (HEAD_WIDTH - len(name) - len(process) - 1)
    if not _coloured(sys.stderr):
        return f'{space}{name}@{process}{level}'
    colour = _COLOURS.get(record.levelno)
    level = level if colour is None else f'\033[{colour}m{level}\033[0m'
    return f'{space}\033[38;5;{_colour_of(name)}m{name}\033[0m@{process}{level}'


def _colour_of(name: str) -> int:
    """The same for a name in every process."""
    return _NAME_COLOURS[zlib.crc32(name.encode()) % len(_NAME_COLOURS)]


def _coloured(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get('NO_COLOR') and os.environ.get('TERM') != 'dumb'


class _State:
    """What this process was told.

    :cvar given: the program has its own configuration of logging, which ours must not disturb.
    :cvar quiet: errors only, for all.
    """

    given = False
    quiet = False


def configure(name: str = '', quiet: bool = False, config: Mapping[str, Any] | None = None) -> logging.Logger:
    """Make the messages of this package visible, once a process, and set their level.

    :param name: whose logger is returned; by default the one above all.
    :param quiet: errors only, for that logger; for the one above all it stays so.
    :param config: given to ``logging.config.dictConfig``; from then on it decides, and the usual lines and
        ``JINA_LOG_LEVEL`` do not count. ``version`` may be left out, and loggers it does not name go on.
    :raises ValueError: if ``config`` is none.
    """
    logging.addLevelName(SUCCESS, 'SUCCESS')
    _State.quiet |= quiet and not name
    if config:
        _take(config)
    elif not _State.given:
        _install()
    logger = logging.getLogger(f'jina.{name}') if name else logging.getLogger('jina')
    if quiet:
        logger.setLevel(max(logging.ERROR, logger.getEffectiveLevel()))
    elif name and not _State.given:
        logger.setLevel(logging.NOTSET)
    return logger


def _install() -> None:
    """Have our lines written, in place of what the program does with messages."""
    root = logging.getLogger('jina')
    if not any(isinstance(h, _Stderr) for h in root.handlers):
        handler = _Stderr()
        handler.setFormatter(_Line())
        root.addHandler(handler)
        root.propagate = False
    level = _LEVELS.get(os.environ.get('JINA_LOG_LEVEL', '').upper(), logging.INFO)
    root.setLevel(max(level, logging.ERROR) if _State.quiet else level)


def _take(config: Mapping[str, Any]) -> None:
    """Have the messages written as the program says."""
    root = logging.getLogger('jina')
    for handler in [h for h in root.handlers if isinstance(h, _Stderr)]:
        root.removeHandler(handler)
    root.propagate = True
    root.setLevel(logging.NOTSET)
    try:
        logging.config.dictConfig({'version': 1, 'disable_existing_loggers': False, **config})
    except (ValueError, TypeError, AttributeError) as error:
        told = f'{error}: {error.__cause__}' if error.__cause__ else str(error)
        raise ValueError(f'log_config is not what logging.config.dictConfig takes: {told}') from error
    _State.given = True


class JinaLogger:
    """A logger by name, with one level more: :meth:`success`.

    >>> with JinaLogger('indexer') as log:
    ...     log.success('%d documents', 3)

    :param context: the name that its lines begin with.
    :param name: another name to show in its place.
    :param log_config: see :func:`configure`.
    :param quiet: errors only.
    :ivar logger: the :class:`logging.Logger` behind it.
    """

    def __init__(
        self,
        context: str,
        name: str | None = None,
        log_config: Mapping[str, Any] | None = None,
        quiet: bool = False,
    ) -> None:
        self.logger = configure(name or context, quiet, log_config)
        self.debug = self.logger.debug
        self.info = self.logger.info
        self.warning = self.logger.warning
        self.error = self.logger.error
        self.exception = self.logger.exception
        self.critical = self.logger.critical

    @property
    def name(self) -> str:
        """The name that its lines begin with."""
        return self.logger.name.removeprefix('jina.')

    @property
    def debug_enabled(self) -> bool:
        """Whether :meth:`debug` is shown: what is costly to say can be left out."""
        return self.logger.isEnabledFor(logging.DEBUG)

    @property
    def handlers(self) -> list[logging.Handler]:
        """Who writes its messages, besides those of the loggers above it."""
        return self.logger.handlers

    def success(self, message: str, *args: object) -> None:
        """Good news."""
        self.logger.log(SUCCESS, message, *args)

    def close(self) -> None:
        """Close its own handlers; loggers need no end."""
        for handler in [*self.logger.handlers]:
            self.logger.removeHandler(handler)
            handler.close()

    def __enter__(self) -> 'JinaLogger':
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
