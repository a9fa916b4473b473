import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from jina.excepts import BadOption
from jina.types.arrays import DocumentArray
from jina.types.arrays import nearest as nearest_module
from jina.types.arrays.distance import cosine, euclidean, sqeuclidean
from jina.types.arrays.nearest import Nearest
from jina.types.document import Document


def with_embeddings(array, prefix='') -> DocumentArray:
    docs = DocumentArray(Document(id=f'{prefix}{number}') for number in range(len(array)))
    docs.embeddings = array
    return docs


def oracle(x, y, metric):
    """All distances by the textbook, one pair at a time."""
    x, y = np.asarray(x, float), np.asarray(y, float)
    return np.array([[metric(a, b) for b in y] for a in x])


def plain_cosine(a, b):
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return 1 - a @ b / lengths if lengths else 1.0


PLAIN = {
    'cosine': plain_cosine,
    'sqeuclidean': lambda a, b: ((a - b) ** 2).sum(),
    'euclidean': lambda a, b: np.sqrt(((a - b) ** 2).sum()),
}


def found(docs, metric):
    return [[int(match.id) for match in doc.matches] for doc in docs], np.array(
        [[match.scores[metric].value for match in doc.matches] for doc in docs]
    )


@pytest.mark.parametrize('metric', PLAIN)
@pytest.mark.parametrize('dtype', ['f2', 'f4', 'f8', 'i4', '>f4'])
@pytest.mark.parametrize('batch_size', [None, 1, 7, 1000])
def test_against_the_textbook(metric, dtype, batch_size):
    random = np.random.default_rng(1)
    x, y = ((random.normal(size=(n, 8)) * 10).astype(dtype) for n in (9, 60))
    queries, database = with_embeddings(x, 'q'), with_embeddings(y)
    queries.match(database, metric=metric, limit=5, batch_size=batch_size)
    expected = oracle(x, y, PLAIN[metric])
    order = np.argsort(expected, axis=1, kind='stable')[:, :5]
    positions, values = found(queries, metric)
    assert positions == order.tolist()
    np.testing.assert_allclose(values, np.take_along_axis(expected, order, 1), rtol=1e-9, atol=1e-9)


@given(
    arrays('f4', (5, 3), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0])),
    arrays('f4', (40, 3), elements=st.sampled_from([-1.0, 0.0, 0.5, 2.0])),
    st.integers(0, 45),
    st.integers(1, 50),
    st.sampled_from(['sqeuclidean', 'euclidean']),
)
def test_ties_stay_in_order(x, y, limit, batch_size, metric):
    queries = with_embeddings(x, 'q')
    queries.match(with_embeddings(y), metric=metric, limit=limit, batch_size=batch_size)
    order = np.argsort(oracle(x, y, PLAIN[metric]), axis=1, kind='stable')[:, :limit]
    assert found(queries, metric)[0] == order.tolist()


@pytest.mark.parametrize('metric', PLAIN)
@pytest.mark.parametrize('n', [1, 2, 5])
def test_equal_vectors_are_equally_far_wherever_they_are(metric, n):
    random = np.random.default_rng(2)
    x, one = random.normal(size=(n, 100)).astype('f4'), random.normal(size=(1, 100)).astype('f4')
    queries = with_embeddings(x, 'q')
    queries.match(with_embeddings(np.repeat(one, 1003, axis=0)), metric=metric, limit=10)
    positions, values = found(queries, metric)
    assert positions == [list(range(10))] * n
    assert all(len(set(row)) == 1 for row in values.tolist())


@pytest.mark.parametrize('metric', PLAIN)
@pytest.mark.parametrize('scale', [1e-30, 1.0, 1e15])
def test_a_document_is_its_own_nearest(metric, scale):
    array = (np.random.default_rng(3).normal(size=(50, 16)) * scale).astype('f4')
    docs = with_embeddings(array)
    docs.match(DocumentArray(docs), metric=metric, limit=1)
    positions, values = found(docs, metric)
    assert positions == [[n] for n in range(50)]
    np.testing.assert_allclose(values, 0, atol=1e-15)


