"""The edges between the chunks of one Document: what makes a graph of it."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from jina.excepts import BadDocument
from jina.types.shorten import shorten
from jina.types.sparse import SparseArray, sparse_from_dict, sparse_to_dict

__all__ = ['Graph']

Number = float
Edge = tuple[int, int]


class Graph:
    """Edges from chunk to chunk; :class:`~jina.types.document.graph.GraphDocument` is how to work with them.

    :param edges: (position of the source, position of the target) → the value in the adjacency matrix.
    :param features: what is known of an edge, or None, by ``'source id-target id'``.
    :param undirected: whether an edge leads both ways.
    """

    __slots__ = ('edges', 'features', 'index', 'undirected')

    def __init__(
        self, edges: dict[Edge, Number] | None = None, features: dict[str, Any] | None = None, undirected: bool = False
    ) -> None:
        self.edges: dict[Edge, Number] = {} if edges is None else edges
        self.features: dict[str, Any] = {} if features is None else features
        self.undirected = undirected
        # id → position, as far as GraphDocument knows them; it may be out of date.
        self.index: dict[str, int] = {}

    @classmethod
    def of(cls, adjacency: SparseArray, features: dict[str, Any], undirected: bool) -> 'Graph':
        """Return the graph of that adjacency matrix.

        :raises BadDocument: when it has not two dimensions.
        """
        if adjacency.ndim != 2:
            raise BadDocument(f'an adjacency matrix has 2 dimensions, not {adjacency.ndim}')
        pairs = map(tuple, adjacency.indices.tolist())
        return cls(dict(zip(pairs, adjacency.values.tolist(), strict=True)), features, undirected)

    def adjacency(self, nodes: int | None = None) -> SparseArray:
        """Return the adjacency matrix.

        :param nodes: how many rows and columns it has; by default just as many as there are edges in.
        """
        indices = np.array(list(self.edges), np.int32).reshape(-1, 2)
        tops = (0, 0) if not len(indices) else (indices.max(axis=0) + 1).tolist()
        shape = tops if nodes is None else (nodes, nodes)
        return SparseArray(indices, np.array(list(self.edges.values()), None if self.edges else np.int64), shape)

    def __eq__(self, other: object) -> bool:
        return portable(self) == portable(other) if isinstance(other, Graph) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> Any:
        return Graph, (self.edges, self.features, self.undirected)

    def __repr__(self) -> str:
        return f'Graph({len(self.edges)} {"undirected " if self.undirected else ""}edges)'


def portable(graph: Graph) -> tuple[Any, ...]:
    """Return what equal graphs share, in whatever order the edges were added."""
    return 'graph', sorted(graph.edges.items()), graph.features, graph.undirected


def graph_to_dict(graph: Graph, features_key: str = 'edge_features') -> dict[str, Any]:
    """Return ``{'adjacency': …, 'edge_features': {…}, 'undirected': True}``, without what is empty."""
    parts = {
        'adjacency': sparse_to_dict(graph.adjacency()) if graph.edges else None,
        features_key: graph.features,
        'undirected': graph.undirected,
    }
    return {name: part for name, part in parts.items() if part}


def graph_from_dict(obj: Any) -> Graph:
    """Return the graph that :func:`graph_to_dict` wrote, in camelCase or snake_case.

    :raises BadDocument: when it is none.
    """
    if not isinstance(obj, Mapping):
        raise BadDocument(f'takes an object, not {shorten(obj)}')
    features, undirected = obj.get('edge_features', obj.get('edgeFeatures')) or {}, obj.get('undirected') or False
    if not isinstance(features, Mapping) or not isinstance(undirected, bool):
        raise BadDocument(f'takes an object of edge_features and a bool for undirected, not {shorten(obj)}')
    adjacency = obj.get('adjacency')
    if not adjacency:
        return Graph(None, dict(features), undirected)
    return Graph.of(sparse_from_dict(adjacency), dict(features), undirected)
