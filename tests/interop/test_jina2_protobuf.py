"""Protobuf bytes to and from the 2.0.24 release, which runs as a black box in an interpreter of its own.

Set ``JINA2_PYTHON`` to a Python that has ``jina==2.0.24``; it may have scipy as well.
"""

import json
import os
import subprocess
from base64 import b64decode, b64encode
from tempfile import gettempdir

import numpy as np
import pytest

from jina.types.document import Document
from jina.types.document.graph import GraphDocument
from jina.types.document.multimodal import MultimodalDocument
from jina.types.score import NamedScore
from jina.types.sparse import SparseArray, coordinates
from jina.wire.codecs import codec
from jina.wire.head import PROTOBUF

PYTHON = os.environ.get('JINA2_PYTHON')

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason='JINA2_PYTHON names no interpreter with jina 2.0.24'),
    pytest.mark.timeout(180),
]

DTYPES = ['|b1', '|i1', '|u1', '<i2', '<u2', '<i4', '<u4', '<i8', '<u8', '<f2', '<f4', '<f8', '>f4', '<c8', '<c16']

READ = """
import base64, json, sys
import numpy as np
from jina import Document
from jina.proto import jina_pb2

data = jina_pb2.RequestProto.DataRequestProto.FromString(base64.b64decode(sys.stdin.read()))

def shown(proto):
    doc = Document(proto)
    kind = doc.content_type
    proto = doc.proto
    return {
        'id': doc.id, 'kind': kind, 'text': proto.text, 'buffer': base64.b64encode(proto.buffer).decode(),
        'blob': array(doc, 'blob'), 'embedding': array(doc, 'embedding'), 'uri': doc.uri, 'mime_type': doc.mime_type,
        'modality': doc.modality, 'weight': doc.weight, 'tags': doc.dict().get('tags', {}),
        'granularity': doc.granularity, 'adjacency': proto.adjacency, 'parent_id': doc.parent_id,
        'location': list(proto.location), 'offset': proto.offset,
        'scores': {name: score(value) for name, value in proto.scores.items()},
        'evaluations': {name: score(value) for name, value in proto.evaluations.items()},
        'chunks': [shown(chunk) for chunk in proto.chunks], 'matches': [shown(match) for match in proto.matches],
        'graph': graph(proto.graph),
    }

def array(doc, name):
    proto = getattr(doc.proto, name)
    if proto.WhichOneof('content') == 'sparse':
        return sparse(proto.sparse)
    if proto.WhichOneof('content') is None:
        return None
    if not proto.dense.buffer:  # read as float64 there, whatever it is
        return [proto.dense.dtype, list(proto.dense.shape), '']
    value = getattr(doc, name)
    return [value.dtype.str, list(value.shape), base64.b64encode(value.tobytes()).decode()]

def sparse(proto):
    if not proto.shape:
        return None
    indices, values = (np.frombuffer(p.buffer, p.dtype).reshape(p.shape) for p in (proto.indices, proto.values))
    return {'indices': indices.tolist(), 'values': values.tolist(), 'shape': list(proto.shape)}

def score(proto):
    return [proto.value, proto.op_name, proto.description, proto.ref_id, [score(o) for o in proto.operands]]

def graph(proto):
    from google.protobuf.json_format import MessageToDict
    return [sparse(proto.adjacency), MessageToDict(proto.edge_features), proto.undirected]

print(json.dumps([shown(doc) for doc in data.docs]))
"""

