"""The distances of ``distance`` between the rows of sparse matrices of scipy; only blocks of results become dense."""

from typing import Any

import numpy as np

from jina.types.ndarray import Array


def directions(rows: Any) -> tuple[Any, Array]:
    """Return the rows (n, d) in float64, and for each the factor (n,) that gives it length 1; 0 for zeros."""
    rows, squares = squared(rows)
    return rows, np.sqrt(np.divide(1, squares, out=np.zeros_like(squares), where=squares != 0))


def cosine_of_directions(x: tuple[Any, Array], y: tuple[Any, Array]) -> Array:
    """Return the cosine distances (n, m) of what :func:`directions` gave, up to rounding."""
    distances = _products(x[0], y[0])
    distances *= -x[1][:, None]
    distances *= y[1]
    distances += 1
    return distances


def squared(rows: Any) -> tuple[Any, Array]:
    """Return the rows (n, d) in float64, and their squared lengths (n,)."""
    rows = rows.astype(np.float64)
    return rows, _sums(rows.multiply(rows))


def sqeuclidean_of_squared(x: tuple[Any, Array], y: tuple[Any, Array]) -> Array:
    """Return the squared distances (n, m) of what :func:`squared` gave, up to rounding."""
    distances = _products(x[0], y[0])
    distances *= -2
    distances += x[1][:, None]
    distances += y[1]
    np.maximum(distances, 0, out=distances)
    return distances


def cosine_of_pairs(x: Any, y: Any) -> Array:
    """Return the cosine distance of each row of ``x`` from the same row of ``y``: (n,)."""
    x, y = x.astype(np.float64), y.astype(np.float64)
    lengths = np.sqrt(_sums(x.multiply(x)) * _sums(y.multiply(y)))
    distances: Array = np.clip(1 - _sums(x.multiply(y)) / np.where(lengths > 0, lengths, 1), 0, 2)
    return distances


def sqeuclidean_of_pairs(x: Any, y: Any) -> Array:
    """Return the squared distance of each row of ``x`` from the same row of ``y``: (n,)."""
    difference = x.astype(np.float64) - y.astype(np.float64)
    return _sums(difference.multiply(difference))


def _products(x: Any, y: Any) -> Array:
    products: Array = (x @ y.T).toarray()
    return products


def _sums(rows: Any) -> Array:
    """Return the sum of each row; a matrix of scipy gives a column."""
    return np.asarray(rows.sum(axis=1), np.float64).reshape(-1)
