"""What every DocumentArray does, wherever it keeps its Documents."""

import copy
import io
import operator
import pickle
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jina.excepts import BadDocType, BadOption
from jina.types.arrays import DocumentArray, DocumentArrayMemmap
from jina.types.document import Document

POOLS = {'memmap': 1000, 'memmap without memory': 1}


@pytest.fixture(params=['list', *POOLS])
def kind(request) -> str:
    return request.param


@pytest.fixture
def make(kind, tmp_path):
    """A function that makes an array of some Documents."""
    numbers, opened = count(), []

    def array(docs=()):
        if kind == 'list':
            return DocumentArray(docs)
        opened.append(DocumentArrayMemmap(tmp_path / str(next(numbers)), buffer_pool_size=POOLS[kind]))
        opened[-1].extend(docs)
        return opened[-1]

    yield array
    for each in opened:
        each.close()


@pytest.fixture
def docs(make):
    return make(Document(id=name, text=f'text {name}') for name in 'abcd')


def ids(docs) -> str:
    return ''.join(doc.id for doc in docs)


class TestIndex:
    def test_one(self, docs):
        assert [docs[key].text for key in (1, 'b', -3, np.int64(1))] == ['text b'] * 4

    @pytest.mark.parametrize(
        ('key', 'expected'),
        [
            (slice(1, 3), 'bc'),
            (slice(None), 'abcd'),
            (slice(None, None, -1), 'dcba'),
            (slice(-1, None, -2), 'db'),
            (slice(None, None, 3), 'ad'),
            (slice(9, 12), ''),
            (slice(3, 1), ''),
            ([0, -1], 'ad'),
            ([0, 0], 'aa'),
            (['d', 'a'], 'da'),
            (('d', 0), 'da'),
            ([], ''),
            ([True, False, False, True], 'ad'),
            (np.array([False, True, True, False]), 'bc'),
            (np.array([2, 0]), 'ca'),
        ],
    )
    def test_several(self, docs, key, expected):
        chosen = docs[key]
        assert type(chosen) is DocumentArray
        assert ids(chosen) == expected

    @pytest.mark.parametrize(
        ('key', 'error'),
        [
            (4, IndexError),
            (-5, IndexError),
            ('x', KeyError),
            (1.5, TypeError),
            (None, TypeError),
            ([True], IndexError),
            (['x'], KeyError),
            ([7], IndexError),
        ],
    )
    def test_wrong_keys(self, docs, key, error):
        with pytest.raises(error):
            docs[key]
        if not isinstance(key, list):
            with pytest.raises(error):
                docs[key] = Document()
            with pytest.raises(error):
                del docs[key]
        assert ids(docs) == 'abcd'

    def test_contains(self, docs):
        assert 'a' in docs
        assert 'x' not in docs
        assert docs[0] in docs
        assert Document(id='a') in docs
        assert Document() not in docs
        assert 5 not in docs

    def test_set(self, docs):
        docs['b'] = Document(id='x')
        docs[0] = Document(id='y')
        docs[2:] = [Document(id='z')]
        assert ids(docs) == 'yxz'
        docs[1:1] = [Document(id='1'), Document(id='2')]
        assert ids(docs) == 'y12xz'
        docs[::2] = [Document(id=name) for name in 'ABC']
        assert ids(docs) == 'A1BxC'
        with pytest.raises(BadDocType):
            docs[0] = 'text'
        with pytest.raises(BadDocType):
            docs[0:2] = [Document(), 'text']
        with pytest.raises(ValueError, match='slice'):
            docs[::2] = [Document()]
        assert ids(docs) == 'A1BxC'

    def test_swap(self, docs):
        docs[0], docs[3] = docs[3], docs[0]
        assert ids(docs) == 'dbca'
        assert [docs[name].text for name in 'abcd'] == [f'text {name}' for name in 'abcd']

    def test_delete(self, docs):
        del docs['b'], docs[0], docs[1:]
        assert ids(docs) == 'c'

    def test_ids_are_found_after_every_change(self, docs):
        changes = [
            lambda: docs.append(Document(id='e')),
            lambda: docs.insert(0, Document(id='f')),
            lambda: docs.extend([Document(id='g')]),
            lambda: docs.reverse(),
            lambda: docs.sort(key=lambda doc: doc.id),
            lambda: docs.pop(0),
            lambda: docs.remove(docs['c']),
            lambda: docs.__delitem__('d'),
            lambda: docs.__setitem__(0, Document(id='h')),
            lambda: docs.__iadd__([Document(id='i')]),
            lambda: setattr(docs[1], 'id', 'j'),
            lambda: docs.clear(),
        ]
        for change in changes:
            change()
            assert [docs[doc.id].text == doc.text for doc in docs] == [True] * len(docs)
            assert [name for name in 'abcdefghij' if name in docs] == sorted(doc.id for doc in docs)

    def test_equal_ids_give_the_first(self, make):
        docs = make()
        for text in ('second', 'first'):
            docs.insert(0, Document(id='x', text=text))
        assert docs['x'].text == 'first'
        del docs[0]
        assert docs['x'].text == 'second'


