"""Which Documents have tags that match regular expressions."""

import operator as operators
import re
from collections.abc import Callable, Mapping
from typing import Any

from jina.excepts import BadOption
from jina.types.shorten import shorten

_OPERATORS: dict[str, Callable[[int, int], bool]] = {
    '>=': operators.ge,
    '>': operators.gt,
    '<=': operators.le,
    '<': operators.lt,
    '==': operators.eq,
    '!=': operators.ne,
}


def condition(
    regexes: Mapping[str, str | re.Pattern[str]], operator: str, threshold: int | None
) -> Callable[[Any], bool]:
    """Return the function that tells of a Document whether enough of ``regexes`` match its tags.

    :raises BadOption: for an unknown operator, or a regex that cannot be read.
    """
    compare = _OPERATORS.get(operator)
    if compare is None:
        raise BadOption(f'operator is one of {", ".join(_OPERATORS)}, not {shorten(operator)}')
    matchers = [(name, _compiled(name, regex).match) for name, regex in regexes.items()]
    wanted = len(matchers) if threshold is None else threshold

    def fits(doc: Any) -> bool:
        tags = doc._tags or {}
        return compare(sum(_matches(match, _tag(tags, name)) for name, match in matchers), wanted)

    return fits


def _compiled(name: str, regex: Any) -> re.Pattern[str]:
    try:
        return re.compile(regex)
    except (re.error, TypeError) as error:
        raise BadOption(f'the regex of {name!r} cannot be read ({error}): {shorten(regex)}') from error


def _tag(tags: Any, name: str) -> Any:
    """Return the tag of that name; a name with double underscores may also lead into nested tags."""
    if name in tags:
        return tags[name]
    for key in name.split('__'):
        tags = tags.get(key) if isinstance(tags, Mapping) else None
    return tags


def _matches(match: Callable[[str], Any], value: Any) -> bool:
    if value is None or isinstance(value, (Mapping, list, tuple)):
        return False
    return match(value if isinstance(value, str) else str(value)) is not None