def test_many_documents():
    random = np.random.default_rng(4)
    x, y = random.normal(size=(7, 4)).astype('f4'), random.normal(size=(40_000, 4)).astype('f4')
    queries = with_embeddings(x, 'q')
    queries.match(with_embeddings(y), metric='sqeuclidean')
    expected = ((x[:, None].astype(float) - y[None]) ** 2).sum(axis=2)
    assert found(queries, 'sqeuclidean')[0] == np.argsort(expected, axis=1, kind='stable')[:, :20].tolist()


class TestMatches:
    @pytest.fixture
    def queries(self):
        return with_embeddings([[1.0, 0.0], [0.0, 1.0]], 'q')

    @pytest.fixture
    def database(self):
        return with_embeddings([[1.0, 0.1], [0.1, 1.0], [1.0, 1.0]])

    def test_they_are_shallow_copies(self, queries, database):
        database[0].scores['old'] = 1
        database[0].tags['a'] = 1
        queries.match(database)
        match = queries[0].matches[0]
        assert match is not database[0]
        assert (match.id, match.tags, match.adjacency) == ('0', {'a': 1}, 1)
        assert match.embedding is database[0].embedding
        assert list(match.scores) == ['cosine']
        assert list(database[0].scores) == ['old']
        assert (match.scores['cosine'].op_name, match.scores['cosine'].ref_id) == ('cosine', 'q0')

    def test_they_replace_earlier_ones(self, queries, database):
        queries[0].matches.append(Document())
        queries.match(database)
        queries.match(database, limit=2)
        assert [len(doc.matches) for doc in queries] == [2, 2]

    def test_they_do_not_nest(self, database):
        for _ in range(3):
            database.match(database)
        assert len(database[0].matches[0].matches) == 0

    def test_limits(self, queries, database):
        for limit, count in ((0, 0), (1, 1), (3, 3), (20, 3), (None, 3)):
            queries.match(database, limit=limit)
            assert len(queries[0].matches) == count

    def test_metric_name(self, queries, database):
        queries.match(database, metric_name='near')
        assert list(queries[0].matches[0].scores) == ['near']
        assert queries[0].matches[0].scores['near'].op_name == 'cosine'

    def test_function(self, queries, database):
        def manhattan(x, y):
            return np.abs(x[:, None] - y[None]).sum(axis=2)

        queries.match(database, metric=manhattan)
        assert found(queries, 'manhattan')[0] == [[0, 2, 1], [1, 2, 0]]
        queries.match(database, metric=lambda x, y: np.arange(len(y)) + np.zeros((len(x), 1), int), metric_name='n')
        assert found(queries, 'n')[0] == [[0, 1, 2]] * 2

    def test_a_function_of_the_wrong_shape(self, queries, database):
        with pytest.raises(ValueError, match=r'\(2,\)'):
            queries.match(database, metric=lambda x, y: np.zeros(2))

    def test_what_is_not_finite_is_no_match(self, queries, database):
        queries.match(database, metric=lambda x, y: np.tile([np.nan, 1, np.inf], (2, 1)), metric_name='m')
        assert found(queries, 'm')[0] == [[1], [1]]
        database[0].embedding = [np.nan, 1]
        queries.match(database)
        assert found(queries, 'cosine')[0] == [[2, 1], [1, 2]]

    @pytest.mark.parametrize('metric', PLAIN)
    @pytest.mark.parametrize('limit', [2, 20])
    @pytest.mark.parametrize('batch_size', [1, None])
    def test_normalization(self, queries, database, metric, limit, batch_size):
        queries.match(database, metric=metric, limit=limit, normalization=(1, 0), batch_size=batch_size)
        distances = oracle(queries.embeddings, database.embeddings, PLAIN[metric])
        low, high = distances.min(axis=1, keepdims=True), distances.max(axis=1, keepdims=True)
        expected = -np.sort(-(1 - (distances - low) / (high - low)), axis=1)[:, :limit]
        np.testing.assert_allclose(found(queries, metric)[1], expected, atol=1e-6)

    def test_normalization_of_equal_distances(self, queries, database):
        queries.match(database[:1], normalization=(0.25, 1))
        assert found(queries, 'cosine')[1].tolist() == [[0.25], [0.25]]

    @pytest.mark.parametrize('batch_size', [1, 2, None])
    def test_exclude_self(self, database, batch_size):
        database.match(database, exclude_self=True, batch_size=batch_size)
        assert found(database, 'cosine')[0] == [[2, 1], [2, 0], [0, 1]]
        database.match(database, exclude_self=True, limit=1, batch_size=batch_size, normalization=(0, 1))
        assert found(database, 'cosine')[0] == [[2], [2], [0]]
        assert found(database, 'cosine')[1].tolist() == [[0], [0], [0]]

    def test_zero_vectors(self):
        docs = with_embeddings([[0.0, 0.0], [1.0, 0.0]])
        docs.match(docs)
        assert [match.scores['cosine'].value for match in docs[0].matches] == [1, 1]

    def test_lists_and_subsets(self, queries, database):
        queries.match(database[['2', '0']])
        assert [match.id for match in queries[0].matches] == ['0', '2']

    def test_empty(self, queries, database):
        queries.match(database)
        queries.match(DocumentArray())
        assert len(queries[0].matches) == 0
        DocumentArray().match(database)