class TestList:
    def test_adding_wrong_types_adds_nothing(self, docs):
        for add in (docs.append, lambda value: docs.insert(0, value), lambda value: docs.extend([Document(), value])):
            with pytest.raises(BadDocType, match=f'{type(docs).__name__} holds Documents, not dict'):
                add({'text': 'x'})
        for values in ('x', 5, None):
            with pytest.raises(BadDocType, match='holds Documents'):
                docs.extend(values)
        assert ids(docs) == 'abcd'

    def test_a_failing_iterable_adds_nothing(self, docs):
        def some():
            yield Document()
            raise OSError('gone')

        with pytest.raises(OSError, match=r'^gone$'):
            docs.extend(some())
        assert ids(docs) == 'abcd'
        docs.append(Document(id='e'))
        assert ids(docs) == 'abcde'

    def test_plus(self, docs):
        both = docs + docs[2:]
        assert type(both) is DocumentArray
        assert ids(both) == 'abcdcd'
        assert ids(docs + [Document(id='x')]) == 'abcdx'  # noqa: RUF005
        docs += [Document(id='x')]
        assert ids(docs) == 'abcdx'

    def test_equality_is_by_content(self, docs, make):
        assert docs == make(Document(text=doc.text) for doc in docs)
        assert docs == DocumentArray(docs)
        assert DocumentArray(docs) == docs
        assert docs != docs[1:]
        assert docs != make(reversed(docs))
        assert docs != list(docs)

    def test_insert(self, docs):
        for index, name in ((0, 'x'), (2, 'y'), (-1, 'z'), (100, 'w'), (-100, 'v')):
            docs.insert(index, Document(id=name))
        assert ids(docs) == 'vxaybczdw'

    def test_sort_and_reverse(self, docs):
        docs.sort(key=lambda doc: doc.id, reverse=True)
        assert ids(docs) == 'dcba'
        docs.reverse()
        assert ids(docs) == 'abcd'
        docs.sort(key=lambda doc: doc.id in 'ab')
        assert ids(docs) == 'cdab'

    def test_a_failing_key_sorts_nothing(self, docs):
        with pytest.raises(ZeroDivisionError):
            docs.sort(key=lambda doc: 1 / (doc.id != 'c'))
        assert ids(docs) == 'abcd'

    def test_pop_remove_index_count(self, docs):
        assert docs.pop().id == 'd'
        assert docs.pop(0).id == 'a'
        docs.remove(Document(text='text b'))
        assert ids(docs) == 'c'
        assert docs.index(docs[0]) == 0
        assert docs.count(Document(text='text c')) == 1
        with pytest.raises(ValueError):  # noqa: PT011
            docs.remove(Document(text='no such'))

    def test_bool_and_iteration(self, docs, make):
        assert docs
        assert not make()
        assert ids(reversed(docs)) == 'dcba'
        assert [next(iter(docs)).id for _ in range(2)] == ['a', 'a']

    def test_repr(self, docs):
        cls = type(docs)
        assert repr(docs) == f'<{cls.__module__}.{cls.__name__} length=4 at {id(docs)}>'

    def test_unhashable(self, docs):
        with pytest.raises(TypeError):
            hash(docs)

    @pytest.mark.parametrize('duplicate', [copy.deepcopy, lambda docs: pickle.loads(pickle.dumps(docs))])
    def test_copies(self, docs, duplicate):
        docs[0].text = 'changed'
        again = duplicate(docs)
        assert type(again) is type(docs)
        assert again == docs
        assert again[0] is not docs[0]

    def test_unknown_attributes(self, docs):
        with pytest.raises(AttributeError, match='nothing'):
            docs.nothing  # noqa: B018


