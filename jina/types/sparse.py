"""Sparse arrays of scipy, torch and tensorflow: how they are recognised, and the one form in which they travel.

A Document holds the very object that it was given. Its coordinates are read when it is written somewhere; what
is read back is of scipy, or a :class:`SparseArray` where scipy is not installed or does not have such arrays.

Only scipy is ever imported, and only to make something of its own: the others are known by the module of their type.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

import numpy as np

from jina.excepts import BadDocType, BadDocument
from jina.types.ndarray import NUMERIC_KINDS, Array, array_from_dict, array_to_dict, as_array, as_shape, is_dtype_name
from jina.types.shorten import shorten

AnyArray: TypeAlias = Any
"""An ndarray, or a sparse array of any library."""

__all__ = ['AnyArray', 'SparseArray', 'accepted', 'any_from_dict', 'any_to_dict', 'coordinates', 'is_sparse']


class SparseArray:
    """An array in coordinates: ``values[i]`` stands at ``indices[i]``, all else is zero; duplicates add up.

    :param indices: of shape (n, dimensions), integers.
    :param values: of shape (n,).
    :param shape: the shape of the whole.
    :raises BadDocument: when these do not fit each other.
    """

    __slots__ = ('indices', 'shape', 'values')

    def __init__(self, indices: Array, values: Array, shape: Sequence[int]) -> None:
        self.shape = tuple(shape)
        if values.ndim != 1 or indices.shape != (len(values), len(self.shape)) or indices.dtype.kind not in 'iu':
            raise BadDocument(
                f'{values.shape} values at indices {indices.shape} {indices.dtype} are no sparse array of shape '
                f'{shorten(self.shape)}'
            )
        if indices.size and (indices.min() < 0 or _exceeds(indices.max(axis=0).tolist(), self.shape)):
            raise BadDocument(f'the indices of a sparse array lie outside of its shape {shorten(self.shape)}')
        self.indices, self.values = indices, values

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the values."""
        return self.values.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """The number of dimensions."""
        return len(self.shape)

    def toarray(self) -> Array:
        """Return the whole as an ndarray, zeros included."""
        dense = np.zeros(self.shape, self.dtype)
        np.add.at(dense, tuple(self.indices.T), self.values)
        return dense

    def canonical(self) -> 'SparseArray':
        """Return the same array with its coordinates in order, each of them once."""
        order = np.lexsort(self.indices.T[::-1]) if self.ndim else np.arange(len(self.values))
        indices, values = self.indices[order], self.values[order]
        first = np.ones(len(values), bool)
        first[1:] = (indices[1:] != indices[:-1]).any(axis=1)
        if not first.all():
            sums = np.add.reduceat(values, np.flatnonzero(first))
            indices, values = indices[first], sums.astype(values.dtype)
        return SparseArray(indices, values, self.shape)

    def __repr__(self) -> str:
        return f'SparseArray({self.shape}, {self.dtype}, {len(self.values)} values)'


def _exceeds(largest: list[int], shape: Sequence[int]) -> bool:
    return any(index >= size for index, size in zip(largest, shape, strict=True))


def _of_scipy(value: Any) -> SparseArray:
    coo = value.tocoo()
    indices = getattr(coo, 'coords', None) or (coo.row, coo.col)
    return SparseArray(np.stack(indices, axis=1), np.asarray(coo.data), coo.shape)


def _of_torch(value: Any) -> SparseArray:
    coo = value.detach().cpu().to_sparse_coo().coalesce()
    return SparseArray(coo.indices().numpy().T, coo.values().numpy(), coo.shape)


def _of_tensorflow(value: Any) -> SparseArray:
    return SparseArray(value.indices.numpy(), value.values.numpy(), value.dense_shape.numpy().tolist())


def _reader(value: Any) -> Callable[[Any], SparseArray] | None:
    """Return what reads the coordinates of ``value``, or None when it is no sparse array."""
    cls = type(value)
    if cls is SparseArray:
        return lambda same: same
    module = cls.__module__
    if module.startswith('scipy.sparse'):
        return _of_scipy if hasattr(value, 'tocoo') else None
    if module.startswith('torch'):
        return _of_torch if str(getattr(value, 'layout', '')).startswith('torch.sparse') else None
    if module.startswith('tensorflow') and cls.__name__ == 'SparseTensor':
        return _of_tensorflow
    return None


def is_sparse(value: Any) -> bool:
    """Whether ``value`` is a sparse array of any library that is known here."""
    return _reader(value) is not None


def coordinates(value: Any) -> SparseArray:
    """Return the coordinates of a sparse array.

    :raises TypeError: when it is none.
    """
    read = _reader(value)
    if read is None:
        raise TypeError(f'not a sparse array: {shorten(value)}')
    return read(value)


