"""For each Document the nearest of others, by their embeddings."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jina.types.arrays.measure import Measure, measure_of
from jina.types.arrays.nearest import Nearest
from jina.types.ndarray import Array
from jina.types.score import NamedScore

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

BATCH_SIZE = 16384
_CELLS = 2**21  # numbers in memory at once, about


class Options(NamedTuple):
    """What ``DocumentArray.match`` was asked for; see there."""

    metric: str | Callable[[Array, Array], Any]
    limit: int | None
    normalization: tuple[float, float] | None
    metric_name: str
    batch_size: int
    exclude_self: bool


def match(queries: 'DocumentArray', database: 'DocumentArray', options: Options) -> None:
    """Set the matches of each of ``queries`` to the nearest of ``database``.

    :raises ValueError: when embeddings are missing or do not fit, or a number is out of range.
    :raises BadOption: for an unknown metric.
    """
    measure = measure_of(options.metric)
    _check(options)
    if not len(queries):
        return
    if not len(database):
        for query in queries:
            query._matches = []
        return
    candidates = list(database)
    for query, (scores, positions) in zip(queries, _search(queries, database, measure, options), strict=True):
        chosen = [candidates[position] for position in positions.tolist()]
        query._matches = _copies(query, chosen, scores.tolist(), options)


def _check(options: Options) -> None:
    if options.limit is not None and options.limit < 0:
        raise ValueError(f'limit is 0 or more, or None for all, not {options.limit}')
    if options.batch_size < 1:
        raise ValueError(f'batch_size is at least 1, not {options.batch_size}')


def _copies(query: 'Document', chosen: 'list[Document]', scores: list[float], options: Options) -> Any:
    measured_by = options.metric if isinstance(options.metric, str) else _name_of(options.metric)
    name = options.metric_name or measured_by
    granularity, adjacency, query_id = query._granularity, query._adjacency + 1, query._id
    copies = []
    for doc, score in zip(chosen, scores, strict=True):
        copy = doc.__copy__()
        copy._granularity, copy._adjacency = granularity, adjacency
        copy._scores = {name: NamedScore(score, measured_by, ref_id=query_id)}
        # With matches of its own it would hold what it was matched with before, and so on without end.
        copy._matches = None
        copies.append(copy)
    return copies


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, '__name__', type(function).__name__)


def _search(
    queries: 'DocumentArray', database: 'DocumentArray', measure: Measure, options: Options
) -> 'Iterator[tuple[Array, Array]]':
    """Yield for each query the scores and the positions of its nearest."""
    x, y = _vectors(queries), _vectors(database)
    if x.shape[1] != y.shape[1]:
        raise ValueError(f'embeddings of {x.shape[1]} dimensions cannot be matched with {y.shape[1]}')
    wanted = len(y) if options.limit is None else min(options.limit, len(y))
    nearest, farthest = Nearest(len(x), wanted), np.full(len(x), -np.inf)
    ignored = _same_ids(queries, database) if options.exclude_self else None
    exact = _exact_pairs(measure, x, y)
    with np.errstate(over='ignore', invalid='ignore'):
        for start, offset, distances, slack in _blocks(x, y, measure, options.batch_size):
            if ignored is not None:
                _ignore(distances, start, offset, *ignored)
            if options.normalization is not None:
                rows = slice(start, start + len(distances))
                farthest[rows] = np.maximum(farthest[rows], _largest(distances))
            nearest.add(start, offset, distances, slack, exact)
    for query, high in enumerate(farthest.tolist()):
        distances, positions = nearest[query]
        yield _scores(distances, high, measure, options.normalization), positions


def _vectors(docs: 'DocumentArray') -> Array:
    vectors = docs.embeddings
    if vectors.ndim != 2 or vectors.dtype.kind == 'c':
        raise ValueError(f'embeddings are vectors of real numbers to match, not {vectors.shape} {vectors.dtype}')
    return vectors


def _blocks(x: Array, y: Array, measure: Measure, batch_size: int) -> 'Iterator[tuple[int, int, Array, Array]]':
    """Yield (first query, first neighbour, distances, slack): all queries, then the next neighbours."""
    rows = max(1, _CELLS // min(batch_size, len(y)))
    prepared = [(start, measure.prepare(x[start : start + rows])) for start in range(0, len(x), rows)]
    for offset in range(0, len(y), batch_size):
        right = measure.prepare(y[offset : offset + batch_size])
        for start, left in prepared:
            yield start, offset, _comparable(measure.screen(left, right)), measure.slack(left, right)


def _comparable(distances: Array) -> Array:
    """Return the distances with infinity for what is not a number."""
    if np.isnan(distances.min(initial=0)):  # cheaper than to ask each of them
        distances[np.isnan(distances)] = np.inf
    return distances


def _exact_pairs(measure: Measure, x: Array, y: Array) -> Callable[[Array, Array], Array] | None:
    """Return a function that gives the exact distances of pairs of positions in ``x`` and ``y``."""
    exact = measure.exact
    if exact is None:
        return None
    step = max(1, _CELLS // max(1, x.shape[1]))

    def distances(rows: Array, others: Array) -> Array:
        parts = [slice(start, start + step) for start in range(0, len(rows), step)]
        return np.concatenate([exact(x[rows[part]], y[others[part]]) for part in parts])

    return distances


def _same_ids(queries: 'DocumentArray', database: 'DocumentArray') -> tuple[Array, Array]:
    """Return the positions of all pairs that have the same id, as two arrays."""
    positions: dict[str, list[int]] = {}
    for position, doc in enumerate(database):
        positions.setdefault(doc._id, []).append(position)
    pairs = [(row, other) for row, doc in enumerate(queries) for other in positions.get(doc._id, ())]
    rows, others = np.array(pairs, np.int64).reshape(-1, 2).T
    return rows, others


def _ignore(distances: Array, start: int, offset: int, rows: Array, others: Array) -> None:
    """Put the pairs that are in this block out of reach."""
    rows, others = rows - start, others - offset
    inside = (rows >= 0) & (rows < len(distances)) & (others >= 0) & (others < distances.shape[1])
    distances[rows[inside], others[inside]] = np.inf


def _largest(distances: Array) -> Array:
    """Return the largest finite distance of each row."""
    return distances.max(axis=1, initial=-np.inf, where=np.isfinite(distances))  # type: ignore[no-any-return]


def _scores(distances: Array, farthest: float, measure: Measure, normalization: tuple[float, float] | None) -> Array:
    if normalization is None or not len(distances):
        return measure.finish(distances)
    # The nearest is known exactly, the farthest only when it is among the nearest.
    ends = np.array([distances[0], max(farthest, distances[-1])])
    return _normalized(measure.finish(distances), measure.finish(ends), *normalization)


def _normalized(scores: Array, ends: Array, a: float, b: float) -> Array:
    """Map the ends to ``a`` and ``b``; all to ``a`` when there is nothing between them."""
    low, high = ends.tolist()
    factor = (b - a) / (high - low) if low < high else 0.0
    normalized: Array = a + (scores - low) * factor
    return normalized