class TestChanges:
    """What is changed in a Document is changed in the array, if it is done while the Document is in use."""

    def test_by_index(self, docs):
        docs[0].text = 'x'
        docs['b'].tags['a'] = {'b': 1}
        docs[2].embedding = np.zeros(3)
        docs[2].embedding[1] = 7
        docs[3].chunks.append(Document(text='chunk'))
        assert docs[0].text == 'x'
        assert docs[1].tags == {'a': {'b': 1}}
        assert docs[2].embedding.tolist() == [0, 7, 0]
        assert docs[3].chunks[0].parent_id == 'd'

    def test_in_a_loop(self, docs):
        for doc in docs:
            doc.text = doc.id * 2
        assert docs.get_attributes('text') == ['aa', 'bb', 'cc', 'dd']

    def test_in_a_loop_that_ends_early(self, docs):
        for doc in docs:
            doc.text = 'x'
            break
        assert docs.get_attributes('text') == ['x', 'text b', 'text c', 'text d']

    def test_in_batches_and_slices(self, docs):
        for batch in docs.batch(3):
            batch.embeddings = np.full((len(batch), 2), len(batch))
        assert docs.embeddings.tolist() == [[3, 3], [3, 3], [3, 3], [1, 1]]
        docs[1:3].embeddings = np.zeros((2, 2))
        assert docs.embeddings.tolist() == [[3, 3], [0, 0], [0, 0], [1, 1]]

    def test_after_adding(self, docs):
        doc = Document(id='e')
        docs.append(doc)
        doc.text = 'later'
        assert docs['e'].text == 'later'

    def test_ids(self, docs):
        docs[1].id = 'x'
        assert ids(docs) == 'axcd'
        assert docs['x'].text == 'text b'
        assert 'b' not in docs

    def test_across_moves(self, docs):
        doc = docs[1]
        docs.reverse()
        doc.text = 'x'
        assert docs.get_attributes('text') == ['text d', 'text c', 'x', 'text a']


class TestAttributes:
    def test_one_and_several(self, docs, make):
        assert docs.get_attributes('id') == list('abcd')
        assert docs.get_attributes('id', 'text')[1][0] == 'text a'
        assert make().get_attributes('id', 'text') == [[], []]
        values, same = docs.get_attributes_with_docs('id')
        assert values == list('abcd')
        assert same == docs

    def test_nested(self, make):
        docs = make([Document(tags={'a': {'b': 1}}), Document()])
        assert docs.get_attributes('tags__a__b') == [1, None]
        assert docs.get_attributes('tags__a__b', 'text') == [[1, None], ['', '']]

    def test_every_attribute(self, docs):
        for name in ('content', 'content_type', 'content_hash', 'mime_type', 'weight', 'scores', 'chunks', 'location'):
            assert docs.get_attributes(name) == [getattr(doc, name) for doc in docs]

    @pytest.mark.parametrize('name', ['txt', '_text', 'get_attributes', '', '__class__'])
    def test_unknown(self, docs, name):
        with pytest.raises(BadOption):
            docs.get_attributes(name)


