"""Which Executors a request is for: ``target_peapod``, a regex over their names that anybody may send.

The regex of the standard library takes years over some of them and lets nothing else run meanwhile. That of the library
``regex`` has a limit in time for a match, but none for what it builds before it: it writes out what is to be repeated.
"""

import functools
import math
import re
import time
from collections.abc import Iterable
from typing import Any

MOST_CHARACTERS = 1000
MOST_REPEATED = 20_000  # characters times repetitions, about
MATCH_SECONDS = 0.1  # for all names together
REMEMBERED = 1000

_SPECIAL = frozenset('\\.^$*+?{}[]|()')
_REPEATED = re.compile(r'\{\s*(\d+)')
_REFUSED = re.compile(r'\(\?(?:[\w-]*[xf]|R|&|P>|[+-]?\d)')  # flags x and f; groups that call groups


class BadTarget(ValueError):
    """A target that is no regular expression, or one that takes too long."""


class Targets:
    """Finds the Executors that a target means, and remembers what it found.

    :param names: of all Executors.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._found: dict[str, frozenset[str] | BadTarget] = {}

    def named(self, target: str) -> frozenset[str]:
        """Return the names whose beginning ``target`` matches.

        :raises BadTarget: if it is no regular expression, longer than 1,000 characters, or takes more than 0.1 s.
        """
        found = self._found.get(target)
        if found is None:
            found = self._look(target)
        if isinstance(found, BadTarget):
            raise BadTarget(str(found))
        return found

    def _look(self, target: str) -> frozenset[str] | BadTarget:
        if len(target) > MOST_CHARACTERS:  # not remembered: it may be of any length
            told = f'{target[:40]!r}… has {len(target):,} characters, of {MOST_CHARACTERS:,} at the most'
            return BadTarget(f'target_peapod={told}')
        found: frozenset[str] | BadTarget
        try:
            found = _beginning_with(target, self._names)
        except BadTarget as error:
            found = error.with_traceback(None)
        self._remember(target, found)
        return found

    def _remember(self, target: str, found: frozenset[str] | BadTarget) -> None:
        if len(self._found) >= REMEMBERED:  # targets come from outside: do not collect them without end
            self._found.clear()
            _library().purge()
        self._found[target] = found


def _beginning_with(target: str, names: frozenset[str]) -> frozenset[str]:
    if _SPECIAL.isdisjoint(target):
        return frozenset(name for name in names if name.startswith(target))
    regex = _library()
    try:
        _check(target)
        pattern = regex.compile(target, cache_pattern=False)
        return _matching(pattern, names)
    except TimeoutError as error:
        raise BadTarget(f'target_peapod={target!r} takes too long to match: write it more simply') from error
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        raise BadTarget(f'target_peapod={target!r} is no regular expression: {error}') from error


def _check(target: str) -> None:
    """Refuse what would take too long, or too much memory, before there is anything to match."""
    repeated = math.prod(max(1, int(count)) for count in _REPEATED.findall(target)) * len(target)
    if repeated > MOST_REPEATED:
        raise ValueError('it repeats too much')
    if refused := _REFUSED.search(target):
        raise ValueError(f'{refused[0]!r} is not taken here')


def _matching(pattern: Any, names: frozenset[str]) -> frozenset[str]:
    end = time.perf_counter() + MATCH_SECONDS
    found = set()
    for name in names:
        left = end - time.perf_counter()
        if left <= 0:
            raise TimeoutError
        if pattern.match(name, timeout=left):
            found.add(name)
    return frozenset(found)


@functools.cache
def _library() -> Any:
    """The library, imported with the first target that is more than the beginning of a name."""
    import regex

    return regex
