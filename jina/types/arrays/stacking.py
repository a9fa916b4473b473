"""The arrays of many Documents as one array, and back; without a copy where the memory allows it."""

from collections.abc import Sequence
from operator import is_
from typing import Any, NamedTuple

import numpy as np

from jina.types.ndarray import Array, as_array
from jina.types.sparse import is_sparse, rows_of, stacked_rows


class Stack(NamedTuple):
    """Rows that are known to be those of an array, in order."""

    rows: list[Array]
    array: Array


def stacked(docs: Sequence[Any], attribute: str, known: dict[str, Stack]) -> Array:
    """Return that attribute of all ``docs`` as one array of shape (n, …), or (0, 0) when there are none.

    Sparse rows become one ``csr_matrix`` of scipy.

    :param known: what was found last time, by attribute. It is brought up to date.
    :raises ValueError: naming the Documents where it is missing or of another shape.
    """
    if not docs:
        return np.empty((0, 0), np.float32)
    slot = f'_{attribute}'
    rows = [getattr(doc, slot) for doc in docs]
    last = known.get(attribute)
    if last is not None and len(last.rows) == len(rows) and all(map(is_, last.rows, rows)):
        return last.array
    known.pop(attribute, None)
    _check(docs, rows, attribute)
    if type(rows[0]) is not np.ndarray and is_sparse(rows[0]):
        matrix: Array = stacked_rows(rows)
        return matrix
    shared = _shared(rows)
    if shared is None:
        return _copied(rows)
    # A view stays true whatever is written into it or the rows; a copy would not, and is never kept.
    known[attribute] = Stack(rows, shared)
    return shared


def _check(docs: Sequence[Any], rows: list[Any], attribute: str) -> None:
    if any(row is None for row in rows):
        missing = [doc for doc, row in zip(docs, rows, strict=True) if row is None]
        raise ValueError(f'{_named(missing)} no {attribute}')
    shape = rows[0].shape
    if any(row.shape != shape for row in rows):
        deviating = [doc for doc, row in zip(docs, rows, strict=True) if row.shape != shape]
        raise ValueError(f'{_named(deviating)} {attribute}s of another shape than {shape}, that of the first')
    kinds = {type(row) for row in rows}
    if kinds != {np.ndarray}:
        _check_kinds(docs, rows, attribute)


def _check_kinds(docs: Sequence[Any], rows: list[Any], attribute: str) -> None:
    """Sparse and dense arrays are never stacked together."""
    kinds = [is_sparse(row) for row in rows]
    if any(kind is not kinds[0] for kind in kinds):
        deviating = [doc for doc, kind in zip(docs, kinds, strict=True) if kind is not kinds[0]]
        first, others = ('sparse', 'dense') if kinds[0] else ('dense', 'sparse')
        raise ValueError(f'{_named(deviating)} {others} {attribute}s, but that of the first is {first}')


def _named(docs: Sequence[Any]) -> str:
    shown = ', '.join(repr(doc.id) for doc in docs[:3]) + (', …' if len(docs) > 3 else '')
    return f'{len(docs)} Documents ({shown}) have' if len(docs) > 1 else f'Document {shown} has'


def _shared(rows: list[Array]) -> Array | None:
    """Return the array that ``rows`` are the rows of, in order, or None when they are not."""
    first = rows[0]
    base = first.base
    if base is None or not _alike(rows, base):
        return None
    start, step = first.ctypes.data, first.nbytes
    if any(row.ctypes.data != start + step * position for position, row in enumerate(rows)):
        return None
    whole = isinstance(base, np.ndarray) and base.shape == (len(rows), *first.shape)
    if whole and base.dtype == first.dtype and base.flags.c_contiguous and base.ctypes.data == start:
        return base
    return np.lib.stride_tricks.as_strided(first, (len(rows), *first.shape), (step, *first.strides))


def _copied(rows: list[Array]) -> Array:
    """Return ``np.stack(rows)``, several times faster: it need not give each row one more dimension first."""
    shape = rows[0].shape
    return np.concatenate(rows).reshape(len(rows), *shape) if shape else np.stack(rows)


def _alike(rows: list[Array], base: Any) -> bool:
    """Whether all rows are contiguous views of ``base`` of one dtype: cheap, and enough to look closer."""
    dtype, strides = rows[0].dtype, rows[0].strides
    return rows[0].flags.c_contiguous and all(
        row.base is base and row.dtype is dtype and row.strides == strides for row in rows
    )


def spread(docs: Sequence[Any], value: Any, attribute: str) -> None:
    """Give each of ``docs`` a view of its row of ``value``, of shape (n, …).

    :raises ValueError: when there are not as many rows as Documents.
    :raises BadDocType: when it is no array of numbers.
    """
    if is_sparse(value):
        _spread(docs, rows_of(value), attribute)
        return
    rows = as_array(value, f'DocumentArray.{attribute}s')
    if rows.ndim < 2 and len(docs) + rows.size:
        raise ValueError(f'DocumentArray.{attribute}s takes one row a Document, not shape {rows.shape}')
    _spread(docs, rows, attribute)


def _spread(docs: Sequence[Any], rows: Any, attribute: str) -> None:
    if len(rows) != len(docs):
        raise ValueError(f'{len(rows)} {attribute}s cannot be given to {len(docs)} Documents')
    for doc, row in zip(docs, rows, strict=True):
        setattr(doc, attribute, row)