@pytest.mark.parametrize('name', ['embedding', 'blob'])
class TestStacking:
    def test_round_trip(self, docs, name):
        array = np.arange(12, dtype='f4').reshape(4, 3)
        setattr(docs, f'{name}s', array)
        assert getattr(docs[1], name).tolist() == [3, 4, 5]
        stacked = getattr(docs, f'{name}s')
        assert stacked.dtype == np.float32
        assert np.array_equal(stacked, array)

    def test_after_a_row_is_replaced(self, docs, name):
        setattr(docs, f'{name}s', np.zeros((4, 3)))
        getattr(docs, f'{name}s')
        setattr(docs[1], name, np.ones(3))
        assert getattr(docs, f'{name}s').sum() == 3

    @pytest.mark.parametrize(
        'array',
        [
            np.arange(24).reshape(4, 6)[:, ::2],
            np.asfortranarray(np.arange(12).reshape(4, 3)),
            np.arange(12).reshape(4, 3)[::-1],
            np.broadcast_to(np.arange(3), (4, 3)),
            np.zeros((4, 0)),
            np.arange(24).reshape(4, 2, 3),
            np.arange(4, dtype='>i2').reshape(4, 1),
        ],
    )
    def test_any_layout(self, docs, name, array):
        setattr(docs, f'{name}s', array)
        assert np.array_equal(getattr(docs, f'{name}s'), array)

    def test_errors_name_the_documents(self, docs, name):
        with pytest.raises(ValueError, match=r"4 Documents \('a', 'b', 'c', …\) have no"):
            getattr(docs, f'{name}s')
        setattr(docs, f'{name}s', np.zeros((4, 2)))
        setattr(docs['c'], name, [1])
        with pytest.raises(ValueError, match=r"Document 'c' has \w+s of another shape"):
            getattr(docs, f'{name}s')

    @pytest.mark.parametrize('value', [np.zeros((3, 2)), np.zeros(4), 5, 'x', [['x']] * 4])
    def test_wrong_rows(self, docs, name, value):
        with pytest.raises((ValueError, BadDocType)):
            setattr(docs, f'{name}s', value)
        assert docs.get_attributes(name) == [None] * 4

    def test_empty(self, make, name):
        assert getattr(make(), f'{name}s').shape == (0, 0)


class TestBatch:
    def test_sizes(self, docs, make):
        assert [ids(batch) for batch in docs.batch(3)] == ['abc', 'd']
        assert [ids(batch) for batch in docs.batch(4)] == ['abcd']
        assert list(make().batch(3)) == []
        with pytest.raises(ValueError, match='at least 1'):
            docs.batch(0)

    def test_paths_and_required_attribute(self, docs):
        docs[1].chunks = [Document(id='x', uri='u'), Document(id='y')]
        assert [ids(batch) for batch in docs.batch(9, traversal_paths='r,c')] == ['abcdxy']
        assert [ids(batch) for batch in docs.batch(9, ['c'], require_attr='uri')] == ['x']
        assert [ids(batch) for batch in docs.batch(3, require_attr='text')] == ['abc', 'd']

    def test_a_batch_is_another_list(self, docs):
        for batch in docs.batch(9):
            batch.clear()
        assert len(docs) == 4


class TestTraversal:
    @pytest.fixture
    def tree(self, make):
        return make(
            [
                Document(id='a', chunks=[Document(id='b', matches=[Document(id='c')]), Document(id='d')]),
                Document(id='e', matches=[Document(id='f', chunks=[Document(id='g')])]),
            ]
        )

    @pytest.mark.parametrize(
        ('paths', 'expected'),
        [
            ('r', 'ae'),
            ('c', 'bd'),
            ('m', 'f'),
            ('cm', 'c'),
            ('mc', 'g'),
            ('r,cm', 'aec'),
            (['m', 'r'], 'fae'),
            ('cc', ''),
        ],
    )
    def test_flat(self, tree, paths, expected):
        flat = tree.traverse_flat(paths)
        assert type(flat) is DocumentArray
        assert ids(flat) == expected

    def test_by_parent(self, tree):
        assert [ids(array) for array in tree.traverse('c')] == ['bd', '']
        assert [ids(array) for array in tree.traverse_flat_per_path(['c', 'r', 'cm'])] == ['bd', 'ae', 'c']

    def test_adding_adds_to_the_parent(self, tree):
        for chunks in tree.traverse('c'):
            chunks.append(Document(text='new'))
        assert tree['e'].chunks[0].parent_id == 'e'

    @pytest.mark.parametrize('paths', ['x', 'r,', [''], ['rc', 'q']])
    def test_wrong_paths(self, tree, paths):
        with pytest.raises(ValueError, match='letters r, c and m'):
            tree.traverse(paths)


