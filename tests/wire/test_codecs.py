"""The contract of a codec, over each of them; and what each has for itself."""

import base64
import json
import math
import struct
import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from jina.excepts import BadDocument, BadOption, WireError
from jina.proto.jina_pb2 import DataRequestProto, DenseNdArrayProto, DocumentProto
from jina.types import sparse
from jina.types.document import Document
from jina.types.document.edges import Graph
from jina.types.document.graph import GraphDocument
from jina.types.protostruct import dict_to_struct, struct_to_dict
from jina.types.score import NamedScore
from jina.wire.codecs import codec
from jina.wire.head import JSON, MSGPACK, PROTOBUF, body_size

ENCODINGS = [MSGPACK, JSON, PROTOBUF]

whole = st.integers(-(2**53), 2**53)
single = st.floats(width=32, allow_nan=False, allow_infinity=False)
plain = st.none() | st.booleans() | whole | st.floats(allow_nan=False, allow_infinity=False) | st.text()
values = st.recursive(plain, lambda v: st.lists(v) | st.dictionaries(st.text(), v), max_leaves=6)
EVERY_DTYPE = [np.dtype(code).newbyteorder(order).str for code in '?bhilqBHILQefdgFDG' for order in '<>']
dtypes = st.sampled_from(sorted(set(EVERY_DTYPE)))
arrays = dtypes.flatmap(lambda dtype: nps.arrays(dtype, nps.array_shapes(min_dims=0, min_side=0, max_side=4)))


def make_sparse(dtype, shape, numbers):
    values = np.array([number for *_, number in numbers]).astype(dtype)
    indices = [[place % size for place, size in zip(places, shape, strict=True)] for *places, _ in numbers]
    return sparse.restored(sparse.SparseArray(np.array(indices, 'i4').reshape(-1, 2), values, shape))


sides = st.integers(1, 2**31 - 1)
sparse_arrays = st.builds(
    make_sparse,
    st.sampled_from(['<f4', '>f8', '|b1', '<i8', '|u1', '<c16', '<f2']),
    st.tuples(sides, sides),
    st.lists(st.tuples(sides, sides, st.integers(0, 9)), max_size=4),
)
positions = st.integers(0, 2**31 - 2)
graphs = st.builds(
    Graph,
    st.dictionaries(st.tuples(positions, positions), st.just(1), max_size=4),
    st.dictionaries(st.text(), st.none() | st.dictionaries(st.text(), values, max_size=2), max_size=2),
    st.booleans(),
)
scores = st.builds(
    NamedScore,
    value=single,
    op_name=st.text(),
    description=st.text(),
    operands=st.none() | st.lists(st.builds(NamedScore, value=single), min_size=1, max_size=2),
    ref_id=st.text(),
)
small = st.integers(0, 2**31)
contents = (
    st.fixed_dictionaries({'text': st.text()})
    | st.fixed_dictionaries({'buffer': st.binary()})
    | st.fixed_dictionaries({'blob': arrays | sparse_arrays})
    | st.fixed_dictionaries({'graph': graphs})
    | st.just({})
)
fields = st.fixed_dictionaries(
    {},
    optional={
        'id': st.text(min_size=1),
        'uri': st.text(),
        'mime_type': st.text(),
        'weight': single,
        'modality': st.text(),
        'tags': st.dictionaries(st.text(), values, max_size=4),
        'location': st.lists(small, max_size=4),
        'offset': small,
        'embedding': arrays | sparse_arrays,
        'scores': st.dictionaries(st.text(), scores, max_size=2),
        'evaluations': st.dictionaries(st.text(), scores, max_size=2),
    },
)
flat = st.builds(lambda content, others: Document(**content, **others), contents, fields)


def nested(docs):
    def grow(doc, chunks, matches):
        doc.chunks, doc.matches = chunks, matches
        return doc

    return st.builds(grow, flat, st.lists(docs, max_size=3), st.lists(docs, max_size=3))


