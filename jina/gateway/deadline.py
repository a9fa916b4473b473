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


def soonest(*limits: float | None) -> float | None:
    """The least of these, where ``None`` is no limit."""
    return min((limit for limit in limits if limit is not None), default=None)