WRITE = """
import base64, numpy as np
from jina import Document
from jina.proto import jina_pb2
from jina.types.document.graph import GraphDocument
from jina.types.document.multimodal import MultimodalDocument
from jina.types.score import NamedScore

docs = [
    Document(id='text', text='hällo ☃', tags={'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True]}}, weight=0.5,
             uri='a/b.txt', mime_type='text/x-own', modality='m'),
    Document(id='buffer', buffer=bytes(range(256))),
    Document(id='nested', chunks=[Document(id='c', text='chunk', chunks=[Document(id='cc')])],
             matches=[Document(id='m', embedding=np.arange(3.0))]),
]
docs += [Document(id=dtype, blob=np.array([[0, 1, 7]]).astype(dtype), embedding=np.zeros((2, 0), dtype))
         for dtype in %r]
scored = Document(id='scored')
scored.scores['cosine'] = NamedScore(value=0.25, op_name='op', description='why', ref_id='ref')
scored.evaluations['precision'] = 1.0
docs.append(scored)
docs.append(MultimodalDocument(modality_content_map={'image': np.ones((2, 2)), 'text': 'hi'}))

try:
    import scipy.sparse as sp
except ImportError:
    sp = None
if sp:
    docs.append(Document(id='sparse', embedding=sp.csr_matrix([[0, 1.5, 0], [2, 0, 0]]), blob=sp.coo_matrix((2, 3))))
    graph = GraphDocument(force_undirected=%r)
    a, b, c = (Document(id=name, text=name) for name in 'abc')
    graph.add_edge(a, b, features={'w': 1, 'kind': 'x'})
    graph.add_edge(b, c)
    docs.append(graph)

data = jina_pb2.RequestProto.DataRequestProto()
data.docs.extend([doc.proto for doc in docs])
print(base64.b64encode(data.SerializeToString()).decode())
"""