documents = st.recursive(flat, nested, max_leaves=5)


def settle(doc):
    """Assign from the root down, so that each knows how deep it lies."""
    doc.chunks, doc.matches = list(doc.chunks), list(doc.matches)
    for child in (*doc.chunks, *doc.matches):
        settle(child)


@pytest.fixture(params=ENCODINGS)
def encoding(request):
    return request.param


def there_and_back(encoding, docs, groundtruths=None):
    body = codec(encoding).encode(docs, groundtruths)
    assert body_size(body) == len(b''.join(body))
    return codec(encoding).decode(bytearray(b''.join(body)))


def shown(docs):
    return [doc.dict() for doc in docs]


class TestContract:
    @given(docs=st.lists(documents, max_size=3), groundtruths=st.lists(flat, max_size=2))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def test_documents_arrive_as_they_were(self, encoding, docs, groundtruths):
        for doc in docs:
            settle(doc)
        there = there_and_back(encoding, docs, groundtruths)
        assert [shown(side) for side in there] == [shown(docs), shown(groundtruths)]

    def test_nothing(self, encoding):
        assert there_and_back(encoding, []) == ([], [])
        assert there_and_back(encoding, [], []) == ([], [])

    def test_groundtruths_alone(self, encoding):
        docs, groundtruths = there_and_back(encoding, [], [Document(text='a')])
        assert (docs, groundtruths[0].text) == ([], 'a')

    def test_the_arrays_are_of_the_receiver(self, encoding):
        sent = Document(embedding=np.arange(3.0))
        received = there_and_back(encoding, [sent])[0][0]
        received.embedding += 1
        assert received.embedding.tolist() == [1, 2, 3]
        assert sent.embedding.tolist() == [0, 1, 2]

    @pytest.mark.parametrize('array', [np.empty((0, 3), 'f4'), np.array(7), np.zeros((2, 0, 5), '>i2')])
    def test_arrays_without_numbers_or_dimensions(self, encoding, array):
        received = there_and_back(encoding, [Document(blob=array)])[0][0].blob
        assert (received.shape, received.dtype) == (array.shape, array.dtype)
        assert np.array_equal(received, array)

    @pytest.mark.parametrize('array', [np.arange(6).reshape(2, 3).T, np.arange(10)[::-2]])
    def test_arrays_in_another_order_than_c(self, encoding, array):
        assert np.array_equal(there_and_back(encoding, [Document(embedding=array)])[0][0].embedding, array)

    def test_large_arrays(self, encoding):
        large = np.arange(100_000, dtype='f4')
        docs = there_and_back(encoding, [Document(embedding=large), Document(embedding=-large)])[0]
        assert np.array_equal(docs[1].embedding, -large)

    @pytest.mark.parametrize('dtype', EVERY_DTYPE)
    def test_every_dtype(self, encoding, dtype):
        array = np.array([[0, 1, 7]]).astype(dtype)
        received = there_and_back(encoding, [Document(blob=array)])[0][0].blob
        assert (received.dtype, received.tolist()) == (array.dtype, array.tolist())

    def test_sparse_arrays(self, encoding):
        scipy = pytest.importorskip('scipy.sparse')
        sent = Document(blob=scipy.random(30, 40, 0.1, 'csr', 'f4', rng=0), embedding=scipy.csr_matrix((1, 10**9)))
        received = there_and_back(encoding, [sent])[0][0]
        assert (received.blob != sent.blob).nnz == 0
        assert (received.blob.dtype, received.embedding.shape) == (np.float32, (1, 10**9))
        assert received == sent
        received.blob.data += 1

    def test_graphs(self, encoding):
        graph = GraphDocument(force_undirected=True)
        a, b, c = (Document(id=name, text=name) for name in 'abc')
        graph.add_edges([a, b], [b, c], [{'weight': 1, 'kind': {'deep': ['☃']}}, None])
        received = GraphDocument(there_and_back(encoding, [graph])[0][0])
        assert received == graph
        assert received.dict() == graph.dict()
        received.add_edge('a', 'c')
        assert [node.id for node in received.get_outgoing_nodes('a')] == ['b', 'c']

    def test_a_graph_without_edges(self, encoding):
        received = there_and_back(encoding, [Document(graph=Graph())])[0][0]
        assert (received.content_type, received.graph) == ('graph', Graph())

    def test_a_text_of_every_kind(self, encoding):
        text = '\0 \ud7ff \U0010ffff ☃ é e\u0301 "\\ \u2028 \x7f'
        received = there_and_back(encoding, [Document(text=text, id=text, tags={text: text}, scores={text: 1})])[0][0]
        assert (received.text, received.id, received.tags, list(received.scores)) == (text, text, {text: text}, [text])

    def test_huge_arrays(self, encoding):
        huge = np.zeros(2**24, 'u1')  # 16 MiB: more than many a message may have
        huge[-1] = 7
        assert np.array_equal(there_and_back(encoding, [Document(blob=huge)])[0][0].blob, huge)

    def test_unknown_fields_end_nothing(self, encoding):
        [doc], _ = codec(encoding).decode(LATER[encoding])
        assert (doc.id, doc.text) == ('1', 'a')

    @pytest.mark.parametrize('number', range(8))
    def test_malformed_bytes_take_little_memory(self, encoding, number):
        body = bytes(malformed(encoding)[number])
        with pytest.raises(BadDocument):
            codec(encoding).decode(body)
        tracemalloc.start()
        try:
            with pytest.raises(BadDocument):
                codec(encoding).decode(body)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 2 * len(body) + 300_000

    def test_weight_zero_is_not_no_weight(self, encoding):
        docs = there_and_back(encoding, [Document(weight=0), Document()])[0]
        assert [doc._weight for doc in docs] == [0.0, None]

    def test_empty_content_is_not_no_content(self, encoding):
        docs = there_and_back(encoding, [Document(text=''), Document(buffer=b''), Document()])[0]
        assert [doc.content_type for doc in docs] == ['text', 'buffer', None]

    def test_integers_stay_integers(self, encoding):
        tags = {'n': 3, 'list': [1, {'deep': 2**53}], 'x': 0.5}
        received = there_and_back(encoding, [Document(tags=tags)])[0][0]._tags
        assert received == tags
        assert [type(v) for v in (received['n'], received['list'][1]['deep'], received['x'])] == [int, int, float]

    def test_numbers_of_numpy_in_tags(self, encoding):
        tags = {'f': np.float32(0.5), 'i': np.int64(3), 'b': np.bool_(True)}
        assert there_and_back(encoding, [Document(tags=tags)])[0][0]._tags == {'f': 0.5, 'i': 3, 'b': True}

    def test_numbers_that_are_none_end_nothing(self, encoding):
        doc = Document(tags={'x': math.nan, 'y': -math.inf}, embedding=[math.nan, math.inf])
        received = there_and_back(encoding, [doc])[0][0]
        assert set(received._tags) == {'x', 'y'}
        assert np.array_equal(received.embedding, doc.embedding, equal_nan=True)

    def test_what_cannot_be_sent_is_a_type_error(self, encoding):
        with pytest.raises(TypeError, match='object'):
            codec(encoding).encode([Document(tags={'key': object()})])

    @given(body=st.binary(max_size=200))
    @settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
    def test_any_bytes_are_documents_or_refused(self, encoding, body):
        try:
            codec(encoding).decode(body)
        except BadDocument:
            pass

    @given(docs=st.lists(documents, min_size=1, max_size=2), data=st.data())
    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    def test_spoilt_bytes_are_documents_or_refused(self, encoding, docs, data):
        body = bytearray(b''.join(codec(encoding).encode(docs)))
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
        try:
            codec(encoding).decode(body)
        except BadDocument:
            pass

    def test_bytes_like(self, encoding):
        body = b''.join(codec(encoding).encode([Document(text='a')]))
        for kind in (bytes, bytearray, memoryview):
            assert codec(encoding).decode(kind(body))[0][0].text == 'a'


