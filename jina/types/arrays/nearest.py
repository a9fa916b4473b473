"""The exact k smallest distances of each query, gathered block by block in bounded memory.

A block of *screened* distances, each known up to some slack, is looked at once: the minima of groups of its
columns give an upper bound of the k-th smallest distance, and only groups whose minimum comes near that bound
are looked at again. What passes waits in a list; its exact distances are asked for when the vectors of the
block are about to go, and by then few are left.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from jina.types.ndarray import Array

_GROUPS = 8  # groups per wanted neighbour: enough that their minima give a close bound
_LARGEST_GROUP = 32
_WAITING = 2**20  # candidates that may wait before they are sorted out

Exact: TypeAlias = Callable[[Array, Array], Array]


class Nearest:
    """The best so far of ``n`` queries. What is not finite is never among them.

    :param n: how many queries there are.
    :param k: how many neighbours each of them keeps, at most.
    """

    def __init__(self, n: int, k: int) -> None:
        self._k = k
        # For each query upper bounds of the distances of k different neighbours.
        self._bounds = np.full((n, k), np.inf)
        self._waiting: list[tuple[Array, Array, Array]] = []
        self._queries = self._positions = np.empty(0, np.int64)
        self._values = np.empty(0)

    @property
    def positions(self) -> Array:
        """The positions of all that is among the nearest of any query, each once, ascending."""
        return np.unique(self._positions)

    def __getitem__(self, query: int) -> tuple[Array, Array]:
        """Return what is nearest to that query: distances (≤ k,) ascending, and positions (≤ k,)."""
        start, end = np.searchsorted(self._queries, [query, query + 1]).tolist()
        return self._values[start:end], self._positions[start:end]

    def add(self, start: int, offset: int, screened: Array, slack: Array, exact: Exact | None) -> None:
        """Take in the distances of the queries from ``start`` to the neighbours from ``offset`` on.

        :param screened: (q, m), not further than ``slack`` (q,) from the exact distances. It may be changed.
        :param exact: gives the exact distances of pairs, as two arrays of positions; None when ``screened``
            is exact. Asked only when too many candidates wait; :meth:`settle` asks for the others.
        """
        width = screened.shape[1]
        if not self._k or not screened.size:
            return
        size = min(max(1, width // (self._k * _GROUPS)), _LARGEST_GROUP)
        even = width - width % size
        self._add_groups(start, offset, screened[:, :even], slack, size)
        if even < width:
            self._add_groups(start, offset + even, screened[:, even:], slack, 1)
        if sum(len(queries) for queries, _, _ in self._waiting) > max(_WAITING, 2 * self._bounds.size):
            self.settle(exact)

    def _add_groups(self, start: int, offset: int, screened: Array, slack: Array, size: int) -> None:
        groups = screened.shape[1] // size
        grouped = screened.reshape(len(screened), size, groups)
        minima = grouped.min(axis=1)
        if not np.isfinite(minima).all():
            screened[~np.isfinite(screened)] = np.inf
            minima = grouped.min(axis=1)
        rows = slice(start, start + len(screened))
        bounds = self._bounds[rows] = lowest(self._bounds[rows], minima + slack[:, None])
        # fmin also takes the place of a slack that is not a number: then everything finite passes.
        limits = np.fmin(bounds.max(axis=1) + slack, np.finfo(screened.dtype).max).astype(screened.dtype)
        queries, group = np.nonzero(minima <= limits[:, None])
        members = grouped[queries, :, group]
        hit, member = np.nonzero(members <= limits[queries, None])
        queries = queries[hit]
        self._waiting.append(
            (queries + start, member * groups + group[hit] + offset, members[hit, member] - slack[queries])
        )

    def settle(self, exact: Exact | None) -> None:
        """Reduce what was added to the nearest, by the exact distances; ``exact`` as in :meth:`add`."""
        if not self._waiting:
            return
        queries, positions, values = (np.concatenate(parts) for parts in zip(*self._waiting, strict=True))
        self._waiting.clear()
        near = ~(values > self._bounds.max(axis=1)[queries])  # not <=: what cannot be compared is kept
        queries, positions = queries[near], positions[near]
        values = exact(queries, positions) if exact else values[near]
        finite = np.isfinite(values)
        self._keep(queries[finite], positions[finite], values[finite])

    def _keep(self, queries: Array, positions: Array, values: Array) -> None:
        queries = np.concatenate([self._queries, queries])
        positions = np.concatenate([self._positions, positions])
        values = np.concatenate([self._values, values])
        # By position last, so that equal distances are in its order.
        order = np.lexsort((positions, values, queries))
        queries = queries[order]
        rank = np.arange(len(queries)) - np.searchsorted(queries, queries)
        order, self._queries = order[rank < self._k], queries[rank < self._k]
        self._positions, self._values = positions[order], values[order]


def lowest(bounds: Array, values: Array) -> Array:
    """Return for each row the smallest of ``bounds`` (n, k) and ``values`` (n, m), as many as ``bounds`` has."""
    k = bounds.shape[1]
    return np.partition(np.concatenate([bounds, values], axis=1), k - 1, axis=1)[:, :k]
