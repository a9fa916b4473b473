import re

import numpy as np
import pytest

pytest.importorskip('wordllama', reason='comes with the extra hello')

from jina import Document, DocumentArray
from jina.hello.search.corpus import Corpus
from jina.hello.search.executors import Encoder, Indexer, passage


def indexer_in(folder):
    return Indexer(metas={'workspace': str(folder)})


def with_embeddings(*embeddings):
    return DocumentArray(Document(id=f'doc{i}', embedding=e) for i, e in enumerate(embeddings))


def told(indexer):
    [doc] = indexer.tell_fingerprint()
    return doc.tags


@pytest.fixture(scope='module')
def encoder():
    return Encoder()


@pytest.fixture(scope='module')
def search(encoder, tmp_path_factory):
    """A function from a query to the names found."""
    indexer = indexer_in(tmp_path_factory.mktemp('search'))
    for batch in DocumentArray(Corpus()).batch(100):
        encoder.encode(docs=batch)
        indexer.index(docs=batch)
    indexer.commit(parameters={'fingerprint': 'all'})

    def names(query):
        docs = DocumentArray([Document(text=query)])
        encoder.encode(docs=docs)
        indexer.search(docs=docs, parameters={'limit': 5})
        return [match.tags['name'] for match in docs[0].matches]

    return names


@pytest.mark.parametrize(
    ('query', 'expected'),
    [
        ('read a csv file', r'csv\.'),
        ('compress a file', r'(bz2|gzip|zlib|lzma)\.'),
        ('convert string to lower case', r'str\.(lower|casefold)'),
        ('random sample', r'random\.'),
        ('cache function results', r'functools\.(lru_)?cache'),
        ('connect to database', r'sqlite3\.connect'),
        ('greatest common divisor', r'math\.gcd'),
        ('list files in a directory', r'os\.listdir'),
        ('parse command line arguments', r'argparse\.'),
        ('parse json', r'json\.'),
        ('permutations of a list', r'itertools\.permutations'),
        ('sleep for some seconds', r'time\.sleep'),
        ('start a thread', r'threading\.Thread\.start'),
        ('wrap text to a width', r'textwrap\.wrap'),
    ],
)
def test_finds_among_the_first_five(search, query, expected):
    names = search(query)
    assert any(re.match(expected, name) for name in names), names


def test_encoder_embeds_all_documents_of_a_request(encoder):
    docs = DocumentArray([Document(text='a cat'), Document(text='a kitten'), Document(text='a tax form')])
    encoder.encode(docs=docs)
    cat, kitten, form = docs.embeddings
    assert docs.embeddings.shape == (3, 256)
    assert np.dot(cat, kitten) > np.dot(cat, form)


def test_encoder_takes_a_request_without_documents(encoder):
    encoder.encode(docs=None)


def test_passage_of_a_query_is_the_query():
    assert passage(Document(text='read a file')) == 'read a file'


def test_passage_of_a_documented_name_has_the_words_of_the_name_and_the_first_paragraph():
    doc = Document(text='Parse a file.\n\nDetails follow.', tags={'name': 'xml.sax.XMLReader.parse_all'})
    assert passage(doc) == 'xml sax xmlreader parse all xml sax xmlreader parse all Parse a file.'


def test_indexer_finds_the_nearest_and_keeps_the_answer_small(tmp_path):
    indexer = indexer_in(tmp_path)
    indexer.index(docs=with_embeddings([1.0, 0.0], [1.0, 1.0], [0.0, 1.0]))
    query = with_embeddings([0.9, 0.1])
    indexer.search(docs=query, parameters={'limit': 2})
    assert query[0].matches.get_attributes('id') == ['doc0', 'doc1']
    assert query[0].matches[0].scores['cosine'].value == pytest.approx(0.006, abs=1e-3)
    assert query[0].embedding is query[0].matches[0].embedding is None
    assert indexer.docs[0].embedding is not None


def test_indexer_answers_with_ids_only(tmp_path):
    [answer] = indexer_in(tmp_path).index(docs=DocumentArray([Document(text='long', embedding=[1.0])]))
    assert (answer.text, answer.embedding) == ('', None)


def test_indexer_takes_requests_without_documents(tmp_path):
    indexer = indexer_in(tmp_path)
    assert len(indexer.index(docs=None)) == 0
    indexer.search(docs=None, parameters={})


def test_empty_index_finds_nothing(tmp_path):
    query = with_embeddings([1.0, 0.0])
    indexer_in(tmp_path).search(docs=query, parameters={})
    assert len(query[0].matches) == 0


def test_index_survives_a_restart(tmp_path):
    indexer = indexer_in(tmp_path)
    indexer.index(docs=with_embeddings([1.0, 0.0], [0.0, 1.0]))
    indexer.commit(parameters={'fingerprint': 'two'})
    restarted = indexer_in(tmp_path)
    assert told(restarted) == {'fingerprint': 'two', 'count': 2}
    assert restarted.docs == indexer.docs
    np.testing.assert_array_equal(restarted.docs.embeddings, indexer.docs.embeddings)


def test_what_is_not_committed_does_not_survive(tmp_path):
    indexer_in(tmp_path).index(docs=with_embeddings([1.0, 0.0]))
    assert told(indexer_in(tmp_path)) == {'fingerprint': '', 'count': 0}


def test_clear_forgets_what_is_in_memory(tmp_path):
    indexer = indexer_in(tmp_path)
    indexer.index(docs=with_embeddings([1.0, 0.0]))
    indexer.commit(parameters={'fingerprint': 'one'})
    indexer.clear()
    assert told(indexer) == {'fingerprint': '', 'count': 0}
    assert told(indexer_in(tmp_path)) == {'fingerprint': 'one', 'count': 1}


@pytest.mark.parametrize(
    'damage',
    [
        lambda whole: b'',
        lambda whole: b'something else entirely, by another program' * 9,
        lambda whole: whole[:-1],
        lambda whole: whole[:-8] + b'\0' * 8,
        lambda whole: whole + b'\0',
    ],
    ids=['empty', 'foreign', 'cut', 'overwritten', 'too long'],
)
def test_a_damaged_index_counts_as_empty(tmp_path, damage):
    indexer = indexer_in(tmp_path)
    indexer.index(docs=with_embeddings([1.0, 0.25]))
    indexer.commit(parameters={'fingerprint': 'one'})
    file = indexer.file.path
    file.write_bytes(damage(file.read_bytes()))
    assert told(indexer_in(tmp_path)) == {'fingerprint': '', 'count': 0}


def test_an_index_of_another_version_counts_as_empty(tmp_path, monkeypatch):
    indexer = indexer_in(tmp_path)
    indexer.commit(parameters={'fingerprint': 'none'})
    monkeypatch.setattr('jina.hello.search.executors.__version__', '9999')
    assert told(indexer_in(tmp_path))['fingerprint'] == ''


def test_writing_leaves_one_file(tmp_path):
    indexer = indexer_in(tmp_path)
    indexer.commit(parameters={'fingerprint': 'one'})
    indexer.commit(parameters={'fingerprint': 'two'})
    assert [file.name for file in indexer.file.path.parent.iterdir()] == ['index']