LATER = {
    MSGPACK: struct.pack(
        '<II', len(packed := msgspec.msgpack.encode([[{'id': '1', 'text': 'a', 'later': [1]}], []])), 0
    )
    + packed,
    JSON: b'{"docs": [{"id": "1", "text": "a", "later": [1]}], "later": 1}',
    PROTOBUF: DataRequestProto(docs=[DocumentProto.FromString(b'\x0a\x011\x6a\x01a\xfa\x07\x01x')]).SerializeToString(),
}


def malformed(encoding):
    """Bodies that promise more than they hold, or hold much and in the end are wrong."""
    return {MSGPACK: malformed_msgpack, JSON: malformed_json, PROTOBUF: malformed_protobuf}[encoding]()


BIG = bytes(3_000_000)


def malformed_msgpack():
    whole = b''.join(codec(MSGPACK).encode([Document(blob=np.zeros(10**6)), Document(embedding=np.zeros(10**6, 'f4'))]))

    def body(packed, table=b''):
        return struct.pack('<II', len(packed), len(table)) + packed + table

    def ext(code, data):
        data = msgspec.msgpack.Ext(code, msgspec.msgpack.encode(data))
        return body(msgspec.msgpack.encode([[{'embedding': data}], []]))

    return [
        whole[:-1000],
        whole.replace(b'<f8', b'<c8').replace(b'<f4', b'<c16'[:3]),
        body(b'\x92\xdd\xff\xff\xff\xff'),
        body(b'\x92\x91\x81\xa4text\xdb\xff\xff\xff\xff' + BIG),
        body(b'\x92\x90\x90', msgspec.msgpack.encode([('<f8', [2**40], 2**20)])),
        ext(2, [[2**40, 2**40], '<i4', BIG, '<f8', b'12345678']),
        ext(2, [[2**40] * 60_000, '<i4', b'', '<f8', BIG]),
        ext(3, [[[1, 2, 3], '<i4', BIG, '<f4', BIG[:12]], {}, True]),
    ]


