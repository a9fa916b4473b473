import copy
import io
import pickle

import numpy as np
import pytest

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.arrays import DocumentArray
from jina.types.document import Document


@pytest.fixture
def docs() -> DocumentArray:
    return DocumentArray(Document(id=name, text=f'text {name}') for name in 'abcd')


def ids(docs) -> str:
    return ''.join(doc.id for doc in docs)


class TestConstructor:
    def test_sources(self, docs):
        assert len(DocumentArray()) == len(DocumentArray(None)) == 0
        assert ids(DocumentArray(docs[0])) == 'a'
        assert ids(DocumentArray(docs)) == ids(DocumentArray(list(docs))) == ids(DocumentArray(iter(docs))) == 'abcd'

    def test_a_copy_of_the_list(self, docs):
        other = DocumentArray(docs)
        other.clear()
        assert len(docs) == 4

    @pytest.mark.parametrize('source', ['x', 5, {'text': 'x'}, ['x'], [{'text': 'x'}], [None], b'x'])
    def test_wrong_types(self, source):
        with pytest.raises(BadDocType, match='DocumentArray holds Documents, not'):
            DocumentArray(source)


class TestIndex:
    def test_one(self, docs):
        assert docs[1] is docs['b'] is docs[-3] is docs[np.int64(1)]

    @pytest.mark.parametrize(
        ('key', 'expected'),
        [
            (slice(1, 3), 'bc'),
            (slice(None, None, -1), 'dcba'),
            ([0, -1], 'ad'),
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
            ('x', KeyError),
            (1.5, TypeError),
            (None, TypeError),
            ([True], IndexError),
            (['x'], KeyError),
        ],
    )
    def test_wrong_keys(self, docs, key, error):
        with pytest.raises(error):
            docs[key]

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
        with pytest.raises(BadDocType):
            docs[0] = 'text'
        with pytest.raises(IndexError):
            docs[9] = Document()

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
            assert [docs[doc.id] is doc for doc in docs] == [True] * len(docs)
            assert [name for name in 'abcdefghij' if name in docs] == sorted(doc.id for doc in docs)

    def test_equal_ids_give_the_first(self):
        first, second = Document(id='x'), Document(id='x')
        docs = DocumentArray([first, second])
        assert docs['x'] is first
        del docs[0]
        assert docs['x'] is second


class TestList:
    def test_adding_wrong_types_adds_nothing(self, docs):
        for add in (docs.append, lambda value: docs.insert(0, value), lambda value: docs.extend([Document(), value])):
            with pytest.raises(BadDocType, match='not dict'):
                add({'text': 'x'})
        assert len(docs) == 4

    def test_plus(self, docs):
        both = docs[:2] + docs[2:]
        assert type(both) is DocumentArray
        assert ids(both) == 'abcd'
        assert ids(docs + [Document(id='x')]) == 'abcdx'  # noqa: RUF005
        docs += docs
        assert ids(docs) == 'abcdabcd'

    def test_equality_is_by_content(self, docs):
        assert docs == DocumentArray(Document(text=doc.text) for doc in docs)
        assert docs != docs[1:]
        assert docs != list(docs)

    def test_sort_and_reverse(self, docs):
        docs.sort(key=lambda doc: doc.id, reverse=True)
        assert ids(docs) == 'dcba'
        docs.reverse()
        assert ids(docs) == 'abcd'

    def test_bool_and_iteration(self, docs):
        assert docs
        assert not DocumentArray()
        assert ids(reversed(docs)) == 'dcba'
        assert docs.index(docs[2]) == 2

    def test_repr(self, docs):
        assert repr(docs) == f'<jina.types.arrays.document.DocumentArray length=4 at {id(docs)}>'

    @pytest.mark.parametrize('duplicate', [copy.deepcopy, lambda docs: pickle.loads(pickle.dumps(docs))])
    def test_copies(self, docs, duplicate):
        again = duplicate(docs)
        assert again == docs
        assert again[0] is not docs[0]


