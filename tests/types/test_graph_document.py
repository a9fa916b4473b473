import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays import ChunkArray, DocumentArray
from jina.types.document import Document
from jina.types.document.edges import Graph
from jina.types.document.graph import GraphDocument


@pytest.fixture
def nodes() -> DocumentArray:
    return DocumentArray(Document(id=name, text=name) for name in 'abc')


@pytest.fixture
def graph(nodes) -> GraphDocument:
    graph = GraphDocument(id='g')
    graph.add_edges([nodes['a'], nodes['a'], nodes['b']], [nodes['b'], nodes['c'], nodes['c']], [{'w': 1}, None, {}])
    return graph


def edges(graph) -> list[str]:
    return [f'{source.id}{target.id}' for source, target in graph]


def ids(docs) -> str:
    return ''.join(doc.id for doc in docs)


class TestNodes:
    def test_adding(self, nodes):
        graph = GraphDocument()
        graph.add_node(nodes[0])
        graph.add_single_node(nodes[0])
        graph.add_nodes(nodes)
        graph.add_nodes([Document(id='d'), Document(id='d')])
        assert (graph.num_nodes, ids(graph.nodes)) == (4, 'abcd')
        assert isinstance(graph.nodes, ChunkArray)
        assert [(node.granularity, node.parent_id) for node in graph.nodes] == [(1, graph.id)] * 4

    def test_wrong_types_add_nothing(self, nodes):
        graph = GraphDocument()
        with pytest.raises(BadDocType, match='not str'):
            graph.add_nodes([nodes[0], 'b'])
        assert graph.num_nodes == 0

    def test_removing_takes_the_edges(self, graph, nodes):
        graph.remove_node('a')
        assert (ids(graph.nodes), edges(graph), graph.edge_features) == ('bc', ['bc'], {'b-c': {}})
        graph.remove_single_node(nodes['c'])
        assert (ids(graph.nodes), edges(graph)) == ('b', [])
        graph.remove_node('nothing')
        assert graph.num_nodes == 1

    def test_removing_in_the_middle(self, graph):
        graph.add_edge('c', 'a')
        graph.remove_node('b')
        assert edges(graph) == ['ac', 'ca']


class TestEdges:
    def test_adding(self, graph):
        assert graph.num_edges == 3
        assert edges(graph) == ['ab', 'ac', 'bc']
        assert graph.edge_features == {'a-b': {'w': 1}, 'a-c': None, 'b-c': {}}

    def test_by_id(self, graph):
        graph.add_single_edge('c', 'a', features={'q': 1})
        assert (edges(graph)[-1], graph.edge_features['c-a']) == ('ca', {'q': 1})

    def test_an_edge_is_there_once(self, graph):
        graph.add_edge('a', 'b', {'w': 2})
        assert (graph.num_edges, graph.edge_features['a-b']) == (3, {'w': 1})

    def test_documents_become_nodes(self, graph):
        graph.add_edge('a', Document(id='d'))
        assert (graph.num_nodes, edges(graph)[-1]) == (4, 'ad')

    @pytest.mark.parametrize(
        ('arguments', 'error'),
        [
            ((['x'], ['a']), KeyError),
            (([Document(id='new')], ['x']), KeyError),
            ((['a'], []), BadOption),
            ((['a'], ['b'], []), BadOption),
            ((['c'], ['a'], ['x']), BadDocType),
            (([5], ['a']), BadDocType),
        ],
    )
    def test_wrong_ones_change_nothing(self, graph, arguments, error):
        with pytest.raises(error):
            graph.add_edges(*arguments)
        assert (graph.num_nodes, graph.num_edges) == (3, 3)

    def test_removing(self, graph, nodes):
        graph.remove_edge(nodes['a'], 'c')
        assert (edges(graph), set(graph.edge_features)) == (['ab', 'bc'], {'a-b', 'b-c'})
        graph.remove_single_edge('c', 'b')
        graph.remove_edge('a', 'nothing')
        assert graph.num_edges == 2

    def test_features_may_be_changed(self, graph):
        graph.edge_features['a-b']['w'] = 5
        assert graph.edge_features['a-b'] == {'w': 5}

    def test_an_edge_to_itself(self, graph):
        graph.add_edge('a', 'a')
        assert (graph.get_out_degree('a'), graph.get_in_degree('a')) == (3, 1)


class TestNeighbours:
    def test_degrees(self, graph, nodes):
        assert [(graph.get_out_degree(node), graph.get_in_degree(node)) for node in nodes] == [(2, 0), (1, 1), (0, 2)]

    def test_nodes(self, graph, nodes):
        assert ids(graph.get_outgoing_nodes('a')) == 'bc'
        assert ids(graph.get_incoming_nodes(nodes['c'])) == 'ab'
        assert ids(graph.get_incoming_nodes('a')) == ''

    def test_of_what_is_no_node(self, graph):
        assert graph.get_out_degree(Document()) == graph.get_in_degree('x') == 0
        assert graph.get_outgoing_nodes('x') is graph.get_incoming_nodes(Document()) is None

    def test_adjacency(self, graph):
        assert graph.adjacency.toarray().tolist() == [[0, 1, 1], [0, 0, 1], [0, 0, 0]]
        assert GraphDocument().adjacency is None

    def test_empty(self):
        graph = GraphDocument()
        assert (graph.num_nodes, graph.num_edges, graph.edge_features, graph.undirected) == (0, 0, {}, False)