def malformed_json():
    def body(**doc):
        return json.dumps([doc]).encode()

    def array(size, shape, dtype='<f4'):
        return {'buffer': base64.b64encode(BIG[:size]).decode(), 'shape': shape, 'dtype': dtype}

    return [
        body(text='x' * len(BIG))[:-1],
        body(text='x' * len(BIG), weight='y'),
        body(blob={'dense': array(len(BIG), [2**40, 2**20])}),
        body(blob={'dense': array(len(BIG), [3], 'O')}),
        body(buffer=base64.b64encode(BIG).decode() + '?'),
        body(
            blob={'sparse': {'indices': array(8, [1, 2], '<i4'), 'values': array(len(BIG), [1]), 'shape': [2**40] * 2}}
        ),
        body(blob={'sparse': {'indices': array(0, [0, 2], '<i4'), 'values': array(0, [9]), 'shape': [2**40] * 2}}),
        body(graph={'adjacency': {'indices': [], 'values': [], 'shape': [1, 2, 3]}, 'edge_features': 'x' * len(BIG)}),
    ]


def malformed_protobuf():
    def body(**doc):
        return DataRequestProto(docs=[doc]).SerializeToString()

    def array(size, shape, dtype='<f4'):
        return {'buffer': BIG[:size], 'shape': shape, 'dtype': dtype}

    empty = array(0, [0, 2], '<i4')
    return [
        body(buffer=BIG)[:-1],
        body(text='x' * len(BIG)).replace(b'xx', b'\xff\xff'),
        b'\x0a\xff\xff\xff\xff\x07' + BIG,
        body(blob={'dense': array(len(BIG), [2**31, 2**31])}),
        body(blob={'dense': array(len(BIG), [3], 'O')}),
        body(
            blob={'sparse': {'indices': array(8, [1, 2], '<i4'), 'values': array(len(BIG), [1]), 'shape': [2**31] * 2}}
        ),
        body(blob={'sparse': {'indices': empty, 'values': array(0, [9]), 'shape': [2**31] * 2}}),
        body(graph={'adjacency': {'indices': array(8, [1, 2], '<i4'), 'values': array(0, [0]), 'shape': [2**31] * 2}}),
    ]