class TestLazy:
    def test_the_loader_is_called_once_and_late(self):
        calls = []
        docs = DocumentArray._lazy(lambda: calls.append(1) or [Document(id='a')])
        assert not docs._touched
        assert not calls
        assert (len(docs), docs[0].id, 'a' in docs) == (1, 'a', True)
        assert docs._touched
        assert calls == [1]

    def test_assigning_a_list_or_failing(self):
        def fail():
            raise BadDocument('broken')

        docs = DocumentArray._lazy(fail)
        for _ in range(2):
            with pytest.raises(BadDocument, match='broken'):
                len(docs)

    def test_unknown_attributes(self):
        with pytest.raises(AttributeError, match='nothing'):
            DocumentArray().nothing  # noqa: B018


class TestAttributes:
    def test_one_and_several(self, docs):
        assert docs.get_attributes('id') == list('abcd')
        assert docs.get_attributes('id', 'text')[1][0] == 'text a'
        assert DocumentArray().get_attributes('id', 'text') == [[], []]
        values, same = docs.get_attributes_with_docs('id')
        assert values == list('abcd')
        assert same == docs

    def test_nested(self):
        docs = DocumentArray([Document(tags={'a': {'b': 1}}), Document()])
        assert docs.get_attributes('tags__a__b') == [1, None]


@pytest.mark.parametrize('name', ['embedding', 'blob'])
class TestStacking:
    def test_round_trip(self, docs, name):
        array = np.arange(12, dtype='f4').reshape(4, 3)
        setattr(docs, f'{name}s', array)
        assert getattr(docs[1], name).tolist() == [3, 4, 5]
        stacked = getattr(docs, f'{name}s')
        assert stacked.dtype == np.float32
        assert np.array_equal(stacked, array)
        assert np.shares_memory(stacked, array)

    def test_rows_share_memory(self, docs, name):
        setattr(docs, f'{name}s', np.zeros((4, 3)))
        for _ in range(2):
            getattr(docs, f'{name}s')[2] = 7
            assert getattr(docs[2], name).tolist() == [7, 7, 7]
        assert np.shares_memory(getattr(docs[1:3], f'{name}s'), getattr(docs[1], name))

    @pytest.mark.parametrize('order', [[3, 2, 1, 0], [0, 2], [0, 0], [1, 1, 2], [0, 1, 3, 2]])
    def test_another_order(self, docs, name, order):
        array = np.arange(12).reshape(4, 3)
        setattr(docs, f'{name}s', array)
        assert np.array_equal(getattr(docs[order], f'{name}s'), array[order])

    def test_after_a_row_is_replaced(self, docs, name):
        setattr(docs, f'{name}s', np.zeros((4, 3)))
        getattr(docs, f'{name}s')
        setattr(docs[1], name, np.ones(3))
        assert getattr(docs, f'{name}s').sum() == 3

    @pytest.mark.parametrize(
        'array',
        [
            np.arange(24).reshape(4, 6)[:, ::2],
            np.arange(24).reshape(8, 3)[::2],
            np.asfortranarray(np.arange(12).reshape(4, 3)),
            np.arange(12).reshape(4, 3)[::-1],
            np.broadcast_to(np.arange(3), (4, 3)),
            np.zeros((4, 0)),
            np.arange(24).reshape(4, 2, 3),
        ],
    )
    def test_any_layout(self, docs, name, array):
        setattr(docs, f'{name}s', array)
        assert np.array_equal(getattr(docs, f'{name}s'), array)

    def test_separate_arrays(self, docs, name):
        for number, doc in enumerate(docs):
            setattr(doc, name, [number, 1])
        assert getattr(docs, f'{name}s').tolist() == [[0, 1], [1, 1], [2, 1], [3, 1]]

    def test_errors_name_the_documents(self, docs, name):
        with pytest.raises(ValueError, match=r"4 Documents \('a', 'b', 'c', …\) have no"):
            getattr(docs, f'{name}s')
        setattr(docs, f'{name}s', np.zeros((4, 2)))
        setattr(docs['c'], name, [1])
        with pytest.raises(ValueError, match=r"Document 'c' has \w+s of another shape"):
            getattr(docs, f'{name}s')

    @pytest.mark.parametrize('value', [np.zeros((3, 2)), np.zeros(4), 5])
    def test_wrong_rows(self, docs, name, value):
        with pytest.raises((ValueError, BadDocType)):
            setattr(docs, f'{name}s', value)

    def test_empty(self, docs, name):
        assert getattr(DocumentArray(), f'{name}s').shape == (0, 0)


