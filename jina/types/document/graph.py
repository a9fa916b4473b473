"""GraphDocument: a Document whose chunks are the nodes of a graph."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from jina.excepts import BadDocument, BadOption
from jina.types.arrays.chunk import ChunkArray
from jina.types.document import Document, DocumentType
from jina.types.document.attribute import refuse
from jina.types.document.edges import Edge, Graph
from jina.types.sparse import restored

__all__ = ['GraphDocument']

Node = Document | str
"""A Document, or its id."""


class _GraphType(DocumentType):
    def __call__(
        cls, document: Any = None, *, force_undirected: bool = False, copy: bool = False, **options: Any
    ) -> Any:
        if isinstance(document, Document) and not copy:
            _share(document)
        doc = super().__call__(document, copy=copy, **options)
        _check(doc._edges, len(doc.chunks))
        if force_undirected:
            doc._begun().undirected = True
        return doc


def _share(source: Document) -> None:
    """Give ``source`` nodes and edges to share: what is added to the view is then added to it as well."""
    if source._chunks is None:
        source._chunks = []
    if source.content_type is None:
        source.graph = Graph()


def _check(graph: Graph, nodes: int) -> None:
    if any(position >= nodes for edge in graph.edges for position in edge):
        raise BadDocument(f'the graph has edges between more than the {nodes} chunks that there are')


class GraphDocument(Document, metaclass=_GraphType):
    """A Document with a graph: its chunks are the nodes.

    What arrives at an Executor are plain Documents: ``GraphDocument(doc)`` is a view of one, with the same nodes and
    edges. Nodes are added and removed here rather than in ``chunks``, so that the edges follow.

    An undirected graph has each edge once, from the node whose id comes first in the alphabet to the other one;
    degrees and neighbours count it in that direction.

    :param document: a Document, a dict or a JSON string to begin with.
    :param force_undirected: make it an undirected graph.
    :raises BadDocument: when there are edges between chunks that are not there.
    """

    if TYPE_CHECKING:

        def __init__(
            self,
            document: 'Document | Mapping[str, Any] | str | bytes | None' = None,
            *,
            force_undirected: bool = False,
            field_resolver: Mapping[str, str] | None = None,
            copy: bool = False,
            **attributes: Any,
        ) -> None: ...

    # What there is

    @property
    def nodes(self) -> ChunkArray:
        """The nodes: the same as ``chunks``."""
        return self.chunks

    @property
    def num_nodes(self) -> int:
        """How many nodes there are."""
        return len(self._chunks or ())

    @property
    def num_edges(self) -> int:
        """How many edges there are."""
        return len(self._edges.edges)

    @property
    def undirected(self) -> bool:
        """Whether the edges lead both ways."""
        return self._edges.undirected

    @property
    def adjacency(self) -> Any:  # type: ignore[override] # in a graph the name means this
        """The adjacency matrix, a ``coo_matrix`` of scipy with a row and a column a node; None without edges.

        Where scipy is not installed it is a :class:`~jina.types.sparse.SparseArray`.
        """
        graph = self._edges
        return restored(graph.adjacency(self.num_nodes)) if graph.edges else None

    @property
    def edge_features(self) -> dict[str, Any]:
        """What is known of each edge, or None, by ``'source id-target id'``; the dict itself, not a copy."""
        return self._edges.features

    def __iter__(self) -> Any:
        """Yield each edge as a pair of nodes."""
        nodes = self.chunks
        return ((nodes[source], nodes[target]) for source, target in list(self._edges.edges))

    def get_out_degree(self, doc: Node) -> int:
        """Return how many edges lead away from a node; 0 for one that is not there."""
        return len(self._neighbours(doc, outgoing=True))

    def get_in_degree(self, doc: Node) -> int:
        """Return how many edges lead to a node; 0 for one that is not there."""
        return len(self._neighbours(doc, outgoing=False))

    def get_outgoing_nodes(self, doc: Node) -> ChunkArray | None:
        """Return the nodes that edges lead to from a node; None for one that is not there."""
        return self._nodes_at(doc, outgoing=True)

    def get_incoming_nodes(self, doc: Node) -> ChunkArray | None:
        """Return the nodes that edges to a node come from; None for one that is not there."""
        return self._nodes_at(doc, outgoing=False)

    # Nodes

    def add_single_node(self, node: Document) -> None:
        """Add a node, unless one of that id is there.

        :raises BadDocType: when it is no Document.
        """
        self.add_nodes([node])

    def add_nodes(self, nodes: Iterable[Document]) -> None:
        """Add several nodes; those whose id is there already are left out.

        :raises BadDocType: when one of them is no Document; nothing is added then.
        """
        given = list(nodes)
        known = self._positions([node.id for node in given if isinstance(node, Document)])
        new: Any = {}
        for node in given:
            if not isinstance(node, Document) or node.id not in known:
                new.setdefault(getattr(node, 'id', None), node)
        self.chunks.extend(new.values())

    def remove_single_node(self, node: Node) -> None:
        """Remove a node and the edges that it has. One that is not there is none to remove."""
        position = self._position(node)
        if position is None:
            return
        for edge in [edge for edge in self._edges.edges if position in edge]:
            self._remove(edge)
        del self.chunks[position]
        graph = self._edges
        moved = {(_after(s, position), _after(t, position)): value for (s, t), value in graph.edges.items()}
        graph.edges.clear()
        graph.edges.update(moved)

    add_node = add_single_node
    remove_node = remove_single_node

    # Edges

    def add_single_edge(self, doc1: Node, doc2: Node, features: 'Mapping[str, Any] | None' = None) -> None:
        """Add an edge, unless it is there. Documents that are no nodes yet become nodes.

        :param doc1: where it begins: a Document, or the id of a node.
        :param doc2: where it ends.
        :param features: what is known of it.
        :raises KeyError: for an id that no node has.
        """
        self.add_edges([doc1], [doc2], [features])

    def add_edges(
        self,
        source_docs: Sequence[Node],
        dest_docs: Sequence[Node],
        edge_features: 'Sequence[Mapping[str, Any] | None] | None' = None,
    ) -> None:
        """Add several edges, as :meth:`add_single_edge` does: from the first to the first, and so on.

        :param edge_features: what is known of each.
        :raises BadOption: when there are not as many of one as of the other; nothing is added then.
        :raises KeyError: for an id that no node has; nothing is added then.
        """
        features = [None] * len(source_docs) if edge_features is None else edge_features
        if not len(source_docs) == len(dest_docs) == len(features):
            raise BadOption(
                f'add_edges() takes as many of each, not {len(source_docs)} sources, {len(dest_docs)} targets '
                f'and {len(features)} features'
            )
        for known in features:
            if known is not None and not isinstance(known, Mapping):
                refuse('edge_features', 'a dict for each edge, or None', known)
        self._know([*source_docs, *dest_docs])
        positions = self._positions([_id_of(node) for node in (*source_docs, *dest_docs)])
        for source, target, known in zip(source_docs, dest_docs, features, strict=True):
            self._add(_id_of(source), _id_of(target), known, positions)

    def remove_single_edge(self, doc1: Node, doc2: Node) -> None:
        """Remove an edge. One that is not there is none to remove."""
        source, target = self._ordered(_id_of(doc1), _id_of(doc2))
        edge = self._position(source), self._position(target)
        if edge in self._edges.edges:
            self._remove(edge)

    add_edge = add_single_edge
    remove_edge = remove_single_edge

    # DGL

    @staticmethod
    def load_from_dgl_graph(dgl_graph: Any) -> 'GraphDocument':
        """Return a GraphDocument with the nodes and edges of a ``DGLGraph``; the nodes are empty Documents."""
        graph = GraphDocument()
        nodes = [Document() for _ in range(dgl_graph.num_nodes())]
        graph.add_nodes(nodes)
        sources, targets = (ends.tolist() for ends in dgl_graph.edges())
        graph.add_edges([nodes[n] for n in sources], [nodes[n] for n in targets])
        return graph

    def to_dgl_graph(self) -> Any:
        """Return a ``DGLGraph`` with these nodes and edges, without features.

        :raises ImportError: when DGL is not installed.
        """
        try:
            import dgl  # type: ignore[import-not-found, unused-ignore]
        except ImportError as error:
            raise ImportError('to_dgl_graph() needs DGL, which is not installed: see https://www.dgl.ai') from error
        pairs = list(self._edges.edges)
        ends = [source for source, _ in pairs], [target for _, target in pairs]
        graph = dgl.graph(ends, num_nodes=self.num_nodes)
        return dgl.add_reverse_edges(graph) if self.undirected else graph

    # What they share

    @property
    def _edges(self) -> Graph:
        return Graph() if self._graph is None else self._graph

    def _begun(self) -> Graph:
        """Return the graph to change; it takes the place of other content."""
        graph = self._edges
        if graph is not self._graph:
            self.graph = graph
        return graph

    def _empty(self, name: str) -> None:
        if name == 'adjacency':
            self._adjacency = 0
        else:
            super()._empty(name)

    def _positions(self, names: Iterable[str]) -> 'Mapping[str, int]':
        """Return where the nodes of those ids are; ids that no node has are not in it."""
        nodes, index = self._chunks or [], self._edges.index
        for name in names:
            position = index.get(name, len(nodes))
            if position >= len(nodes) or nodes[position]._id != name:
                index.clear()
                index.update((nodes[position]._id, position) for position in reversed(range(len(nodes))))
                break
        return index

    def _position(self, node: Node) -> int | None:
        name = _id_of(node)
        return self._positions([name]).get(name)

    def _ordered(self, source: str, target: str) -> tuple[str, str]:
        return (target, source) if self.undirected and target < source else (source, target)

    def _know(self, nodes: Sequence[Node]) -> None:
        """Make nodes of the Documents, and be sure that the ids are those of nodes."""
        names = [_id_of(node) for node in nodes]
        known = self._positions(names)
        new = [node for node in nodes if isinstance(node, Document) and node.id not in known]
        coming = {node.id for node in new}
        for name in names:
            if name not in known and name not in coming:
                raise KeyError(f'no node has the id {name!r}')
        if new:
            self.add_nodes(new)

    def _add(self, one: str, other: str, features: Any, positions: 'Mapping[str, int]') -> None:
        source, target = self._ordered(one, other)
        edge, graph = (positions[source], positions[target]), self._begun()
        if edge not in graph.edges:
            graph.edges[edge] = 1
            graph.features[f'{source}-{target}'] = None if features is None else {**features}

    def _remove(self, edge: Edge) -> None:
        if self._edges.edges.pop(edge, None) is not None:
            source, target = (self.chunks[position].id for position in edge)
            self._edges.features.pop(f'{source}-{target}', None)

    def _neighbours(self, doc: Node, outgoing: bool) -> list[int]:
        position = self._position(doc)
        near, far = (0, 1) if outgoing else (1, 0)
        return [edge[far] for edge in self._edges.edges if edge[near] == position]

    def _nodes_at(self, doc: Node, outgoing: bool) -> ChunkArray | None:
        if self._position(doc) is None:
            return None
        nodes = self.chunks
        return ChunkArray([nodes[position] for position in self._neighbours(doc, outgoing)], self)


def _id_of(node: Any) -> str:
    if not isinstance(node, Document | str):
        refuse('nodes', 'Documents or ids', node)
    return node if isinstance(node, str) else node.id


def _after(position: int, removed: int) -> int:
    return position - (position > removed)
