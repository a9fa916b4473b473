"""Distances between vectors, all from all (n, d) × (m, d) → (n, m), or row by row (n, d) × (n, d) → (n,)."""

import numpy as np

from jina.types.ndarray import Array


def cosine(x: Array, y: Array) -> Array:
    """Return 1 − cos of the angle between rows, in [0, 2]; a row of zeros is at distance 1 from every row.

    float32 stays float32; integers are computed in float64.
    """
    return np.clip(cosine_of_directions(directions(x), directions(y)), 0, 2)


def sqeuclidean(x: Array, y: Array) -> Array:
    """Return the squared length of the difference between rows, in float64."""
    return sqeuclidean_of_squared(squared(x), squared(y))


def euclidean(x: Array, y: Array) -> Array:
    """Return the length of the difference between rows, in float64."""
    return np.sqrt(sqeuclidean(x, y))


def directions(rows: Array) -> tuple[Array, Array]:
    """Return rows (n, d) in floats, and for each the factor (n,) that gives it length 1; 0 for a row of zeros."""
    rows = rows.astype(np.result_type(rows, np.float32), copy=False)
    squares = np.einsum('ij,ij->i', rows, rows)
    tiny = np.finfo(rows.dtype).tiny * 2**40
    if squares.min(initial=np.inf) > tiny and squares.max(initial=0) < 1 / tiny:
        return rows, 1 / np.sqrt(squares)
    # Squares that leave the range of the dtype, zeros or what is not a number: rare, and twice as slow.
    rows = scaled(rows)
    squares = np.einsum('ij,ij->i', rows, rows)
    return rows, np.sqrt(np.divide(1, squares, out=np.zeros_like(squares), where=squares != 0))


def scaled(rows: Array) -> Array:
    """Return the rows divided by their largest value: their squares stay in the range of the dtype."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    quotient: Array = rows / np.where(largest > 0, largest, 1)
    return quotient


def cosine_of_directions(x: tuple[Array, Array], y: tuple[Array, Array]) -> Array:
    """Return the cosine distances (n, m) of what :func:`directions` gave, up to rounding."""
    distances: Array = (x[0] * -x[1][:, None]) @ y[0].T
    distances *= y[1]
    distances += 1
    return distances


def squared(rows: Array) -> tuple[Array, Array]:
    """Return the rows (n, d) in float64, and their squared lengths (n,)."""
    # |x − y|² = |x|² − 2xy + |y|² cancels badly: float32 would leave no correct digit between near rows.
    rows = rows.astype(np.float64, copy=False)
    return rows, np.einsum('ij,ij->i', rows, rows)


def sqeuclidean_of_squared(x: tuple[Array, Array], y: tuple[Array, Array]) -> Array:
    """Return the squared distances (n, m) of what :func:`squared` gave."""
    distances = x[0] @ y[0].T
    distances *= -2
    distances += x[1][:, None]
    distances += y[1]
    np.maximum(distances, 0, out=distances)
    return distances


def cosine_of_pairs(x: Array, y: Array) -> Array:
    """Return the cosine distance of each row of ``x`` from the same row of ``y``, in float64: (n,)."""
    x, y = scaled(x.astype(np.float64, copy=False)), scaled(y.astype(np.float64, copy=False))
    lengths = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    cosines = (x * y).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    distances: Array = np.clip(1 - cosines, 0, 2)
    return distances


def sqeuclidean_of_pairs(x: Array, y: Array) -> Array:
    """Return the squared distance of each row of ``x`` from the same row of ``y``, in float64: (n,)."""
    difference = x.astype(np.float64, copy=False) - y.astype(np.float64, copy=False)
    difference *= difference
    return difference.sum(axis=1)  # type: ignore[no-any-return]
