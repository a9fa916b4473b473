import copy
import pickle
import subprocess
import sys
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import BadDocType, BadDocument
from jina.types import sparse
from jina.types.arrays import DocumentArray
from jina.types.document import Document
from jina.types.native import decode, encode
from jina.types.sparse import SparseArray

FORMATS = ['coo', 'csr', 'csc', 'bsr', 'lil', 'dok', 'dia']


def sent(doc: Document) -> Document:
    [[received], _] = decode(b''.join(encode([doc])))
    return received


@pytest.fixture
def scipy():
    return pytest.importorskip('scipy.sparse')


@pytest.fixture
def matrix(scipy):
    return scipy.coo_matrix(([1.5, 2], ([0, 2], [3, 0])), shape=(3, 4), dtype='f4')


@pytest.fixture
def no_scipy():
    sparse._scipy.cache_clear()
    with patch.dict('sys.modules', {'scipy': None, 'scipy.sparse': None}):
        yield
    sparse._scipy.cache_clear()


class TestScipy:
    @pytest.mark.parametrize('format', FORMATS)
    @pytest.mark.parametrize('make', ['matrix', 'array'])
    def test_every_format(self, scipy, matrix, format, make):
        value = getattr(scipy, f'coo_{make}')(matrix).asformat(format)
        doc = Document(embedding=value, blob=value)
        assert doc.content_type == 'blob'
        assert doc.embedding is value or format == 'dok'
        received = sent(doc)
        assert received == doc
        assert isinstance(received.blob, scipy.coo_matrix)
        assert (received.blob.dtype, received.blob.shape) == (np.float32, (3, 4))
        assert received.embedding.toarray().tolist() == matrix.toarray().tolist()

    def test_content(self, matrix):
        doc = Document(content=matrix)
        assert (doc.content_type, doc.content is matrix, doc.text) == ('blob', True, '')
        doc.text = 'x'
        assert doc.blob is None

    def test_equality_is_of_what_it_stands_for(self, scipy, matrix):
        doubled = scipy.coo_matrix(([2, 1, 0.5], ([2, 0, 0], [0, 3, 3])), shape=(3, 4), dtype='f4')
        assert Document(blob=matrix) == Document(blob=matrix.tocsc()) == Document(blob=doubled)
        assert Document(blob=matrix) != Document(blob=matrix * 2)
        assert Document(blob=matrix) != Document(blob=matrix.astype('f8'))
        assert Document(blob=matrix) != Document(blob=scipy.coo_matrix(matrix, shape=(3, 4)).T)
        assert Document(blob=matrix) != Document(blob=matrix.toarray())

    @pytest.mark.parametrize('format', FORMATS)
    def test_dict_json_and_copies(self, matrix, format):
        doc = Document(embedding=matrix.asformat(format), chunks=[Document(blob=matrix)])
        assert doc.dict()['embedding']['sparse']['shape'] == [3, 4]
        for again in (
            Document(doc.dict()),
            Document(doc.json()),
            Document(doc.json(prettify_ndarrays=True)),
            Document(doc, copy=True),
            copy.deepcopy(doc),
            pickle.loads(pickle.dumps(doc)),
        ):
            assert again.embedding is not doc.embedding
            assert np.array_equal(again.embedding.toarray(), matrix.toarray())
            assert again.chunks[0].blob.shape == (3, 4)

    def test_prettified(self, matrix):
        assert Document(blob=matrix).dict(prettify_ndarrays=True)['blob'] == {
            'sparse': {'indices': [[0, 3], [2, 0]], 'values': [1.5, 2], 'shape': [3, 4]}
        }

    def test_without_values(self, scipy):
        doc = Document(blob=scipy.csr_matrix((3, 4)))
        for again in (sent(doc), Document(doc.json()), Document(doc.json(prettify_ndarrays=True))):
            assert (again.blob.nnz, again.blob.shape) == (0, (3, 4))

    def test_repr(self, matrix):
        assert 'embedding=coo_matrix((3, 4), float32)' in repr(Document(embedding=matrix))

    def test_nbytes(self, scipy):
        thin, thick = scipy.eye(10), scipy.eye(1000)
        assert 0 < Document(blob=thin).nbytes < Document(blob=thick).nbytes < thick.toarray().nbytes

    def test_in_tags(self, matrix):
        tags = sent(Document(tags={'a': [matrix, {'b': matrix}]}, blob=[1])).tags
        assert tags['a'][1]['b'].toarray().tolist() == tags['a'][0].toarray().tolist() == matrix.toarray().tolist()

    def test_no_numbers(self, scipy):
        matrix = scipy.coo_matrix((1, 1))
        matrix.data = np.array([], dtype=object)
        with pytest.raises(BadDocType, match=r'Document\.blob takes a sparse array of numbers .*object'):
            Document(blob=matrix)

    def test_conversions_need_dense_ones(self, matrix):
        with pytest.raises(BadDocType, match='sparse'):
            Document(blob=matrix).convert_blob_to_buffer()

    @pytest.mark.parametrize('dtype', ['?', 'i1', 'u2', 'i8', 'f4', 'f8', 'c8', 'c16'])
    def test_dtypes(self, scipy, dtype):
        received = sent(Document(blob=scipy.csr_matrix(np.eye(3, dtype=dtype)))).blob
        assert (received.dtype, received.toarray().tolist()) == (np.dtype(dtype), np.eye(3, dtype=dtype).tolist())