def run(program: str, given: str = '') -> str:
    """What the other interpreter prints."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}
    done = subprocess.run(
        [PYTHON, '-W', 'ignore', '-c', program],
        input=given,
        capture_output=True,
        text=True,
        env=environment,
        cwd=gettempdir(),
        timeout=150,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def read_by_jina2(*docs: Document) -> list[dict]:
    body = b''.join(codec(PROTOBUF).encode(docs))
    return json.loads(run(READ, b64encode(body).decode()))


@pytest.fixture(scope='module', params=[False, True], ids=['directed', 'undirected'])
def written_by_jina2(request) -> dict[str, Document]:
    docs, _ = codec(PROTOBUF).decode(b64decode(run(WRITE % (DTYPES, request.param))))
    return {doc.id if doc.content_type != 'graph' else 'graph': doc for doc in docs}


def as_read(array: np.ndarray) -> list:
    return [array.dtype.str, list(array.shape), b64encode(array.tobytes()).decode()]


class TestToJina2:
    def test_attributes(self):
        doc = Document(
            id='1', text='hällo ☃', uri='a/b.txt', mime_type='text/x-own', modality='m', weight=0.5,
            tags={'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True]}}, location=[1, 2], offset=3,
            embedding=np.arange(6, dtype='f4').reshape(2, 3),
            scores={'cosine': NamedScore(0.25, 'op', 'why', [NamedScore(2)], 'ref')}, evaluations={'precision': 1},
        )  # fmt: skip
        [read] = read_by_jina2(doc)
        for name in ('id', 'text', 'uri', 'mime_type', 'modality', 'weight', 'tags', 'location', 'offset'):
            assert read[name] == getattr(doc, name), name
        assert read['kind'] == 'text'
        assert read['embedding'] == as_read(doc.embedding)
        assert read['scores'] == {'cosine': [0.25, 'op', 'why', 'ref', [[2.0, '', '', '', []]]]}
        assert read['evaluations'] == {'precision': [1.0, '', '', '', []]}

    def test_chunks_and_matches(self):
        doc = Document(
            chunks=[Document(id='c', text='chunk', chunks=[Document(id='cc')])],
            matches=[Document(id='m', buffer=b'\0')],
        )
        [read] = read_by_jina2(doc)
        [chunk], [match] = read['chunks'], read['matches']
        assert (chunk['text'], chunk['granularity'], chunk['parent_id']) == ('chunk', 1, doc.id)
        assert (chunk['chunks'][0]['id'], chunk['chunks'][0]['granularity']) == ('cc', 2)
        assert (match['buffer'], match['adjacency'], match['kind']) == ('AA==', 1, 'buffer')

    def test_every_dtype(self):
        docs = [
            Document(blob=np.array([[0, 1, 7]]).astype(dtype), embedding=np.zeros((2, 0), dtype)) for dtype in DTYPES
        ]
        for doc, read in zip(docs, read_by_jina2(*docs), strict=True):
            assert read['blob'] == as_read(doc.blob)
            assert read['embedding'] == as_read(doc.embedding)

    def test_sparse_arrays(self):
        array = SparseArray(np.array([[0, 3], [2, 1]], 'i4'), np.array([1.5, 2]), (3, 4))
        [read] = read_by_jina2(Document(embedding=array, blob=array))
        assert read['embedding'] == read['blob'] == {'indices': [[0, 3], [2, 1]], 'values': [1.5, 2], 'shape': [3, 4]}

    def test_graphs(self):
        graph = GraphDocument(force_undirected=True)
        graph.add_edges([Document(id='a'), Document(id='b')], [Document(id='b'), Document(id='c')], [{'w': 1}, None])
        [read] = read_by_jina2(graph)
        assert read['kind'] == 'graph'
        assert [node['id'] for node in read['chunks']] == ['a', 'b', 'c']
        adjacency, features, undirected = read['graph']
        assert (adjacency['indices'], adjacency['shape']) == ([[0, 1], [1, 2]], [2, 3])
        assert (features, undirected) == ({'a-b': {'w': 1}, 'b-c': None}, True)


class TestFromJina2:
    def test_attributes(self, written_by_jina2):
        doc = written_by_jina2['text']
        assert (doc.text, doc.uri, doc.mime_type, doc.modality) == ('hällo ☃', 'a/b.txt', 'text/x-own', 'm')
        assert (doc.weight, doc.tags) == (0.5, {'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True]}})
        assert written_by_jina2['buffer'].buffer == bytes(range(256))

    def test_chunks_and_matches(self, written_by_jina2):
        doc = written_by_jina2['nested']
        assert (doc.chunks['c'].text, doc.chunks['c'].parent_id) == ('chunk', 'nested')
        assert doc.chunks['c'].chunks['cc'].parent_id == 'c'
        assert doc.matches['m'].adjacency == 1
        assert doc.matches['m'].embedding.tolist() == [0, 1, 2]

    def test_scores(self, written_by_jina2):
        doc = written_by_jina2['scored']
        assert doc.scores['cosine'] == NamedScore(0.25, 'op', 'why', ref_id='ref')
        assert doc.evaluations['precision'].value == 1

    @pytest.mark.parametrize('dtype', DTYPES)
    def test_every_dtype(self, written_by_jina2, dtype):
        doc = written_by_jina2[dtype]
        assert (doc.blob.dtype.str, doc.blob.tolist()) == (dtype, np.array([[0, 1, 7]]).astype(dtype).tolist())
        assert (doc.embedding.dtype.str, doc.embedding.shape) == (dtype, (2, 0))

    def test_multimodal_documents(self, written_by_jina2):
        [doc] = [MultimodalDocument(doc) for doc in written_by_jina2.values() if doc.chunks and doc.chunks[0].modality]
        assert doc.modalities == ['image', 'text']
        assert doc.modality_content_map['text'] == 'hi'
        assert doc.modality_content_map['image'].tolist() == [[1, 1], [1, 1]]

    def test_sparse_arrays(self, written_by_jina2):
        doc = written_by_jina2.get('sparse') or pytest.skip('JINA2_PYTHON has no scipy')
        assert coordinates(doc.embedding).toarray().tolist() == [[0, 1.5, 0], [2, 0, 0]]
        assert coordinates(doc.blob).toarray().tolist() == [[0, 0, 0], [0, 0, 0]]

    def test_graphs(self, written_by_jina2, request):
        doc = written_by_jina2.get('graph') or pytest.skip('JINA2_PYTHON has no scipy')
        graph = GraphDocument(doc)
        assert [(source.id, target.id) for source, target in graph] == [('a', 'b'), ('b', 'c')]
        assert graph.edge_features == {'a-b': {'w': 1, 'kind': 'x'}, 'b-c': None}
        assert graph.undirected is request.node.callspec.params['written_by_jina2']
