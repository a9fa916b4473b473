"""What a process takes over from the one that starts it."""

import os
import resource
import sys
from collections.abc import Mapping
from typing import Any


def inherited(env: Mapping[str, str]) -> tuple[Any, ...]:
    """All that a child would find as it is now: two that are equal stand for children that are alike.

    :param env: environment variables to be set for the child.
    """
    return (
        sys.executable,
        {**os.environ, **env},
        [_file('.'), _file(1), _file(2)],
        (os.getresuid(), os.getresgid(), os.getgroups()),
        _status(b'Umask:'),
        (os.sched_getaffinity(0), os.getpriority(os.PRIO_PROCESS, 0)),
        [resource.getrlimit(number) for number in _LIMITS],
    )


_LIMITS = sorted(getattr(resource, name) for name in dir(resource) if name.startswith('RLIMIT_'))


def _file(which: str | int) -> tuple[int, int] | None:
    try:
        found = os.stat(which)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _status(field: bytes) -> bytes:
    with open('/proc/self/status', 'rb') as file:
        return next((line for line in file if line.startswith(field)), b'')