class TestColumns:
    def test_there_and_back(self, scipy):
        rows = scipy.random(5, 40, density=0.2, format='csr', rng=0)
        docs = DocumentArray(Document() for _ in range(5))
        docs.embeddings = rows
        assert docs[2].embedding.shape == (1, 40)
        received = DocumentArray(decode(b''.join(encode(docs)))[0])
        for array in (docs, received):
            assert isinstance(array.embeddings, scipy.csr_matrix)
            assert (array.embeddings != rows).nnz == 0

    def test_vectors(self, scipy):
        docs = DocumentArray(Document(blob=SparseArray(np.array([[n]]), np.array([n + 1]), [4])) for n in range(3))
        assert docs.blobs.toarray().tolist() == [[1, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0]]

    def test_dense_among_them(self, matrix):
        docs = DocumentArray([Document(blob=matrix), Document(id='x', blob=np.zeros((3, 4)))])
        with pytest.raises(ValueError, match="Document 'x' has dense blobs, but that of the first is sparse"):
            docs.blobs  # noqa: B018
        docs.reverse()
        with pytest.raises(ValueError, match='sparse blobs, but that of the first is dense'):
            docs.blobs  # noqa: B018

    def test_other_shapes_and_numbers(self, scipy, matrix):
        docs = DocumentArray([Document(blob=matrix), Document(blob=matrix.T)])
        with pytest.raises(ValueError, match='another shape'):
            docs.blobs  # noqa: B018
        with pytest.raises(ValueError, match='3 blobs'):
            docs.blobs = matrix

    def test_without_scipy(self, no_scipy):
        docs = DocumentArray([Document(blob=SparseArray(np.array([[0]]), np.array([1]), [4]))])
        with pytest.raises(ImportError, match='pip install scipy'):
            docs.blobs  # noqa: B018


@pytest.mark.filterwarnings('ignore::UserWarning')  # torch says that some of this is new to it
class TestTorch:
    @pytest.fixture(autouse=True)
    def torch(self):
        self.torch = pytest.importorskip('torch')

    @pytest.mark.parametrize('layout', ['coo', 'csr', 'csc'])
    def test_layouts(self, layout):
        dense = self.torch.tensor([[0, 1.5, 0], [2, 0, 3]])
        value = dense.to_sparse(layout=getattr(self.torch, f'sparse_{layout}'))
        doc = Document(embedding=value)
        assert doc.embedding is value
        received = sent(doc)
        assert received == doc
        assert received.embedding.toarray().tolist() == dense.tolist()

    def test_duplicates_gradients_and_other_dimensions(self):
        make = self.torch.sparse_coo_tensor
        assert sent(Document(blob=make([[1, 1]], [1.0, 2.0], (3,)).requires_grad_())).blob.toarray().tolist() == [
            0,
            3,
            0,
        ]
        assert sent(Document(blob=make([[1], [1], [0]], [5], (2, 2, 2)))).blob.toarray()[1, 1, 0] == 5

    def test_dense_ones_are_arrays(self):
        assert isinstance(Document(blob=self.torch.ones(3)).blob, np.ndarray)

    def test_refused(self):
        with pytest.raises(BadDocType, match='bfloat16'):
            Document(blob=self.torch.ones(2, 2, dtype=self.torch.bfloat16).to_sparse())
        with pytest.raises(BadDocType, match='dense dimensions'):
            Document(blob=self.torch.sparse_coo_tensor([[0]], [[1.0, 2.0]], (2, 2)))