def test_unknown_encoding():
    with pytest.raises(WireError, match="'xml'"):
        codec('xml')


def decode_json(obj):
    return codec(JSON).decode(json.dumps(obj).encode())


class TestJson:
    @pytest.mark.parametrize(
        ('data', 'texts'),
        [
            ([], []),
            (None, []),
            ({}, []),
            (['a', 'b'], ['a', 'b']),
            ('a', ['a']),
            ([{'text': 'a'}, 'b'], ['a', 'b']),
            ({'text': 'a'}, ['a']),
            ({'docs': [{'text': 'a'}]}, ['a']),
            ({'docs': None}, []),
            ({'docs': {'text': 'a'}}, ['a']),
        ],
    )
    def test_what_data_may_be(self, data, texts):
        docs, groundtruths = decode_json(data)
        assert ([doc.text for doc in docs], groundtruths) == (texts, [])

    def test_no_bytes_are_no_documents(self):
        assert codec(JSON).decode(b'') == ([], [])

    def test_groundtruths(self):
        docs, groundtruths = decode_json({'docs': ['a'], 'groundtruths': [{'text': 'b'}]})
        assert (docs[0].text, groundtruths[0].text) == ('a', 'b')

    def test_both_cases_of_keys_and_unknown_ones(self):
        docs, _ = decode_json([{'mimeType': 'a/b', 'parent_id': 'p', 'price': 3}])
        assert (docs[0].mime_type, docs[0].parent_id, docs[0].tags['price']) == ('a/b', 'p', 3)

    @pytest.mark.parametrize(
        ('data', 'told'),
        [
            (['a', 3], r'data\[1\]'),
            ({'docs': ['a', 'b', None]}, r'docs\[2\]'),
            ({'docs': [], 'groundtruths': [{'weight': 'x'}]}, r'groundtruths\[0\].*weight'),
            ({'docs': [{'chunks': [{'weight': 'x'}]}]}, r'docs\[0\].*chunks.*weight'),
            (3, 'data takes a list'),
            ({'docs': 3}, 'docs takes a list'),
        ],
    )
    def test_an_error_names_the_document(self, data, told):
        with pytest.raises(BadDocument, match=told):
            decode_json(data)

    def test_an_error_names_the_syntax(self):
        with pytest.raises(BadDocument, match='not JSON'):
            codec(JSON).decode(b'{"docs": [')

    def test_depth_without_end(self):
        with pytest.raises(BadDocument):
            codec(JSON).decode(b'[' * 100_000)
        with pytest.raises(BadDocument):
            codec(JSON).decode(b'{"chunks":[' * 5_000 + b']}' * 5_000)

    def test_the_form(self):
        doc = Document(id='1', buffer=b'x', embedding=np.array([1.0], '<f4'), tags={'nan': math.nan})
        [body] = codec(JSON).encode([doc])
        [sent] = msgspec.json.decode(body)['docs']
        assert sent['buffer'] == base64.b64encode(b'x').decode()
        assert sent['embedding']['dense']['shape'] == [1]
        assert sent['tags'] == {'nan': None}
        assert 'groundtruths' not in msgspec.json.decode(body)

    def test_the_form_of_graphs_and_sparse_arrays(self):
        array = sparse.SparseArray(np.array([[3]]), np.array([1.5]), (4,))
        [body] = codec(JSON).encode([Document(embedding=array, graph=Graph({(0, 1): 1}, {'a-b': None}, True))])
        [sent] = msgspec.json.decode(body)['docs']
        assert set(sent['embedding']['sparse']) == {'indices', 'values', 'shape'}
        assert set(sent['graph']) == {'adjacency', 'edgeFeatures', 'undirected'}
        assert sent['graph']['adjacency']['shape'] == [1, 2]

    def test_what_holds_itself(self):
        tags = {}
        tags['a'] = tags
        with pytest.raises(ValueError, match='JSON'):
            codec(JSON).encode([Document(tags=tags)])


