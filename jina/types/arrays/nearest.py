"""The exact k smallest distances of each query, gathered block by block in bounded memory."""

from collections.abc import Callable

import numpy as np

from jina.types.ndarray import Array

_GROUPS = 8  # groups per wanted neighbour: enough that their minima give a close bound


class Nearest:
    """The best so far of ``n`` queries. What is not finite is never among them.

    :param n: how many queries there are.
    :param k: how many neighbours each of them keeps, at most.
    """

    def __init__(self, n: int, k: int) -> None:
        self._k = k
        self._found = [(np.empty(0), np.empty(0, np.int64))] * n
        self._known = np.full(n, np.inf)

    def __getitem__(self, query: int) -> tuple[Array, Array]:
        """Return what is nearest to that query: distances (≤ k,) ascending, and positions (≤ k,)."""
        return self._found[query]

    def add(
        self,
        start: int,
        offset: int,
        screened: Array,
        slack: Array,
        exact: Callable[[Array, Array], Array] | None,
    ) -> None:
        """Take in the distances of the queries from ``start`` to the neighbours from ``offset`` on.

        Offsets must ascend, so that equal distances stay in the order of their positions.

        :param screened: (q, m), not further than ``slack`` (q,) from the exact distances.
        :param exact: gives the exact distances of pairs, as two arrays of positions; None when ``screened``
            is exact.
        """
        rows = slice(start, start + len(screened))
        bounds = np.minimum(self._known[rows], upper_bounds(screened, self._k)) + 2 * slack
        # fmin also takes the place of a slack that is not a number: then everything finite passes.
        bounds = np.fmin(bounds, np.finfo(screened.dtype).max).astype(screened.dtype)
        queries, positions = np.nonzero(screened <= bounds[:, None])
        if not len(queries):
            return
        values = screened[queries, positions].astype(np.float64)
        queries, positions = queries + start, positions + offset
        self._merge_all(queries, positions, exact(queries, positions) if exact else values)

    def _merge_all(self, queries: Array, positions: Array, values: Array) -> None:
        starts = np.flatnonzero(np.diff(queries, prepend=-1))
        ends = np.append(starts[1:], len(queries))
        for query, start, end in zip(queries[starts].tolist(), starts.tolist(), ends.tolist(), strict=True):
            self._merge(query, values[start:end], positions[start:end])

    def _merge(self, query: int, values: Array, positions: Array) -> None:
        old_values, old_positions = self._found[query]
        values = np.concatenate([old_values, values])
        # Stable, and the older ones have the smaller positions: so ties stay in order.
        order = values.argsort(kind='stable')[: self._k]
        values = values[order]
        self._found[query] = values, np.concatenate([old_positions, positions])[order]
        if self._k and len(values) == self._k:
            self._known[query] = values[-1]


def upper_bounds(distances: Array, k: int) -> Array:
    """Return for each row a value that at least ``k`` of its values do not exceed; infinity if it is shorter.

    The k-th smallest of the minima of disjoint groups is such a value, and needs one pass through memory.
    """
    n, m = distances.shape
    if k == 0:
        return np.full(n, -np.inf)
    if k >= m:
        return np.full(n, np.inf)
    size = m // (k * _GROUPS)
    if size > 1:
        groups = m // size
        distances = distances[:, : groups * size].reshape(n, size, groups).min(axis=1)
    return np.partition(distances, k - 1, axis=1)[:, k - 1]
