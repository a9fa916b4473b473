"""Values as error messages and reprs show them."""

from reprlib import Repr
from typing import Any


class _Repr(Repr):
    def repr_ndarray(self, array: Any, level: int) -> str:
        """Called by the name of the type, so that numpy need not be loaded where there are no arrays."""
        return f'ndarray({array.shape}, {array.dtype})'


_REPR = _Repr()
_REPR.maxstring = _REPR.maxother = 60


def shorten(value: Any) -> str:
    """Return a repr of at most some 60 characters; arrays show only their shape and dtype."""
    return _REPR.repr(value)
