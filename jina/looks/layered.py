"""Where the boxes of a diagram go: layer by layer, along the arrows.

1. A box is in the layer after the last of those that lead to it (the longest path), so all arrows lead forward.
2. An arrow over several layers gets a *bend* in each layer between, which takes room as a box does: so no arrow
   crosses a box.
3. Within the layers, boxes are sorted by the mean position of their neighbours, to and fro, and the order with the
   fewest crossings is kept.
4. Each box is drawn as near to the mean position of its neighbours as order and gaps allow. For a layer this is a
   least-squares problem with an exact solution in one pass: boxes that would overlap are merged to a block, which
   goes to the weighted mean of what its members want.

Positions are along the arrows (*along*) and across them (*across*); only the last step knows which of these is x.
"""

from bisect import bisect, insort
from collections.abc import Hashable, Iterable, Mapping, Sequence
from graphlib import TopologicalSorter
from itertools import pairwise
from typing import NamedTuple, TypeAlias

Key: TypeAlias = Hashable
Point: TypeAlias = tuple[float, float]
Neighbours: TypeAlias = dict[Key, list[Key]]

LAYER_GAP = 48.0
GAP = 20.0
BEND = 8.0
SORTINGS = 12
PLACINGS = 64
STIFFNESS = 4.0  # how much more bends hold to each other than boxes do: long arrows shall be straight


class Layout(NamedTuple):
    """Where everything is.

    :ivar centres: the centre of each box.
    :ivar routes: the points that each arrow touches, from box to box: pairs of points between which it curves.
    :ivar size: width and height of the whole.
    """

    centres: dict[str, Point]
    routes: dict[tuple[str, str], list[Point]]
    size: Point


def arrange(sizes: Mapping[str, Point], edges: Iterable[tuple[str, str]], vertical: bool = False) -> Layout:
    """Return the layout of boxes of those (width, height).

    :param edges: pairs of keys of ``sizes``, without a circle.
    :param vertical: from top to bottom; otherwise from left to right.
    """
    turned = {key: _turn(size, vertical) for key, size in sizes.items()}
    flat = _arranged(turned, list(dict.fromkeys(edges)))
    return Layout(
        {key: _turn(point, vertical) for key, point in flat.centres.items()},
        {edge: [_turn(point, vertical) for point in route] for edge, route in flat.routes.items()},
        _turn(flat.size, vertical),
    )


def _turn(point: Point, vertical: bool) -> Point:
    return (point[1], point[0]) if vertical else point


def _arranged(sizes: Mapping[str, Point], edges: list[tuple[str, str]]) -> Layout:
    ranks = ranks_of(sizes, edges)
    chains = {edge: _chain(edge, ranks) for edge in edges}
    before, after = _neighbours(chains.values())
    layers = ordered(_layers(sizes, ranks, chains.values()), before, after)
    extents = {key: sizes[key][1] if isinstance(key, str) else BEND for layer in layers for key in layer}
    across = _placed(layers, extents, before, after)
    spans = _spans(layers, sizes)
    centres = {key: (sum(spans[ranks[key]]) / 2, across[key]) for key in sizes}
    routes = {edge: _route(chain, sizes, centres, across, spans, ranks) for edge, chain in chains.items()}
    height = max((across[key] + extents[key] / 2 for key in across), default=0.0)
    return Layout(centres, routes, (spans[-1][1] if spans else 0.0, height))


