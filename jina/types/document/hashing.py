"""What makes two Documents equal: everything but their names and what was measured of them."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec
import numpy as np

from jina.types.document.construct import filled
from jina.types.document.edges import Graph
from jina.types.document.edges import portable as portable_graph
from jina.types.sparse import is_sparse
from jina.types.sparse import portable as portable_sparse

_NO_CONTENT = frozenset({'id', 'parent_id', 'scores', 'evaluations'})


def hash_of(doc: Any) -> str:
    """Return 16 hexadecimal characters that equal content shares, in every process."""
    content = [(name, _hashable(value)) for name, value in filled(doc) if name not in _NO_CONTENT]
    try:
        encoded = _encode(content)
    except TypeError:  # keys in tags that are no str cannot be put in order
        encoded = _encode(_with_str_keys(content))
    return blake2b(encoded, digest_size=8).hexdigest()


def _with_str_keys(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _with_str_keys(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_with_str_keys(item) for item in value]
    return value


def _hashable(value: Any) -> Any:
    if isinstance(value, list):
        return [getattr(item, 'content_hash', item) for item in value]
    return value


def _portable(value: Any) -> Any:
    """An array by dtype, shape and bytes: in C order and little-endian, whatever it is in memory."""
    if isinstance(value, np.generic):
        return value.item()
    if is_sparse(value):
        return portable_sparse(value)
    if isinstance(value, Graph):
        return portable_graph(value)
    if not isinstance(value, np.ndarray):
        raise TypeError(f'a tag of type {type(value).__name__} cannot be hashed')
    array = value.astype(value.dtype.newbyteorder('<'), copy=False)
    return array.dtype.str, array.shape, array.tobytes()


_encode: Callable[[Any], bytes] = msgspec.msgpack.Encoder(enc_hook=_portable, order='deterministic').encode
