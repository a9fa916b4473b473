"""How the search uses a distance: a fast screening of all pairs, then the exact value of the few that pass.

A matrix product gives equal vectors slightly different distances, depending on where in the matrix they are.
So it only sorts out what cannot be among the nearest, with some slack; order and scores come from the exact
values, which depend on nothing but the two vectors.
"""

from collections.abc import Callable
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Any, NamedTuple

import numpy as np

from jina.excepts import BadOption
from jina.types.arrays import distance, sparse
from jina.types.ndarray import Array


class Measure(NamedTuple):
    """The parts of a distance.

    :ivar prepare: rows (n, d) → whatever ``screen`` needs of them; called once for each block.
    :ivar screen: two prepared blocks → distances (n, m), up to rounding.
    :ivar slack: two prepared blocks → by how much the screening may be wrong, (n,).
    :ivar exact: rows (n, d), rows (n, d) → exact distances (n,), or None when the screening is exact.
    :ivar finish: exact distances → scores, in the same order.
    """

    prepare: Callable[[Array], Any]
    screen: Callable[[Any, Any], Array]
    slack: Callable[[Any, Any], Array]
    exact: Callable[[Array, Array], Array] | None
    finish: Callable[[Array], Array]


def _same(values: Array) -> Array:
    return values


def _cosine_slack(x: tuple[Array, Array], y: tuple[Array, Array]) -> Array:
    return np.full(len(x[1]), _rounding(x[0]))


def _sqeuclidean_slack(x: tuple[Array, Array], y: tuple[Array, Array]) -> Array:
    slack: Array = _rounding(x[0]) * (x[1] + y[1].max(initial=0))
    return slack


def _rounding(rows: Array) -> float:
    """Return a bound of the relative error of two dot products of such rows."""
    terms: int = rows.shape[1] + 8
    return 4 * terms * float(np.finfo(rows.dtype).eps)


_SQEUCLIDEAN = Measure(
    distance.squared,
    distance.sqeuclidean_of_squared,
    _sqeuclidean_slack,
    distance.sqeuclidean_of_pairs,
    _same,
)

_MEASURES = {
    'cosine': Measure(
        distance.directions, distance.cosine_of_directions, _cosine_slack, distance.cosine_of_pairs, _same
    ),
    'euclidean': _SQEUCLIDEAN._replace(finish=np.sqrt),
    'sqeuclidean': _SQEUCLIDEAN,
}


_SPARSE_SQEUCLIDEAN = Measure(
    sparse.squared,
    sparse.sqeuclidean_of_squared,
    _sqeuclidean_slack,
    sparse.sqeuclidean_of_pairs,
    _same,
)

_SPARSE_MEASURES = {
    'cosine': Measure(sparse.directions, sparse.cosine_of_directions, _cosine_slack, sparse.cosine_of_pairs, _same),
    'euclidean': _SPARSE_SQEUCLIDEAN._replace(finish=np.sqrt),
    'sqeuclidean': _SPARSE_SQEUCLIDEAN,
}


def measure_of(metric: str | Callable[..., Any], name: str = '', of_sparse: bool = False) -> Measure:
    """Return the measure of that name, or made of a function (n, d), (m, d) → (n, m).

    :param name: what a function gets that cannot do without a third argument.
    :param of_sparse: for rows of sparse matrices.
    :raises BadOption: when there is none of that name.
    """
    if callable(metric):
        return Measure(_same, _shape_checked(metric, name), lambda x, y: np.zeros(x.shape[0]), None, _same)
    if isinstance(metric, str) and metric in _MEASURES:
        return (_SPARSE_MEASURES if of_sparse else _MEASURES)[metric]
    near = get_close_matches(str(metric), _MEASURES, n=1)
    advice = f'did you mean {near[0]!r}?' if near else f'known are {", ".join(_MEASURES)}, or give a function'
    raise BadOption(f'there is no metric {metric!r}; {advice}')


def _shape_checked(function: Callable[..., Any], name: str) -> Callable[[Array, Array], Array]:
    third = (name,) if _needs_a_third(function) else ()

    def screen(x: Array, y: Array) -> Array:
        given, wanted = function(x, y, *third), (x.shape[0], y.shape[0])
        distances = np.asarray(given.toarray() if hasattr(given, 'toarray') else given)
        if distances.shape != wanted:
            raise ValueError(
                f'the metric gave shape {distances.shape} for {wanted[0]} and {wanted[1]} vectors, not {wanted}'
            )
        return distances.astype(np.result_type(distances, np.float32))

    return screen


def _needs_a_third(function: Callable[..., Any]) -> bool:
    try:
        parameters = signature(function).parameters.values()
    except ValueError:  # of a function in C nothing is known
        return False
    positional = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    return sum(one.kind in positional and one.default is Parameter.empty for one in parameters) == 3
