"""Distances between vectors, all from all (n, d) × (m, d) → (n, m), or row by row (n, d) × (n, d) → (n,)."""

import numpy as np

from jina.types.ndarray import Array


def cosine(x: Array, y: Array) -> Array:
    """Return 1 − cos of the angle between rows, in [0, 2]; a row of zeros is at distance 1 from every row.

    float32 stays float32; integers are computed in float64.
    """
    return cosine_of_directions(directions(x), directions(y))


def sqeuclidean(x: Array, y: Array) -> Array:
    """Return the squared length of the difference between rows, in float64."""
    return sqeuclidean_of_squared(squared(x), squared(y))


def euclidean(x: Array, y: Array) -> Array:
    """Return the length of the difference between rows, in float64."""
    return np.sqrt(sqeuclidean(x, y))


def directions(rows: Array) -> Array:
    """Return (n, d) rows at length 1; rows of zeros stay zeros."""
    scaled = _scaled(rows.astype(np.result_type(rows, np.float32), copy=False))
    lengths = np.sqrt(np.einsum('ij,ij->i', scaled, scaled))[:, None]
    scaled /= np.where(lengths > 0, lengths, 1)
    return scaled


def _scaled(rows: Array) -> Array:
    """Return the rows divided by their largest value: their squares stay in the range of the dtype."""
    largest = np.abs(rows).max(axis=1, keepdims=True, initial=0)
    return rows / np.where(largest > 0, largest, 1)


def cosine_of_directions(x: Array, y: Array) -> Array:
    """Return the cosine distances (n, m) of rows that have length 1 or 0."""
    distances = x @ y.T
    np.subtract(1, distances, out=distances)
    np.clip(distances, 0, 2, out=distances)
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
    x, y = _scaled(x.astype(np.float64, copy=False)), _scaled(y.astype(np.float64, copy=False))
    lengths = np.sqrt((x * x).sum(axis=1) * (y * y).sum(axis=1))
    cosines = (x * y).sum(axis=1) / np.where(lengths > 0, lengths, 1)
    distances: Array = np.clip(1 - cosines, 0, 2)
    return distances


def sqeuclidean_of_pairs(x: Array, y: Array) -> Array:
    """Return the squared distance of each row of ``x`` from the same row of ``y``, in float64: (n,)."""
    difference = x.astype(np.float64, copy=False) - y.astype(np.float64, copy=False)
    difference *= difference
    return difference.sum(axis=1)  # type: ignore[no-any-return]