class TestBatch:
    def test_sizes(self, docs):
        assert [ids(batch) for batch in docs.batch(3)] == ['abc', 'd']
        assert list(DocumentArray().batch(3)) == []
        with pytest.raises(ValueError, match='at least 1'):
            docs.batch(0)

    def test_paths_and_required_attribute(self, docs):
        docs[1].chunks = [Document(id='x', uri='u'), Document(id='y')]
        assert [ids(batch) for batch in docs.batch(9, traversal_paths='r,c')] == ['abcdxy']
        assert [ids(batch) for batch in docs.batch(9, ['c'], require_attr='uri')] == ['x']


class TestTraversal:
    @pytest.fixture
    def tree(self) -> DocumentArray:
        return DocumentArray(
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


class TestPlacing:
    def test_it_is_true_all_the_way_down(self):
        doc = Document(chunks=[Document(chunks=[Document(matches=[Document()])])])
        Document(granularity=4).chunks.append(doc)
        deepest = doc.chunks[0].chunks[0].matches[0]
        assert (doc.granularity, deepest.granularity, deepest.adjacency) == (5, 7, 1)


class TestSelection:
    def test_sample(self, docs):
        assert set(ids(docs.sample(3, seed=1))) < set('abcd')
        assert ids(docs.sample(3, seed=1)) == ids(docs.sample(3, seed=1))
        with pytest.raises(ValueError):  # noqa: PT011
            docs.sample(5)

    def test_shuffle(self, docs):
        assert sorted(ids(docs.shuffle())) == list('abcd')
        assert ids(docs.shuffle(seed=3)) == ids(docs.shuffle(seed=3))
        assert ids(docs) == 'abcd'

    def test_split(self):
        docs = DocumentArray(Document(id=str(n), tags={'even': n % 2 == 0} if n else {}) for n in range(5))
        assert {value: ids(part) for value, part in docs.split('even').items()} == {False: '13', True: '24'}


@pytest.mark.parametrize('file_format', ['json', 'binary'])
class TestFiles:
    @pytest.fixture
    def docs(self, docs) -> DocumentArray:
        docs[0].embedding = np.arange(3.0)
        docs[1].chunks = [Document(buffer=b'\n\x00')]
        docs[2].text = 'zwei\nZeilen ☃'
        return docs

    def test_path(self, docs, tmp_path, file_format):
        for path in (tmp_path / 'docs', str(tmp_path / 'docs')):
            docs.save(path, file_format)
            again = DocumentArray.load(path, file_format)
            assert type(again) is DocumentArray
            assert [doc.dict() for doc in again] == [doc.dict() for doc in docs]

    def test_handle(self, docs, file_format):
        handle = io.BytesIO()
        docs.save(handle, file_format)
        handle.seek(0)
        assert DocumentArray.load(handle, file_format) == docs

    def test_arrays_are_writable(self, docs, tmp_path, file_format):
        docs.save(tmp_path / 'docs', file_format)
        DocumentArray.load(tmp_path / 'docs', file_format)[0].embedding[0] = 1

    def test_empty(self, tmp_path, file_format):
        DocumentArray().save(tmp_path / 'docs', file_format)
        assert len(DocumentArray.load(tmp_path / 'docs', file_format)) == 0

    def test_garbage(self, tmp_path, file_format):
        (tmp_path / 'docs').write_bytes(b'{"text": "x"}\n{"text": 5}\n')
        with pytest.raises(BadDocument):
            DocumentArray.load(tmp_path / 'docs', file_format)


def test_json_files_have_one_document_a_line(docs, tmp_path):
    docs.save(tmp_path / 'docs')
    assert len((tmp_path / 'docs').read_text().splitlines()) == 4


def test_json_through_a_text_handle(docs):
    handle = io.StringIO()
    docs.save(handle)
    handle.seek(0)
    assert DocumentArray.load(handle) == docs


def test_an_unreadable_line_is_named(tmp_path):
    (tmp_path / 'docs').write_text('{"text": "x"}\n\n{"text": 5}\n')
    with pytest.raises(BadDocument, match='line 3: text: '):
        DocumentArray.load(tmp_path / 'docs')


def test_unknown_file_format(docs, tmp_path):
    with pytest.raises(BadOption, match='csv'):
        docs.save(tmp_path / 'docs', 'csv')
    assert not (tmp_path / 'docs').exists()