class TestSearch:
    def test_match(self, make):
        queries, database = make(Document(id=f'q{n}') for n in range(3)), make(Document(id=str(n)) for n in range(9))
        queries.embeddings, database.embeddings = np.eye(3), np.eye(9)[:, :3] + np.arange(9)[:, None] / 9
        queries.match(database, limit=2, metric='euclidean')
        expected = DocumentArray(Document(id=f'q{n}', embedding=row) for n, row in enumerate(np.eye(3)))
        expected.match(DocumentArray(database), limit=2, metric='euclidean')
        assert [ids(doc.matches) for doc in queries] == [ids(doc.matches) for doc in expected]
        for doc, other in zip(queries, expected, strict=True):
            assert [m.scores['euclidean'] for m in doc.matches] == [m.scores['euclidean'] for m in other.matches]

    @pytest.mark.parametrize('options', [{}, {'exclude_self': True}, {'batch_size': 2}, {'normalization': (1, 0)}])
    def test_match_with_itself(self, make, options):
        array = np.random.default_rng(1).normal(size=(9, 4))
        docs, expected = (
            make(Document(id=str(n)) for n in range(9)),
            DocumentArray(Document(id=str(n)) for n in range(9)),
        )
        docs.embeddings = expected.embeddings = array
        docs.match(docs, limit=3, **options)
        expected.match(expected, limit=3, **options)
        assert [ids(doc.matches) for doc in docs] == [ids(doc.matches) for doc in expected]
        assert docs[0].matches[0].scores['cosine'].value == expected[0].matches[0].scores['cosine'].value

    def test_match_with_nothing(self, docs, make):
        docs.embeddings = np.eye(4)
        docs.match(docs)
        docs.match(make())
        assert [len(doc.matches) for doc in docs] == [0] * 4
        make().match(docs)

    @pytest.mark.parametrize('metric', ['cosine', 'euclidean', 'sqeuclidean'])
    @pytest.mark.parametrize('batch_size', [None, 7])
    def test_match_sparse(self, make, metric, batch_size):
        sparse = pytest.importorskip('scipy.sparse')
        random = np.random.default_rng(1)
        dense = random.integers(-3, 4, (35, 50)) * (random.random((35, 50)) < 0.2)
        dense[20] = 0
        x, y = sparse.csr_matrix(dense[:5]), sparse.csr_matrix(dense[5:])
        expected = DocumentArray(Document(id=f'q{n}', embedding=row) for n, row in enumerate(x.toarray()))
        expected.match(
            DocumentArray(Document(id=str(n), embedding=row) for n, row in enumerate(y.toarray())), metric, limit=9
        )
        database = make(Document(id=str(n)) for n in range(30))
        database.embeddings = y
        queries = make(Document(id=f'q{n}') for n in range(5))
        for embeddings in (x, x.toarray()):
            queries.embeddings = embeddings
            queries.match(database, metric, limit=9, batch_size=batch_size, is_sparse=True)
            assert [[m.id for m in doc.matches] for doc in queries] == [[m.id for m in doc.matches] for doc in expected]
            for doc, other in zip(queries, expected, strict=True):
                values = [[m.scores[metric].value for m in each.matches] for each in (doc, other)]
                np.testing.assert_allclose(*values, atol=1e-7)
        assert database.embeddings.format == 'csr'
        assert (database.embeddings != y).nnz == 0

    def test_find(self, docs):
        docs['b'].tags['city'] = 'Berlin'
        docs['c'].tags['city'] = 'Bonn'
        assert ids(docs.find({'city': 'Be'})) == 'b'


