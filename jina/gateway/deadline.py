"""How long a client will wait, as it says beside its requests."""

import math

HEADER = 'jina-timeout'


def seconds(value: str | bytes) -> float:
    """A number of seconds that a client sent.

    :raises ValueError: if it is none, or not above 0.
    """
    try:
        found = float(value)
    except ValueError:
        found = math.nan
    if not 0 < found < math.inf:
        shown = value.decode('latin-1') if isinstance(value, bytes) else value
        raise ValueError(f'{HEADER}: {shown!r}: it takes a number of seconds above 0')
    return found


def soonest(limit: float | None, other: float | None) -> float | None:
    """The lesser of the two, where ``None`` is no limit."""
    if limit is None:
        return other
    return limit if other is None else min(limit, other)
