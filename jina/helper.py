"""Small things that programs import from here."""

import socket
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

T = TypeVar('T')

extend_rest_interface: Callable[[Any], Any] | None = None
"""Assign a function to it that takes the FastAPI application of the HTTP door, adds routes to it, and returns it."""


def random_identity() -> str:
    """A name that nothing else has: a UUID as text."""
    return str(uuid.uuid4())


def random_port() -> int:
    """A TCP port of this machine that is free now; for tests. A Flow finds one by itself: ``port_expose=0``."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def batch_iterator(data: Iterable[T], batch_size: int) -> Iterator[list[T]]:
    """Cut into lists of ``batch_size``; the last may be shorter.

    :param batch_size: ≤ 0: all in one.
    """
    items = iter(data)
    if batch_size <= 0:
        yield list(items)
        return
    while batch := list(islice(items, batch_size)):
        yield batch
