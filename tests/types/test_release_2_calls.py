"""How programs for release 2 call DocumentArrays: the names of parameters, and what else is accepted."""

import pytest

from jina import Document, DocumentArray, DocumentArrayMemmap


@pytest.fixture(params=['list', 'memmap'])
def docs(request, tmp_path):
    if request.param == 'list':
        yield DocumentArray()
        return
    with DocumentArrayMemmap(tmp_path / 'docs') as docs:
        yield docs


def test_append_and_insert(docs):
    docs.append(doc=Document(id='b'))
    docs.insert(index=0, doc=Document(id='a'))
    assert docs.get_attributes('id') == ['a', 'b']


@pytest.mark.parametrize('children', ['chunks', 'matches'])
def test_chunks_and_matches(children):
    array = getattr(Document(), children)
    assert array.append(doc=Document(id='b')) is array['b']
    array.insert(index=0, doc=Document(id='a'))
    array.extend(iterable=[Document(id='c')])
    assert array.get_attributes('id') == ['a', 'b', 'c']


def test_extend(tmp_path):
    docs = DocumentArray()
    docs.extend(iterable=[Document(id='a')])
    with DocumentArrayMemmap(tmp_path / 'docs') as stored:
        stored.extend(values=docs)
        assert stored.get_attributes('id') == docs.get_attributes('id') == ['a']


def test_a_memmap_writes_at_once_whatever_it_is_told(tmp_path):
    with DocumentArrayMemmap(tmp_path / 'docs') as docs, DocumentArrayMemmap(tmp_path / 'docs') as others:
        docs.append(Document(id='a'), flush=False, update_buffer=False)
        assert 'a' in others


def test_a_memmap_has_documents_by_key(tmp_path):
    with DocumentArrayMemmap(tmp_path / 'docs') as docs:
        docs.append(Document(id='a', text='x'))
        assert docs.get_doc_by_key('a').text == 'x'
        with pytest.raises(KeyError, match='b'):
            docs.get_doc_by_key('b')
