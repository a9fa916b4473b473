"""How many rows there are in each range of places: what makes the n-th row quick to find.

A *place* is an integer that orders rows. Places have gaps, so that a row can go between two others, and after
deletions they have more; so the n-th place is not computed but counted: all places with the same upper bits are
one *block*, and the counts of all blocks are few enough to be summed up at once.
"""

from collections.abc import Iterable
from itertools import groupby

import numpy as np

from jina.types.ndarray import Array

GAP = 2**10  # between the places of rows that are appended
_SHIFT = 18  # 256 such rows are one block
_CROWDED = 512  # rows in a block, on the average of a range that is spread again


class Blocks:
    """The counts of all blocks, and which of them have changed.

    :param counts: (block, count), blocks ascending.
    """

    def __init__(self, counts: list[tuple[int, int]]) -> None:
        self._numbers, self._counts = np.array(counts, np.int64).reshape(-1, 2).T.copy()
        self._ends: Array | None = None
        self.changed: dict[int, int] = {}
        self.total = int(self._counts.sum())

    def located(self, position: int) -> tuple[int, int]:
        """Return the place where the block of that row begins, and how many rows of the block come before it."""
        ends = self._summed()
        which = int(np.searchsorted(ends, position, 'right'))
        before = int(ends[which - 1]) if which else 0
        return int(self._numbers[which]) << _SHIFT, position - before

    def begin(self, place: int) -> tuple[int, int]:
        """Return the place where the block of ``place`` begins, and how many rows come before the block."""
        block = place >> _SHIFT
        which = int(np.searchsorted(self._numbers, block))
        return block << _SHIFT, int(self._summed()[which - 1]) if which else 0

    def _summed(self) -> Array:
        if self._ends is None:
            self._ends = np.cumsum(self._counts)
        return self._ends

    def count(self, places: Iterable[int], sign: int) -> None:
        """Take in that rows are now at these places, or with a ``sign`` of −1 that they are not any more."""
        for block, members in groupby(places, lambda place: place >> _SHIFT):
            self._change(block, sign * sum(1 for _ in members))

    def _change(self, block: int, difference: int) -> None:
        which = int(np.searchsorted(self._numbers, block))
        if which == len(self._numbers) or self._numbers[which] != block:
            self._numbers = np.insert(self._numbers, which, block)
            self._counts = np.insert(self._counts, which, 0)
        self._counts[which] += difference
        self._ends = None
        self.total += difference
        self.changed[block] = int(self._counts[which])

    def roomy(self, place: int, more: int) -> tuple[int, int]:
        """Return the smallest range of places around ``place`` that has room for ``more`` rows, spread evenly."""
        block, width = place >> _SHIFT, 0
        while True:
            first = block >> width << width
            last = first + (1 << width)
            begin, end = np.searchsorted(self._numbers, [first, last])
            if int(self._counts[begin:end].sum()) + more < _CROWDED << width:
                return first << _SHIFT, last << _SHIFT
            width += 1


def spread(begin: int, end: int, count: int) -> list[int]:
    """Return ``count`` places from ``begin`` to before ``end``, evenly."""
    return [begin + (number + 1) * (end - begin) // (count + 1) for number in range(count)]