def test_tensorflow():
    tensorflow = pytest.importorskip('tensorflow')
    value = tensorflow.SparseTensor([[0, 1]], [2.0], [3, 4])
    doc = Document(blob=value)
    assert doc.blob is value
    assert sent(doc).blob.toarray()[0, 1] == 2


class TestCoordinates:
    def test_toarray(self):
        array = SparseArray(np.array([[0, 1], [0, 1], [1, 0]]), np.array([1, 2, 5]), (2, 2))
        assert array.toarray().tolist() == [[0, 3], [5, 0]]
        assert repr(array) == 'SparseArray((2, 2), int64, 3 values)'

    def test_without_scipy_they_stay(self, no_scipy):
        array = SparseArray(np.array([[0, 1]]), np.array([2.0]), (3, 2**40))
        received = sent(Document(embedding=array)).embedding
        assert isinstance(received, SparseArray)
        assert (received.shape, received.indices.tolist(), received.values.tolist()) == ((3, 2**40), [[0, 1]], [2])
        assert sent(sent(Document(embedding=array))) == Document(embedding=array)

    @pytest.mark.parametrize(
        ('indices', 'values', 'shape'),
        [
            ([[0, 0]], [1, 2], (3, 3)),
            ([[0]], [1], (3, 3)),
            ([0], [1], (3,)),
            ([[0.5]], [1], (3,)),
            ([[3]], [1], (3,)),
            ([[-1]], [1], (3,)),
            ([[0]], [[1]], (3,)),
        ],
    )
    def test_what_does_not_fit(self, indices, values, shape):
        with pytest.raises(BadDocument, match='sparse array'):
            SparseArray(np.array(indices), np.array(values), shape)

    @pytest.mark.parametrize(
        'obj',
        [
            5,
            {},
            {'indices': [], 'values': []},
            {'indices': 'x', 'values': [1], 'shape': [1]},
            {'indices': [[0]], 'values': ['x'], 'shape': [1]},
            {'indices': [[0]], 'values': [1], 'shape': [-1]},
            {'indices': [[0]], 'values': [1], 'shape': 'x'},
            {'indices': [[0]], 'values': {'buffer': 'AA==', 'shape': [2], 'dtype': '|u1'}, 'shape': [1]},
        ],
    )
    def test_malformed(self, obj):
        with pytest.raises(BadDocument, match='embedding: '):
            Document({'embedding': {'sparse': obj}})

    @given(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.integers(-3, 3)), max_size=12).map(np.array),
        st.sampled_from(['i4', 'f8', '>f4']),
    )
    def test_any(self, triples, dtype):
        triples = triples.reshape(-1, 3).astype('i8')
        array = SparseArray(triples[:, :2], triples[:, 2].astype(dtype), (4, 6))
        doc = Document(blob=array)
        canonical = array.canonical()
        assert canonical.toarray().tolist() == array.toarray().tolist()
        assert Document(blob=canonical) == doc == sent(doc) == Document(doc.json())
        assert np.array_equal(sent(doc).blob.toarray(), array.toarray())


def test_nothing_is_imported_before_it_is_needed():
    code = 'import sys; from jina.types.document import Document; Document(blob=[1], embedding=[2]).json()'
    code += '; print([m for m in ("scipy", "torch", "tensorflow", "PIL", "dgl", "urllib.request") if m in sys.modules])'
    done = subprocess.run([sys.executable, '-W', 'error', '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