def decode_proto(**doc):
    data = DataRequestProto(docs=[{'id': 'first'}, doc])
    return codec(PROTOBUF).decode(data.SerializeToString())[0][1]


def dense(**fields):
    return decode_proto(embedding={'dense': fields}).embedding


class TestProtobuf:
    @given(doc=documents)
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def test_the_constructor_reads_one_document(self, doc):
        settle(doc)
        assert Document(doc.binary_str()).dict() == doc.dict()

    def test_a_document_without_id_gets_one(self):
        assert decode_proto(text='a').id

    def test_scores_are_rounded(self):
        doc = there_and_back(PROTOBUF, [Document(scores={'q': 0.1})])[0][0]
        assert doc.scores['q'].value == float(np.float32(0.1))

    def test_graphs_without_edges(self):
        graph = {'undirected': True, 'adjacency': {'shape': [1, 1]}}
        assert decode_proto(graph=graph, uri='u').content == Graph(undirected=True)

    def test_the_form_of_a_graph(self):
        [data] = codec(PROTOBUF).encode([Document(graph=Graph({(0, 2): 1, (1, 0): 1}, {'a-b': {'w': 0.5}}))])
        graph = DataRequestProto.FromString(data).docs[0].graph
        assert (list(graph.adjacency.shape), graph.adjacency.indices.dtype) == ([2, 3], '<i4')
        assert np.frombuffer(graph.adjacency.indices.buffer, '<i4').tolist() == [0, 2, 1, 0]
        assert struct_to_dict(graph.edge_features) == {'a-b': {'w': 0.5}}

    def test_an_array_that_is_empty_altogether_is_none(self):
        assert decode_proto(embedding={}).embedding is None

    def test_names_of_numpy(self):
        assert dense(buffer=b'\0\0\x80?', shape=[1], dtype='float32').tolist() == [1.0]

    @pytest.mark.parametrize(
        ('fields', 'told'),
        [
            ({'buffer': b'123', 'shape': [1], 'dtype': '<f4'}, 'fill'),
            ({'buffer': b'1234', 'shape': [2**31, 2**31], 'dtype': '<f4'}, 'fill'),
            ({'buffer': b'1234', 'shape': [1], 'dtype': 'O'}, 'dtype'),
            ({'buffer': b'1234', 'shape': [4], 'dtype': '|u1', 'quantization': 2, 'original_dtype': 'x'}, 'dtype'),
        ],
    )
    def test_arrays_that_are_none(self, fields, told):
        with pytest.raises(BadDocument, match=rf'docs\[1\].*{told}'):
            dense(**fields)

    def test_the_form_of_sparse_arrays(self):
        array = sparse.SparseArray(np.array([[0, 3], [2, 1]], 'i4'), np.array([1.5, 2], 'f4'), (3, 4))
        [data] = codec(PROTOBUF).encode([Document(embedding=array)])
        sent = DataRequestProto.FromString(data).docs[0].embedding.sparse
        assert np.frombuffer(sent.indices.buffer, '<i4').tolist() == [0, 3, 2, 1]
        assert (list(sent.indices.shape), list(sent.values.shape), list(sent.shape)) == ([2, 2], [2], [3, 4])

    def test_sparse_arrays_that_are_none(self):
        with pytest.raises(BadDocument, match=r'docs\[1\].*dtype'):
            decode_proto(embedding={'sparse': {'shape': [3]}})

    def test_quantized_to_bytes(self):
        array = dense(
            buffer=bytes([0, 2, 4]), shape=[3], dtype='|u1', quantization=DenseNdArrayProto.UINT8,
            scale=0.5, min_val=-1, original_dtype='<f8',
        )  # fmt: skip
        assert (array.tolist(), array.dtype) == ([-1, 0, 1], np.float64)

    def test_quantized_to_half(self):
        half = np.array([1.5, -2], '<f2')
        array = dense(
            buffer=half.tobytes(), shape=[2], dtype='<f2', quantization=DenseNdArrayProto.FP16, original_dtype='<f4'
        )
        assert (array.tolist(), array.dtype) == ([1.5, -2], np.float32)

    def test_quantized_to_nonsense(self):
        array = dense(buffer=b'12', shape=[2], dtype='|u1', quantization=2, scale=math.nan, original_dtype='|i1')
        assert array.dtype == np.int8

    @pytest.mark.parametrize('fields', [{'offset': -1}, {'location': [-1]}, {'granularity': 2**40}])
    def test_numbers_that_do_not_fit(self, fields):
        with pytest.raises(ValueError, match='protobuf'):
            codec(PROTOBUF).encode([Document(**fields)])

    def test_tags_that_cannot_be_sent_are_named(self):
        with pytest.raises(BadOption, match=r"tags\['a'\]\[1\]\['b'\].*set"):
            codec(PROTOBUF).encode([Document(tags={'a': [0, {'b': set()}]})])

    def test_depth_without_end(self):
        doc = Document()
        for _ in range(300):
            doc = Document(chunks=[doc])
        with pytest.raises(ValueError, match=r'protobuf|DataRequestProto'):
            there_and_back(PROTOBUF, [doc])

    def test_fields_of_later_versions_are_ignored(self):
        unknown = b'\xfa\x07\x01x'  # field 127
        data = DataRequestProto(docs=[DocumentProto.FromString(b'\x0a\x011' + unknown)])
        assert codec(PROTOBUF).decode(data.SerializeToString())[0][0].id == '1'


