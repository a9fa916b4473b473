"""Wait for children: to become ready, and to end. Every wait says what it waits for, and has a deadline."""

import logging
import selectors
import time
from collections.abc import Mapping, Sequence

from jina.control import Failed, Progress, Ready, Stop
from jina.excepts import NoAvailablePortError, RuntimeFailToStart, StartTimeout
from jina.launch.base import Handle

SLOW_SECONDS = 10.0
STOP_SECONDS = 5.0

_log = logging.getLogger('jina.Flow')


def wait_ready(handles: Sequence[Handle], deadlines: Mapping[str, float], watch: Sequence[Handle] = ()) -> None:
    """Wait until all are ready.

    :param deadlines: by name, on the clock of ``time.monotonic``; ``inf``: none.
    :param watch: others whose end, or failure, ends the wait as well.
    :raises RuntimeFailToStart: if one cannot start, with its own error as the cause, or ends.
    :raises StartTimeout: if one is not ready by its deadline.
    """
    warn_at = time.monotonic() + SLOW_SECONDS
    told = ''
    with selectors.DefaultSelector() as selector:
        for handle in (*handles, *watch):
            selector.register(handle.line, selectors.EVENT_READ, handle)
        while waiting := [h for h in handles if h.ready is None]:
            now = time.monotonic()
            _check_deadlines(waiting, deadlines, now)
            if now >= warn_at:
                told = _tell_of(waiting, told)
                warn_at = now + SLOW_SECONDS
            for key, _ in selector.select(min([warn_at, *(deadlines[h.name] for h in waiting)]) - now):
                _listen(key.data)


def _tell_of(waiting: Sequence[Handle], told: str) -> str:
    """Warn of those that are slow, unless just that was said before.

    :return: what has been said.
    """
    slow = '; '.join(f'{h.name!r} ({h.where}) is {h.doing}' for h in waiting)
    if slow != told:
        _log.warning('still waiting: %s', slow)
    return slow


def _check_deadlines(waiting: Sequence[Handle], deadlines: Mapping[str, float], now: float) -> None:
    for handle in waiting:
        if now >= deadlines[handle.name]:
            raise StartTimeout(
                f'{handle.name!r} ({handle.where}) was not ready in time: it is still {handle.doing}; '
                'if it only needs longer, give it a larger timeout_ready (milliseconds)'
            )


def _listen(handle: Handle) -> None:
    message = handle.line.receive()
    if isinstance(message, Ready):
        handle.ready = message
    elif isinstance(message, Progress):
        handle.doing = message.doing
    elif isinstance(message, Failed):
        kind = NoAvailablePortError if message.name == NoAvailablePortError.__name__ else RuntimeFailToStart
        raise kind(f'{handle.name!r} ({handle.where}) could not start: {_first_line(message)}') from message.error()
    elif message is None:
        handle.wait(1.0)
        raise RuntimeFailToStart(f'{handle.name!r} ({handle.where}) {handle.ending()} while {handle.doing}')


def _first_line(failed: Failed) -> str:
    return (
        failed.message
        if failed.name in ('ExecutorFailToLoad', 'NoAvailablePortError')
        else f'{failed.name}: {failed.message}'
    )


def stop_all(handles: Sequence[Handle], seconds: float = STOP_SECONDS) -> None:
    """Tell all to end, wait, and kill those that do not; the first given are the first told.

    A KeyboardInterrupt while waiting kills the rest at once.
    """
    for handle in handles:
        handle.line.send(Stop())
    deadline = time.monotonic() + seconds
    try:
        for handle in handles:
            if not handle.wait(max(0.0, deadline - time.monotonic())):
                _log.warning('%r (%s) is still busy after %g s: killed', handle.name, handle.where, seconds)
    finally:
        for handle in handles:
            if handle.alive():
                handle.kill()
            handle.line.hang_up()
