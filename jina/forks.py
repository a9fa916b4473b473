"""What a child that a program or an Executor forks must not keep.

A connection ends for its other end when the last process that holds it is gone. A child of :mod:`multiprocessing` holds
what its parent had; so without this nobody would learn that the parent has died as long as the child lives.
"""

import os
from collections.abc import Iterable
from typing import Protocol
from weakref import WeakSet


class Holder(Protocol):
    """What has sockets to other processes."""

    def descriptors(self) -> Iterable[int]:
        """Their descriptors; -1 for one that is closed."""


_holders: 'WeakSet[Holder]' = WeakSet()


def leave_to_parent(holder: Holder) -> None:
    """From now on no forked child keeps what ``holder`` has."""
    _holders.add(holder)


def _let_go() -> None:
    """In the child: put nothing in the place of each, so that its number is not used again while an object has it."""
    descriptors = [fd for holder in list(_holders) for fd in holder.descriptors() if fd >= 0]
    _holders.clear()
    if not descriptors:
        return
    nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    for descriptor in descriptors:
        os.dup2(nothing, descriptor, inheritable=False)
    os.close(nothing)


if hasattr(os, 'register_at_fork'):
    os.register_at_fork(after_in_child=_let_go)