class TestStruct:
    @given(st.dictionaries(st.text(), values, max_size=5))
    @settings(deadline=None)
    def test_there_and_back(self, obj):
        assert struct_to_dict(dict_to_struct(obj)) == obj

    def test_whole_numbers_are_integers_as_far_as_they_are_exact(self):
        received = struct_to_dict(dict_to_struct({'a': 2.0, 'b': -3, 'c': 1e300, 'd': 2**60}))
        assert [type(received[k]) for k in 'abcd'] == [int, int, float, float]

    def test_booleans_are_no_integers(self):
        assert struct_to_dict(dict_to_struct({'a': True, 'b': np.bool_(False)})) == {'a': True, 'b': False}
        assert type(struct_to_dict(dict_to_struct({'a': True}))['a']) is bool

    def test_empty_containers(self):
        assert struct_to_dict(dict_to_struct({'a': [], 'b': {}, 'c': ()})) == {'a': [], 'b': {}, 'c': []}

    @pytest.mark.parametrize(
        ('obj', 'told'),
        [
            ({'a': b'x'}, r"parameters\['a'\].*bytes"),
            ({'a': [{'b': 1j}]}, r"parameters\['a'\]\[0\]\['b'\].*complex"),
            ({'a': {1: 2}}, r"parameters\['a'\]: a key must be a str, not int"),
            ({1: 2}, 'parameters: a key must be a str'),
            ({'a': '\ud800'}, r"parameters\['a'\]"),
            ({'a': 10**400}, r"parameters\['a'\]"),
        ],
    )
    def test_an_error_names_the_key(self, obj, told):
        with pytest.raises(BadOption, match=told):
            dict_to_struct(obj)

    def test_what_holds_itself(self):
        obj = {}
        obj['a'] = obj
        with pytest.raises(BadOption, match='parameters'):
            dict_to_struct(obj)
