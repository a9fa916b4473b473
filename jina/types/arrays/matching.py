"""For each Document the nearest of others, by their embeddings."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jina.types.arrays.measure import Measure, measure_of
from jina.types.arrays.nearest import Exact, Nearest
from jina.types.ndarray import Array
from jina.types.score import NamedScore

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

_COLUMNS = 8192  # of a block of distances: with some hundred rows it stays in the processor's cache
_CELLS = 2**20  # of a block of distances
GATHERED = 16384  # vectors that lie apart are gathered so many at a time: to copy all of them first is slower
_VALUES = 2**21  # of the vectors that exact distances are computed of at a time


class Options(NamedTuple):
    """What ``DocumentArray.match`` was asked for; see there."""

    metric: str | Callable[..., Any]
    limit: int | None
    normalization: tuple[float, float] | None
    metric_name: str
    batch_size: int | None
    exclude_self: bool

    @property
    def measured_by(self) -> str:
        """The name of the metric."""
        metric = self.metric
        return metric if isinstance(metric, str) else getattr(metric, '__name__', type(metric).__name__)

    @property
    def score(self) -> str:
        """The name of the score that a match gets."""
        return self.metric_name or self.measured_by


def match(queries: 'DocumentArray', database: 'DocumentArray', options: Options) -> None:
    """Set the matches of each of ``queries`` to the nearest of ``database``.

    :raises ValueError: when embeddings are missing or do not fit, or a number is out of range.
    :raises BadOption: for an unknown metric.
    """
    measure = measure_of(options.metric, options.score)
    _check(options)
    for batch in queries._batches(None):
        search = _Search(batch, len(database), measure, options)
        offset = 0
        for candidates in database._candidates(options.batch_size):
            search.look_at(candidates, offset)
            offset += len(candidates)
        for query, chosen, scores in search.results():
            query._matches = _copies(query, chosen, scores, options)


def _check(options: Options) -> None:
    if options.limit is not None and options.limit < 0:
        raise ValueError(f'limit is 0 or more, or None for all, not {options.limit}')
    if options.batch_size is not None and options.batch_size < 0:
        raise ValueError(f'batch_size is at least 1, or None, not {options.batch_size}')


def _copies(query: 'Document', chosen: 'Iterable[Document]', scores: list[float], options: Options) -> Any:
    name, measured_by = options.score, options.measured_by
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


class _Search:
    """The search for the nearest of some queries, which is shown one batch of candidates after another."""

    def __init__(self, queries: 'DocumentArray', candidates: int, measure: Measure, options: Options) -> None:
        self._queries, self._measure, self._options = queries, measure, options
        wanted = candidates if options.limit is None else min(options.limit, candidates)
        self._x: Any = None
        self._nearest = Nearest(len(queries), wanted)
        self._farthest = np.full(len(queries), -np.inf)
        self._chosen: dict[int, Document] = {}
        self._rows_of = _rows_by_id(queries) if options.exclude_self else {}

    def look_at(self, candidates: 'DocumentArray', offset: int) -> None:
        """Take in candidates, whose positions begin at ``offset``; their vectors are not needed afterwards."""
        if self._x is None:
            self._x = _vectors(self._queries)
        x, y = self._x, _vectors(candidates)
        if x.shape[1] != y.shape[1]:
            raise ValueError(f'embeddings of {x.shape[1]} dimensions cannot be matched with {y.shape[1]}')
        x, y, of_sparse = _alike(x, y)
        measure = measure_of(self._options.metric, self._options.score, of_sparse)
        exact = _exact_pairs(measure, x, y, offset)
        ignored = self._same_ids(candidates)
        with np.errstate(over='ignore', invalid='ignore'):
            for start, inner, distances, slack in _blocks(x, y, measure):
                _ignore(distances, start, inner, *ignored)
                if self._options.normalization is not None:
                    rows = slice(start, start + len(distances))
                    self._farthest[rows] = np.maximum(self._farthest[rows], _largest(distances))
                self._nearest.add(start, offset + inner, distances, slack, exact)
            self._nearest.settle(exact)
        self._choose(candidates, offset)

    def _choose(self, candidates: 'DocumentArray', offset: int) -> None:
        """Keep the Documents that are among the nearest so far, and no others."""
        known = self._chosen
        self._chosen = {
            position: known[position] if position < offset else candidates[position - offset]
            for position in self._nearest.positions.tolist()
        }

    def _same_ids(self, candidates: 'DocumentArray') -> tuple[Array, Array]:
        """Return the rows and columns of all pairs that have the same id, if these are to be left out."""
        rows_of = self._rows_of
        columns = enumerate(candidates) if rows_of else ()
        pairs = [(row, column) for column, doc in columns for row in rows_of.get(doc._id, ())]
        rows, others = np.array(pairs, np.int64).reshape(-1, 2).T
        return rows, others

    def results(self) -> 'Iterator[tuple[Document, Iterable[Document], list[float]]]':
        """Yield for each query the nearest Documents and their scores."""
        for number, (query, farthest) in enumerate(zip(self._queries, self._farthest.tolist(), strict=True)):
            distances, positions = self._nearest[number]
            scores = _scores(distances, farthest, self._measure, self._options.normalization)
            yield query, map(self._chosen.__getitem__, positions.tolist()), scores.tolist()


def _alike(x: Any, y: Any) -> tuple[Any, Any, bool]:
    """Return both as dense or both as sparse, like ``y``, which may be much larger; and whether they are sparse."""
    is_dense = isinstance(x, np.ndarray), isinstance(y, np.ndarray)
    if is_dense == (True, False):
        x = type(y)(x)
    elif is_dense == (False, True):
        x = x.toarray()
    return x, y, not is_dense[1]


def _vectors(docs: 'DocumentArray') -> Any:
    """Return the embeddings of Documents as real vectors (n, d), dense or sparse.

    :raises ValueError: when they are something else.
    """
    embeddings = _gathered(docs._docs)
    if embeddings is None:
        embeddings = docs.embeddings
    if embeddings.ndim != 2 or embeddings.dtype.kind == 'c':
        raise ValueError(f'embeddings are vectors of real numbers to match, not {embeddings.shape} {embeddings.dtype}')
    return embeddings


def _gathered(docs: 'list[Document]') -> Array | None:
    """Return vectors that lie apart as one array; None for all else, errors included.

    This is what ``embeddings`` does, without a look at each of them in turn.
    """
    if are_rows_of_one_array(docs):
        return None
    rows: list[Any] = list(map(attrgetter('_embedding'), docs))
    if set(map(type, rows)) != {np.ndarray}:
        return None
    shapes = set(map(attrgetter('shape'), rows))
    (length, *more) = shapes.pop() or (0, 0)
    return None if shapes or more else np.concatenate(rows).reshape(len(rows), length)


def are_rows_of_one_array(docs: 'list[Document]') -> bool:
    """Whether the embeddings of Documents look as if they could be stacked without a copy."""
    ends = [getattr(doc._embedding, 'base', None) for doc in (*docs[:1], *docs[-1:])]
    return bool(ends) and ends[0] is not None and ends[0] is ends[-1]


def _rows_by_id(docs: 'Iterable[Document]') -> dict[str, list[int]]:
    rows: dict[str, list[int]] = {}
    for row, doc in enumerate(docs):
        rows.setdefault(doc._id, []).append(row)
    return rows


def _blocks(x: Any, y: Any, measure: Measure) -> 'Iterator[tuple[int, int, Array, Array]]':
    """Yield (first query, first neighbour, distances, slack): all queries, then the next neighbours."""
    columns = min(_COLUMNS, y.shape[0])
    rows = max(1, _CELLS // columns)
    prepared = [(start, measure.prepare(x[start : start + rows])) for start in range(0, x.shape[0], rows)]
    for offset in range(0, y.shape[0], columns):
        right = measure.prepare(y[offset : offset + columns])
        for start, left in prepared:
            yield start, offset, measure.screen(left, right), measure.slack(left, right)


def _exact_pairs(measure: Measure, x: Any, y: Any, offset: int) -> Exact | None:
    """Return a function that gives the exact distances of pairs of positions, those in ``y`` from ``offset`` on."""
    exact = measure.exact
    if exact is None:
        return None
    step = max(1, _VALUES // max(1, x.shape[1]))

    def distances(rows: Array, others: Array) -> Array:
        parts = [slice(start, start + step) for start in range(0, len(rows), step)]
        computed = (exact(x[rows[part]], y[others[part] - offset]) for part in parts)
        return np.concatenate(list(chain((np.empty(0),), computed)))

    return distances


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