class TestUndirected:
    def test_the_direction_does_not_matter(self):
        graph = GraphDocument(force_undirected=True)
        graph.add_edge(Document(id='b'), Document(id='a'), {'w': 1})
        graph.add_edge('a', 'b', {'w': 2})
        assert graph.undirected
        assert (edges(graph), graph.edge_features) == (['ab'], {'a-b': {'w': 1}})
        assert (graph.get_out_degree('a'), graph.get_in_degree('b')) == (1, 1)
        graph.remove_edge('b', 'a')
        assert (graph.num_edges, graph.edge_features) == (0, {})


class TestAsADocument:
    def test_content(self, graph):
        assert (graph.content_type, graph.content) == ('graph', graph.graph)
        assert graph.non_empty_fields == ('id', 'chunks', 'graph')
        assert 'graph=Graph(3 edges)' in repr(graph)

    def test_other_content_takes_its_place(self, graph):
        graph.text = 'x'
        assert (graph.content_type, graph.num_edges) == ('text', 0)
        graph.add_edge('a', 'b')
        assert (graph.content_type, graph.text) == ('graph', '')

    def test_a_view_keeps_other_content(self):
        doc = Document(text='x')
        assert GraphDocument(doc).text == doc.text == 'x'

    def test_a_view_of_what_arrives(self, graph):
        for arrived in (Document(graph), Document()):
            GraphDocument(arrived).add_edge(Document(id='x'), Document(id='y'))
            assert edges(GraphDocument(arrived))[-1] == 'xy'

    def test_a_copy_is_its_own(self, graph):
        other = GraphDocument(graph, copy=True)
        other.add_edge('c', 'a')
        assert (graph.num_edges, other.num_edges) == (3, 4)

    def test_copies(self, graph):
        for again in (
            copy.deepcopy(graph),
            pickle.loads(pickle.dumps(graph)),
            GraphDocument(graph.json()),
            GraphDocument(graph.dict()),
        ):
            assert type(again) is GraphDocument
            assert again == graph
            assert again.dict() == graph.dict()

    def test_equality_does_not_depend_on_the_order(self, nodes):
        one, other = GraphDocument(), GraphDocument()
        for graph in (one, other):
            graph.add_nodes(Document(id=node.id, text=node.text) for node in nodes)
        one.add_edges('ab', 'bc')
        other.add_edges('ba', 'cb')
        assert one == other
        assert one.graph == other.graph
        other.remove_edge('a', 'b')
        assert one != other

    def test_clear_pop_and_update(self, graph):
        doc = Document()
        doc.update(graph)
        assert GraphDocument(doc).num_edges == 3
        doc.pop('graph')
        assert doc.content_type is None
        graph.clear()
        assert (graph.num_nodes, graph.num_edges) == (0, 0)

    def test_wrong_types(self):
        with pytest.raises(BadDocType, match=r'Document\.graph takes a Graph, not dict'):
            Document(graph={})
        with pytest.raises(BadOption, match='one content'):
            Document(graph=Graph(), text='x')

    def test_edges_without_nodes(self):
        with pytest.raises(BadDocument, match='between more than the 1 chunks'):
            GraphDocument(Document(graph=Graph({(0, 1): 1}), chunks=[Document()]))

    @pytest.mark.parametrize(
        'graph',
        [
            5,
            {'adjacency': 5},
            {'adjacency': {}, 'edge_features': 5},
            {'undirected': 'x'},
            {'adjacency': {'indices': [[0, 0, 0]], 'values': [1], 'shape': [1, 1, 1]}},
            {'adjacency': {'indices': [[0, 5]], 'values': [1], 'shape': [2, 2]}},
        ],
    )
    def test_malformed(self, graph):
        with pytest.raises(BadDocument, match='graph: '):
            Document({'graph': graph})


names = st.sampled_from('abcdef')
steps = st.lists(st.tuples(st.sampled_from(['edge', 'no edge', 'node', 'no node']), names, names), max_size=40)


@given(steps, st.booleans())
def test_it_behaves_like_a_set_of_pairs(steps, undirected):
    graph, nodes, pairs = GraphDocument(force_undirected=undirected), [], set()
    for step, a, b in steps:
        pair = tuple(sorted((a, b))) if undirected else (a, b)
        if step == 'edge':
            graph.add_edge(Document(id=a), Document(id=b))
            pairs.add(pair)
            nodes += [name for name in dict.fromkeys((a, b)) if name not in nodes]
        elif step == 'no edge':
            graph.remove_edge(a, b)
            pairs.discard(pair)
        elif step == 'node':
            graph.add_node(Document(id=a))
            nodes += [] if a in nodes else [a]
        else:
            graph.remove_node(a)
            pairs = {pair for pair in pairs if a not in pair}
            nodes = [name for name in nodes if name != a]
    assert [node.id for node in graph.nodes] == nodes
    assert {(source.id, target.id) for source, target in graph} == pairs
    assert set(graph.edge_features) == {f'{a}-{b}' for a, b in pairs}
    assert graph.num_edges == len(pairs)
    if pairs:
        assert int(np.asarray(graph.adjacency.toarray()).sum()) == len(pairs)


class TestDgl:
    def test_there_and_back(self, graph):
        pytest.importorskip('dgl')
        again = GraphDocument.load_from_dgl_graph(graph.to_dgl_graph())
        assert again.adjacency.toarray().tolist() == graph.adjacency.toarray().tolist()

    def test_where_it_is_not_installed(self, graph, monkeypatch):
        monkeypatch.setitem(__import__('sys').modules, 'dgl', None)
        with pytest.raises(ImportError, match='DGL'):
            graph.to_dgl_graph()