def ranks_of(keys: Iterable[str], edges: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the layer of each box: one more than that of the last that leads to it."""
    sources: dict[str, list[str]] = {key: [] for key in keys}
    for source, target in edges:
        sources[target].append(source)
    ranks: dict[str, int] = {}
    for key in TopologicalSorter(sources).static_order():
        ranks[key] = max((ranks[source] + 1 for source in sources[key]), default=0)
    return ranks


def _chain(edge: tuple[str, str], ranks: Mapping[str, int]) -> list[Key]:
    """Return an arrow as source, bends, target; a bend is (source, target, layer)."""
    source, target = edge
    return [source, *((source, target, rank) for rank in range(ranks[source] + 1, ranks[target])), target]


def _neighbours(chains: Iterable[list[Key]]) -> tuple[Neighbours, Neighbours]:
    before: Neighbours = {}
    after: Neighbours = {}
    for chain in chains:
        for source, target in pairwise(chain):
            after.setdefault(source, []).append(target)
            before.setdefault(target, []).append(source)
    return before, after


def _layers(keys: Iterable[str], ranks: Mapping[str, int], chains: Iterable[list[Key]]) -> list[list[Key]]:
    layers: list[list[Key]] = [[] for _ in range(max(ranks.values(), default=-1) + 1)]
    for key in keys:
        layers[ranks[key]].append(key)
    for source, *bends, _ in chains:
        for number, bend in enumerate(bends, 1):
            layers[ranks[str(source)] + number].append(bend)
    return layers


# Order within the layers


def ordered(layers: list[list[Key]], before: Neighbours, after: Neighbours) -> list[list[Key]]:
    """Return the layers, each sorted so that few arrows cross."""
    best, fewest = layers, crossings(layers, after)
    for turn in range(SORTINGS):
        if not fewest:
            break
        layers = _sorted(layers, before) if turn % 2 == 0 else _sorted(layers[::-1], after)[::-1]
        count = crossings(layers, after)
        if count < fewest:
            best, fewest = layers, count
    return best


def _sorted(layers: list[list[Key]], neighbours: Neighbours) -> list[list[Key]]:
    """Return the layers, each but the first sorted by its neighbours in the one before."""
    done: list[list[Key]] = []
    at: dict[Key, float] = {}
    for layer in layers:
        at |= {key: float(number) for number, key in enumerate(layer)}
        # Who has no neighbours stays where it is.
        wanted = {key: _mean([at[other] for other in neighbours.get(key, [key])]) for key in layer}
        done.append(sorted(layer, key=wanted.__getitem__) if done else layer)
        at |= {key: float(number) for number, key in enumerate(done[-1])}
    return done


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)


def crossings(layers: list[list[Key]], after: Neighbours) -> int:
    """Return how often arrows between neighbouring layers cross."""
    count = 0
    for layer, following in pairwise(layers):
        at = {key: number for number, key in enumerate(following)}
        ends: list[int] = []
        for key in layer:
            targets = [at[target] for target in after.get(key, ())]
            count += sum(len(ends) - bisect(ends, target) for target in targets)
            for target in targets:
                insort(ends, target)
    return count


# Positions


def _placed(
    layers: list[list[Key]], extents: Mapping[Key, float], before: Neighbours, after: Neighbours
) -> dict[Key, float]:
    """Return where each box and bend is across the arrows; the first begins at 0."""
    at = {key: 0.0 for layer in layers for key in layer}
    around = {key: before.get(key, []) + after.get(key, []) for key in at}
    # Whole layers are drawn along first; then all give way to each other.
    for turn in range(PLACINGS):
        neighbours = around if turn >= PLACINGS // 2 else (before, after)[turn % 2]
        for layer in layers if turn % 2 == 0 else reversed(layers):
            wanted, weights = zip(*(_pull(key, neighbours.get(key) or [key], at) for key in layer), strict=True)
            at |= zip(layer, spread(wanted, [extents[key] for key in layer], weights), strict=True)
    top = min((at[key] - extents[key] / 2 for key in at), default=0.0)
    return {key: position - top for key, position in at.items()}


def _pull(key: Key, neighbours: list[Key], at: Mapping[Key, float]) -> tuple[float, float]:
    """Return to where its neighbours pull a box or bend, and how strongly."""
    # The weights of a box add up to its own: otherwise what is gained here is lost there, and all drifts away.
    weights = [1.0 if isinstance(key, str) or isinstance(other, str) else STIFFNESS for other in neighbours]
    total = sum(weights)
    return sum(at[other] * weight for other, weight in zip(neighbours, weights, strict=True)) / total, total


class _Block(NamedTuple):
    """Boxes that touch: where the first of them wants to be, how strongly, and how many they are."""

    start: float
    weight: float
    members: int


def spread(wanted: Sequence[float], extents: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the centres, in this order and without overlap, that are nearest to the wanted ones in least squares."""
    offsets = _offsets(extents)
    blocks: list[_Block] = []
    for centre, offset, weight in zip(wanted, offsets, weights, strict=True):
        block = _Block(centre - offset, weight, 1)
        while blocks and blocks[-1].start >= block.start:
            block = _merged(blocks.pop(), block)
        blocks.append(block)
    starts = [block.start for block in blocks for _ in range(block.members)]
    return [start + offset for start, offset in zip(starts, offsets, strict=True)]


def _offsets(extents: Sequence[float]) -> list[float]:
    """Return the centres of boxes that are packed as tightly as may be."""
    centres, end = [], 0.0
    for extent in extents:
        centres.append(end + extent / 2)
        end += extent + GAP
    return centres


def _merged(a: _Block, b: _Block) -> _Block:
    weight = a.weight + b.weight
    return _Block((a.start * a.weight + b.start * b.weight) / weight, weight, a.members + b.members)


def _spans(layers: list[list[Key]], sizes: Mapping[str, Point]) -> list[Point]:
    """Return where each layer begins and ends along the arrows."""
    spans, end = [], -LAYER_GAP
    for layer in layers:
        begin = end + LAYER_GAP
        end = begin + max(sizes[key][0] for key in layer if isinstance(key, str))
        spans.append((begin, end))
    return spans


def _route(
    chain: list[Key],
    sizes: Mapping[str, Point],
    centres: Mapping[str, Point],
    across: Mapping[Key, float],
    spans: list[Point],
    ranks: Mapping[str, int],
) -> list[Point]:
    """Return the points of an arrow: it leaves a box, goes straight through each layer between, and enters a box."""
    source, *bends, target = chain
    assert isinstance(source, str)
    assert isinstance(target, str)
    points = [(centres[source][0] + sizes[source][0] / 2, across[source])]
    for number, bend in enumerate(bends, 1):
        points += [(end, across[bend]) for end in spans[ranks[source] + number]]
    return [*points, (centres[target][0] - sizes[target][0] / 2, across[target])]