class TestErrors:
    def test_embeddings(self):
        docs = with_embeddings(np.ones((2, 3)))
        with pytest.raises(ValueError, match='3 dimensions cannot be matched with 2'):
            docs.match(with_embeddings(np.ones((2, 2))))
        with pytest.raises(ValueError, match='have no embedding'):
            docs.match(DocumentArray([Document(), Document()]))
        with pytest.raises(ValueError, match='real numbers'):
            docs.match(with_embeddings(np.ones((2, 3), complex)))

    @pytest.mark.parametrize('options', [{'limit': -1}, {'batch_size': -1}])
    def test_numbers(self, options):
        docs = with_embeddings(np.ones((2, 3)))
        with pytest.raises(ValueError, match='not -1'):
            docs.match(docs, **options)

    @pytest.mark.parametrize(
        ('metric', 'message'), [('cosin', "did you mean 'cosine'"), ('xyz', 'known are'), (5, 'no metric 5')]
    )
    def test_metric(self, metric, message):
        docs = with_embeddings(np.ones((2, 3)))
        with pytest.raises(BadOption, match=message):
            docs.match(docs, metric=metric)

    def test_a_failure_leaves_earlier_matches(self):
        docs = with_embeddings(np.ones((2, 3)))
        docs.match(docs)
        with pytest.raises(ZeroDivisionError):
            docs.match(docs, metric=lambda x, y: 1 / 0)
        assert len(docs[0].matches) == 2


@pytest.mark.parametrize(
    ('function', 'name'), [(cosine, 'cosine'), (euclidean, 'euclidean'), (sqeuclidean, 'sqeuclidean')]
)
def test_distances(function, name):
    random = np.random.default_rng(5)
    x, y = random.normal(size=(4, 6)), random.normal(size=(3, 6))
    x[0] = y[0] = 0
    np.testing.assert_allclose(function(x, y), oracle(x, y, PLAIN[name]), atol=1e-12)
    assert function(x.astype('f4'), y.astype('f4')).shape == (4, 3)


_odd = st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1.0])


@given(
    arrays('f4', st.tuples(st.integers(1, 3), st.integers(1, 300)), elements=_odd | st.floats(-10, 10, width=32)),
    st.integers(0, 20),
    st.integers(1, 300),
    st.sampled_from([1, 2**20]),
)
def test_nearest_keeps_the_k_smallest(distances, k, width, waiting):
    nearest = Nearest(len(distances), k)
    noise = np.random.default_rng(0).uniform(-0.01, 0.01, distances.shape).astype('f4')
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nearest_module, '_WAITING', waiting)
        for offset in range(0, distances.shape[1], width):
            columns = slice(offset, offset + width)
            screened = distances[:, columns] + noise[:, columns]
            nearest.add(
                0, offset, screened, np.full(len(distances), 0.011), lambda rows, others: distances[rows, others]
            )
        nearest.settle(lambda rows, others: distances[rows, others])
    for query, row in enumerate(distances):
        order = np.argsort(row, kind='stable')
        expected = order[np.isfinite(row[order])][:k]
        values, positions = nearest[query]
        assert positions.tolist() == expected.tolist()
        assert values.tolist() == row[expected].tolist()


