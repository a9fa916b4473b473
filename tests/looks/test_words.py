import numpy as np
import pytest

from jina.looks.words import brief, counted, cut, entries, form_of, headline, rows_of, scores_of, short_id, values_of
from jina.types.document import Document
from jina.types.score import NamedScore


@pytest.mark.parametrize(
    ('text', 'limit', 'shown'),
    [
        ('hello', 5, 'hello'),
        ('hello!', 5, 'hell…'),
        ('', 5, ''),
        ('a\nb', 9, 'a⏎b'),
        ('\x1b[31m', 20, '\\x1b[31m'),
        ('a\tb\r\x07', 20, 'a\\tb\\r\\x07'),
        ('\ud800', 9, '\\ud800'),
        ('Grüße 日本', 20, 'Grüße 日本'),
        ('x' * 1_000_000, 3, 'xx…'),
    ],
)
def test_text_is_cut_and_harmless(text, limit, shown):
    assert cut(text, limit) == shown


def test_numbers_are_counted():
    assert [counted(n, 'Document') for n in (0, 1, 1000)] == ['0 Documents', '1 Document', '1,000 Documents']


@pytest.mark.parametrize(
    ('array', 'form', 'values'),
    [
        (np.array([1, 2]), 'int64 (2,)', '[1 2]'),
        (np.arange(128, dtype='f4'), 'float32 (128,)', '[0 1 2 3 …] from 0 to 127'),
        (np.full(5, np.nan), 'float64 (5,)', '[nan nan nan nan …] from nan to nan'),
        (np.array([np.nan, -1, 2, 3, 4]), 'float64 (5,)', '[nan -1 2 3 …] from -1 to 4'),
        (np.zeros((0, 3)), 'float64 (0, 3)', ''),
        (np.array(3.0), 'float64 ()', '[3]'),
        (np.zeros(5, bool), 'bool (5,)', '[False False False False …]'),
        (np.zeros(5, complex), 'complex128 (5,)', '[0+0j 0+0j 0+0j 0+0j …]'),
    ],
)
def test_an_array_shows_its_form_and_some_values(array, form, values):
    assert (form_of(array), values_of(array)) == (form, values)


def test_a_sparse_array_shows_how_many_values_it_has():
    sparse = pytest.importorskip('scipy.sparse')
    assert form_of(sparse.csr_matrix(np.eye(3))) == 'csr_matrix float64 (3, 3), 3 values'


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        (b'\x89PNG', '4 bytes  89 50 4e 47'),
        (bytes(20), '20 bytes  00 00 00 00 00 00 00 00 …'),
        (0.123456, '0.1235'),
        (3, '3'),
        (None, 'None'),
        ([1, 'a'], "[1, 'a']"),
        (list(range(10_000)), '[0, 1, 2, 3, 4, 5, ...]'),
        (NamedScore(0.5), '0.5'),
        (NamedScore(0.5, 'cosine', 'why'), '0.5 (cosine, why)'),
        ({'a': {'b': 1}, 'c': {}}, 'a.b: 1, c: '),
    ],
)
def test_values_are_brief(value, shown):
    assert brief(value, 100) == shown
    assert len(brief(value, 3)) <= 3


def test_of_many_entries_the_first_are_shown():
    assert entries({str(n): n for n in range(14)}, 20)[-2:] == ['11: 11', '… 2 more']


def test_rows_are_what_is_set_without_the_children():
    doc = Document(id='d', text='t', tags={'a': 1, 'b': 2}, chunks=[Document()])
    assert rows_of(doc, 99) == [('id', 'd'), ('mime_type', 'text/plain'), ('text', 't'), ('tags', 'a: 1\nb: 2')]


def test_to_look_does_not_change():
    doc = Document(id='d')
    before = doc.dict()
    rows_of(doc, 9), headline(doc, 9), scores_of(doc, 9)
    assert doc.dict() == before
    assert doc._tags is doc._scores is doc._chunks is None


@pytest.mark.parametrize(
    ('doc', 'shown'),
    [
        (Document(text='hello'), 'hello'),
        (Document(blob=np.eye(3), uri='a.png'), 'float64 (3, 3)'),
        (Document(buffer=b'x'), '1 byte  78'),
        (Document(uri='a.png'), 'a.png'),
        (Document(tags={'a': 1}), 'a: 1'),
        (Document(embedding=[1.0, 2.0]), 'float64 (2,)'),
        (Document(), ''),
    ],
)
def test_a_headline_is_the_content_or_what_else_there_is(doc, shown):
    assert headline(doc, 99) == shown


def test_ids_that_nobody_chose_are_shortened_to_their_end():
    assert short_id(Document(id='mine')) == 'mine'
    assert short_id(Document(id='0' * 30 + 'ff')) == '…0000000ff'


def test_scores():
    assert scores_of(Document(scores={'cosine': 0.25}), 99) == 'cosine: 0.25  '
