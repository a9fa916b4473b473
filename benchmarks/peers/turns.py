"""Turns: A B A B …, and what is made of the figures: medians, and ratios round by round."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple


class Measure(NamedTuple):
    """Something that is measured.

    :param key: its name in the results, such as ``http/1/32/rate``.
    :param more: whether more is better.
    """

    key: str
    title: str
    unit: str
    more: bool = True


class Spread(NamedTuple):
    """A median, and the least and the greatest of the rounds."""

    median: float
    low: float
    high: float


def spread(values: Iterable[float]) -> Spread:
    """The median of some figures, and between which they lie."""
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[0], ordered[-1])


def advantage(measure: Measure, ours: list[float], theirs: list[float]) -> Spread:
    """How many times better ours is, round by round; below 1 it is worse."""
    pairs = zip(ours, theirs, strict=True)
    return spread(own / other if measure.more else other / own for own, other in pairs)


@dataclass
class Results:
    """What was measured: for each measure and peer a figure a round, or why there is none."""

    figures: dict[str, dict[str, list[float] | str]] = field(default_factory=dict)

    def add(self, key: str, peer: str, figure: float) -> None:
        """A figure of one more round; a peer that failed in an earlier round stays failed."""
        of_peer = self.figures.setdefault(key, {}).setdefault(peer, [])
        if isinstance(of_peer, list):
            of_peer.append(figure)

    def refuse(self, key: str, peer: str, why: str) -> None:
        """The peer cannot do it, or failed."""
        self.figures.setdefault(key, {})[peer] = why

    def of(self, key: str, peer: str) -> list[float] | str:
        """The figures of a peer, or why there are none; empty when it was not asked."""
        return self.figures.get(key, {}).get(peer, [])


def take_turns(
    results: Results,
    peers: Iterable[str],
    rounds: int,
    keys: Iterable[str],
    visit: Callable[[str], dict[str, float | str]],
    failure: type[Exception],
) -> None:
    """Visit one peer after the other, so many times, and note what each visit found.

    :param keys: what every visit is to measure; a peer that fails has failed in all of them that are still missing.
    :param visit: measures one peer; what it cannot do is a text.
    :param failure: what ``visit`` raises when the peer fails: its message is noted, and the peer is left out.
    """
    left = list(peers)
    keys = list(keys)
    for _ in range(rounds):
        for peer in list(left):
            try:
                found = visit(peer)
            except failure as error:
                found = dict.fromkeys(keys, str(error))
            if all(isinstance(figure, str) for figure in found.values()):
                left.remove(peer)
            for key, figure in found.items():
                if isinstance(figure, str):
                    results.refuse(key, peer, figure)
                else:
                    results.add(key, peer, figure)