@pytest.mark.parametrize('batch_size', [None, 5000])
def test_many_ties_stay_in_order(batch_size):
    # More columns than one block has, and of each vector a thousand copies.
    y = np.random.default_rng(5).normal(size=(20, 8)).astype('f4')
    database = with_embeddings(np.tile(y, (1000, 1)))
    queries = with_embeddings(y[:3], 'q')
    queries.match(database, limit=1500, batch_size=batch_size)
    for number, positions in enumerate(found(queries, 'cosine')[0]):
        assert positions[:1000] == list(range(number, 20_000, 20))
        assert positions[1000:] == sorted(positions[1000:])


def test_a_function_of_three_arguments_gets_the_name():
    docs, names = with_embeddings(np.eye(3)), []

    def distance(x, y, name):
        names.append(name)
        return 1 - x @ y.T

    docs.match(docs, metric=distance)
    docs.match(docs, metric=distance, metric_name='mine')
    docs.match(docs, metric=lambda x, y, scale=2: scale - x @ y.T, metric_name='default')
    assert names == ['distance', 'mine']
    assert docs[0].matches[0].scores['default'].value == 1


def test_options_of_other_releases():
    docs = with_embeddings(np.eye(3))
    docs.match(docs, is_sparse=False, use_scipy=True, batch_size=0)
    assert found(docs, 'cosine')[0] == [[0, 1, 2], [1, 0, 2], [2, 0, 1]]


def test_exclude_self_fills_up_to_the_limit():
    docs = with_embeddings(np.eye(5))
    docs.match(docs, exclude_self=True, limit=3)
    assert found(docs, 'cosine')[0] == [[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2], [0, 1, 2]]


@pytest.mark.parametrize('dtype', ['f2', 'f4', 'f8'])
def test_lengths_out_of_any_range(dtype):
    extremes = np.array([[np.finfo(dtype).max, 0], [np.finfo(dtype).smallest_subnormal, 0], [1, 1], [0, 0]], dtype)
    docs = with_embeddings(extremes)
    docs.match(docs)
    positions, values = found(docs, 'cosine')
    assert positions == [[0, 1, 2, 3], [0, 1, 2, 3], [2, 0, 1, 3], [0, 1, 2, 3]]
    np.testing.assert_allclose(values[0], [0, 0, 1 - 0.5**0.5, 1])


def test_sparse_queries_of_a_dense_database_and_functions():
    sparse = pytest.importorskip('scipy.sparse')
    queries, database = with_embeddings(np.eye(3), 'q'), with_embeddings(np.eye(4)[:, :3])
    queries.embeddings = sparse.csr_matrix(np.eye(3))
    queries.match(database)
    assert found(queries, 'cosine')[0] == [[0, 1, 2, 3], [1, 0, 2, 3], [2, 0, 1, 3]]
    database.embeddings = sparse.csr_matrix(np.eye(4)[:, :3])
    queries.match(database, metric=lambda x, y: x @ -y.T, metric_name='product', limit=2)
    assert found(queries, 'product')[0] == [[0, 1], [1, 0], [2, 0]]


def test_a_large_sparse_database_stays_sparse():
    sparse = pytest.importorskip('scipy.sparse')
    # As dense arrays these would be 8 GB.
    rows = sparse.csr_matrix((np.ones(2000), (np.arange(2000), np.arange(2000) * 499)), shape=(2000, 1_000_000))
    database = DocumentArray(Document(id=str(number)) for number in range(2000))
    queries = DocumentArray(Document() for _ in range(3))
    database.embeddings, queries.embeddings = rows, rows[[7, 1999, 0]]
    queries.match(database, metric='euclidean', limit=1)
    assert found(queries, 'euclidean')[0] == [[7], [1999], [0]]