def accepted(value: Any, attribute: str) -> AnyArray:
    """Return ``value`` if it is a sparse array, else as an ndarray; neither is copied, but a ``dok_matrix`` is.

    :param attribute: the name that an error shows, as in ``Document.embedding``.
    :raises BadDocType: when it is not an array of booleans, integers, floats or complex numbers.
    """
    if type(value) is np.ndarray and value.dtype.kind in NUMERIC_KINDS:
        return value  # most are, and need no second call
    if not is_sparse(value):
        return as_array(value, attribute)
    dtype = str(getattr(value.dtype, 'name', value.dtype)).removeprefix('torch.')
    if not is_dtype_name(dtype):
        raise BadDocType(f'{attribute} takes a sparse array of numbers that numpy knows, not of dtype {dtype}')
    if hasattr(value, 'dense_dim') and value.dense_dim():
        raise BadDocType(f'{attribute} takes a sparse array without dense dimensions, not {value.dense_dim()} of them')
    # scipy's dok_matrix is a dict as well, and would be written as one.
    return value.tocoo() if hasattr(value, 'keys') else value


def any_to_dict(value: AnyArray) -> dict[str, Any]:
    """Return ``{'dense': …}`` or ``{'sparse': …}`` with base64 in it."""
    return array_to_dict(value) if isinstance(value, np.ndarray) else {'sparse': sparse_to_dict(coordinates(value))}


def any_to_lists(value: AnyArray) -> Any:
    """Return nested lists, for a sparse array those of its coordinates: ``{'sparse': {'indices': [[…]], …}}``."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    array = coordinates(value)
    parts = {'indices': array.indices.tolist(), 'values': array.values.tolist(), 'shape': list(array.shape)}
    return {'sparse': parts}


def any_from_dict(obj: Any) -> AnyArray:
    """Return the array that :func:`any_to_dict` or :func:`any_to_lists` wrote.

    :raises BadDocument: when it is none.
    """
    if isinstance(obj, Mapping) and 'sparse' in obj:
        return restored(sparse_from_dict(obj['sparse']))
    return array_from_dict(obj)


def sparse_to_dict(array: SparseArray) -> dict[str, Any]:
    """Return ``{'indices': …, 'values': …, 'shape': […]}``, the first two as dense arrays in base64."""
    indices, values = array_to_dict(array.indices)['dense'], array_to_dict(array.values)['dense']
    return {'indices': indices, 'values': values, 'shape': list(array.shape)}


def sparse_from_dict(obj: Any) -> SparseArray:
    """Return the array that :func:`sparse_to_dict` wrote; lists are read as well.

    :raises BadDocument: when a part is missing, or they do not fit each other.
    """
    if not isinstance(obj, Mapping) or not {'indices', 'values', 'shape'} <= obj.keys():
        raise BadDocument(f'a sparse array is {{"indices", "values", "shape"}}, not {shorten(obj)}')
    shape = as_shape(obj['shape'])
    indices, values = _part(obj['indices']), _part(obj['values'])
    if not len(values):  # a list without items has one dimension, and no dtype to speak of
        indices = np.empty((0, len(shape)), np.int32)
    return SparseArray(indices, values, shape)


def _part(obj: Any) -> Array:
    if isinstance(obj, Mapping):
        return np.atleast_1d(array_from_dict(obj))
    try:
        return np.atleast_1d(as_array(obj, 'a part of a sparse array'))
    except BadDocType as error:
        raise BadDocument(str(error)) from error


def portable(value: Any) -> tuple[Any, ...]:
    """Return what equal sparse arrays share, whatever library and format they are of."""
    array = coordinates(value).canonical()
    little = array.dtype.newbyteorder('<')
    return (
        'sparse',
        little.str,
        array.shape,
        array.indices.astype('<i8').tobytes(),
        array.values.astype(little).tobytes(),
    )


@cache
def _scipy() -> Any:
    """Return ``scipy.sparse``, or None."""
    try:
        import scipy.sparse
    except ImportError:
        return None
    return scipy.sparse


def restored(array: SparseArray) -> Any:
    """Return ``array`` as scipy's ``coo_matrix``, or ``coo_array`` when it has not two dimensions."""
    scipy = _scipy()
    if scipy is None:
        return array
    make = scipy.coo_matrix if array.ndim == 2 else scipy.coo_array
    try:
        return make((array.values, tuple(array.indices.T)), shape=array.shape)
    except (ValueError, TypeError, OverflowError):  # dimensions or a dtype that this version does not have
        return array


def stacked_rows(rows: Sequence[Any]) -> Any:
    """Return sparse rows of shape (d,) or (1, d) as one ``csr_matrix`` of shape (n, d).

    :raises ImportError: when scipy is not installed.
    """
    return _needed().vstack([_row(row) for row in rows], format='csr')


def rows_of(value: Any) -> list[Any]:
    """Return each row of a sparse array of shape (n, d), as a ``csr_matrix`` of shape (1, d).

    :raises ImportError: when scipy is not installed.
    """
    _needed()
    array = value if hasattr(value, 'tocsr') else restored(coordinates(value))
    return list(array.tocsr())


def _row(row: Any) -> Any:
    array = coordinates(row)
    if array.ndim == 1:
        array = SparseArray(np.insert(array.indices, 0, 0, axis=1), array.values, (1, *array.shape))
    return restored(array)


def _needed() -> Any:
    scipy = _scipy()
    if scipy is None:
        raise ImportError('sparse arrays are stacked by scipy, which is not installed: pip install scipy')
    return scipy
