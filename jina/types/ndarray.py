"""Dense arrays where they enter a Document, and their form in a dict or in JSON."""

import binascii
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from jina.excepts import BadDocType, BadDocument
from jina.types.shorten import shorten

Array: TypeAlias = np.ndarray[Any, Any]

NUMERIC_KINDS = 'biufc'

# Names are looked up, not parsed: numpy's parser also knows objects, records and sizes of gigabytes.
_DTYPES: dict[str, np.dtype[Any]] = {
    name: dtype
    for code in '?bhilqBHILQefdgFDG'
    for dtype in (np.dtype(code), np.dtype(code).newbyteorder())
    for name in (dtype.str, dtype.name)
    if name == dtype.str or dtype.isnative
}


def as_array(value: Any, attribute: str) -> Array:
    """Return ``value`` as a plain ndarray; an ndarray is not copied.

    :param value: an ndarray, a number, nested lists of numbers, or any object with ``__array__``.
    :param attribute: the name that an error shows, as in ``Document.embedding``.
    :raises BadDocType: when it is not an array of booleans, integers, floats or complex numbers.
    """
    if type(value) is not np.ndarray:
        value = _converted(value, attribute)
    if value.dtype.kind not in NUMERIC_KINDS:
        raise BadDocType(f'{attribute} takes an array of numbers, not of dtype {value.dtype}: {shorten(value)}')
    return value  # type: ignore[no-any-return]


def _converted(value: Any, attribute: str) -> Array:
    if isinstance(value, (str, bytes, bytearray, Mapping, set)):
        raise _no_array(value, attribute)
    try:
        return np.asarray(value)
    except (ValueError, TypeError) as error:
        raise _no_array(value, attribute) from error


def _no_array(value: Any, attribute: str) -> BadDocType:
    return BadDocType(
        f'{attribute} takes an ndarray or nested lists of numbers, not {type(value).__name__}: {shorten(value)}'
    )


def dtype_named(name: Any) -> np.dtype[Any]:
    """Return the numeric dtype of that name, such as ``<f4`` or ``float32``.

    :raises BadDocument: when there is none.
    """
    dtype = _DTYPES.get(name) if isinstance(name, str) else None
    if dtype is None:
        raise BadDocument(f'unknown dtype {shorten(name)}; known are numeric ones such as "<f4" and "<i8"')
    return dtype


def is_dtype_name(name: str) -> bool:
    """Whether :func:`dtype_named` knows it."""
    return name in _DTYPES


def array_to_dict(array: Array) -> dict[str, Any]:
    """Return ``{'dense': {'buffer': base64, 'shape': [...], 'dtype': '<f4'}}``, in C order."""
    buffer = b64encode(array.tobytes()).decode()
    return {'dense': {'buffer': buffer, 'shape': list(array.shape), 'dtype': array.dtype.str}}


def array_from_dict(obj: Any) -> Array:
    """Return the array that :func:`array_to_dict` wrote; the ``dense`` level may be missing.

    :raises BadDocument: when a key is missing or unreadable, or the buffer does not fit the shape.
    """
    dense = obj.get('dense', obj) if isinstance(obj, Mapping) else None
    if not isinstance(dense, Mapping) or not {'buffer', 'shape', 'dtype'} <= dense.keys():
        raise BadDocument(f'an array is {{"buffer", "shape", "dtype"}} or nested lists, not {shorten(obj)}')
    dtype, shape, buffer = dtype_named(dense['dtype']), as_shape(dense['shape']), _buffer(dense['buffer'])
    if len(buffer) != math.prod(shape) * dtype.itemsize:
        raise BadDocument(f'{len(buffer)} bytes do not fill an array of shape {shape} and dtype {dtype}')
    # A copy, so that the array is writable; not before it is known to be good for something.
    return _reshaped(np.frombuffer(bytearray(buffer), dtype) if len(buffer) else np.empty(0, dtype), shape)


def _reshaped(flat: Array, shape: list[int]) -> Array:
    try:
        return flat.reshape(shape)
    except (ValueError, OverflowError) as error:
        raise BadDocument(f'no array has the shape {shorten(shape)}') from error


def as_shape(shape: Any) -> list[int]:
    """Return ``shape`` as a list of sizes.

    :raises BadDocument: when it is none.
    """
    if not isinstance(shape, (list, tuple)) or any(type(n) is not int or n < 0 for n in shape):
        raise BadDocument(f'a shape is a list of sizes, not {shorten(shape)}')
    return list(shape)


def _buffer(buffer: Any) -> bytes | bytearray | memoryview:
    return buffer if isinstance(buffer, (bytes, bytearray, memoryview)) else from_base64(buffer)


def from_base64(text: Any) -> bytes:
    """Return the bytes that ``text`` stands for.

    :raises BadDocument: when it is not base64.
    """
    try:
        return binascii.a2b_base64(text, strict_mode=True)  # as base64 does, which copies the text first
    except (binascii.Error, ValueError, TypeError) as error:
        raise BadDocument(f'not base64: {shorten(text)}') from error
