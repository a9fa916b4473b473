import io
import tracemalloc

import numpy as np
import pytest

from jina.excepts import BadDocType, BadDocument
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


def test_the_documents_are_those_that_were_added(docs):
    doc = Document(id='e')
    docs.append(doc)
    assert docs[4] is docs['e'] is docs[-1] is doc
    assert docs[[4]][0] is docs[4:][0] is docs.find({}, threshold=0)[4] is doc


def test_a_small_document_is_small():
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        docs = DocumentArray(Document(text=f'a short text, number {number}') for number in range(10_000))
        size = (tracemalloc.get_traced_memory()[0] - before) / len(docs)
    finally:
        tracemalloc.stop()
    assert size < 600


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


class TestPlacing:
    def test_it_is_true_all_the_way_down(self):
        doc = Document(chunks=[Document(chunks=[Document(matches=[Document()])])])
        Document(granularity=4).chunks.append(doc)
        deepest = doc.chunks[0].chunks[0].matches[0]
        assert (doc.granularity, deepest.granularity, deepest.adjacency) == (5, 7, 1)


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

    def test_the_format_may_be_in_the_name(self, docs, tmp_path, file_format):
        getattr(docs, f'save_{file_format}')(tmp_path / 'docs')
        assert getattr(DocumentArray, f'load_{file_format}')(tmp_path / 'docs') == docs

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