class TestSelection:
    def test_sample(self, docs):
        assert set(ids(docs.sample(3, seed=1))) < set('abcd')
        assert ids(docs.sample(3, seed=1)) == ids(DocumentArray(docs).sample(3, seed=1))
        with pytest.raises(ValueError):  # noqa: PT011
            docs.sample(5)

    def test_shuffle(self, docs):
        assert sorted(ids(docs.shuffle())) == list('abcd')
        assert ids(docs.shuffle(seed=3)) == ids(DocumentArray(docs).shuffle(seed=3))
        assert ids(docs) == 'abcd'

    def test_split(self, make):
        docs = make(Document(id=str(n), tags={'even': n % 2 == 0} if n else {}) for n in range(5))
        assert {value: ids(part) for value, part in docs.split('even').items()} == {False: '13', True: '24'}


@pytest.mark.parametrize('file_format', ['json', 'binary'])
def test_files(docs, tmp_path, file_format):
    docs[1].chunks = [Document(buffer=b'\n\x00')]
    docs.save(tmp_path / 'docs', file_format)
    handle = io.BytesIO()
    docs.save(handle, file_format)
    assert handle.getvalue() == (tmp_path / 'docs').read_bytes()
    assert [doc.dict() for doc in DocumentArray.load(tmp_path / 'docs', file_format)] == [doc.dict() for doc in docs]
    with pytest.raises(BadOption, match='csv'):
        docs.save(tmp_path / 'docs', 'csv')


_CHANGES = {
    'insert': lambda docs, new, index: docs.insert(index, new[0]),
    'append': lambda docs, new: docs.append(new[0]),
    'extend': lambda docs, new: docs.extend(new),
    'set': lambda docs, new, index: operator.setitem(docs, index, new[0]),
    'set slice': lambda docs, new, index: operator.setitem(docs, index, new),
    'delete': lambda docs, new, index: operator.delitem(docs, index),
    'change': lambda docs, new, index: setattr(docs[index], 'text', new[0].id),
    'rename': lambda docs, new, index: setattr(docs[index], 'id', new[0].id),
    'reverse': lambda docs, new: docs.reverse(),
    'sort': lambda docs, new: docs.sort(key=lambda doc: doc.id),
    'clear': lambda docs, new: docs.clear(),
}
_positions = st.integers(-12, 12)
_slices = st.builds(slice, *[st.none() | _positions] * 2, st.sampled_from([None, 1, 2, -1, -3]))
_steps = st.one_of(
    st.tuples(st.sampled_from(['insert', 'set', 'delete', 'change', 'rename']), _positions),
    st.tuples(st.sampled_from(['set slice', 'delete']), _slices),
    st.tuples(st.sampled_from(['append', 'extend', 'reverse', 'sort', 'clear'])),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=25)
@given(st.lists(st.tuples(_steps, st.integers(1, 6)), max_size=30))
def test_it_does_what_a_list_does(make, steps):
    docs, expected, names = make(), [], count()
    for (change, *arguments), number in steps:
        new = [f'{next(names)}' for _ in range(number)]
        outcomes = [_outcome(change, array, new, arguments) for array in (docs, expected)]
        assert outcomes[0] == outcomes[1]
        assert [(doc.id, doc.text) for doc in docs] == [(doc.id, doc.text) for doc in expected]
        assert [docs[position].id for position in range(len(docs))] == [doc.id for doc in expected]
        assert all(docs[doc.id].text == doc.text for doc in expected)


def _outcome(change, array, names, arguments):
    try:
        _CHANGES[change](array, [Document(id=name) for name in names], *arguments)
    except (IndexError, ValueError) as error:
        return type(error)
    return None
