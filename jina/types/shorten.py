"""Values as error messages and reprs show them."""

from reprlib import Repr
from typing import Any

import numpy as np

_REPR = Repr()
_REPR.maxstring = _REPR.maxother = 60


def shorten(value: Any) -> str:
    """Return a repr of at most some 60 characters; arrays show only their shape and dtype."""
    if isinstance(value, np.ndarray):
        return f'ndarray({value.shape}, {value.dtype})'
    return _REPR.repr(value)
