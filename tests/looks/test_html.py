from html.parser import HTMLParser

import numpy as np
import pytest

from jina.types.arrays.document import DocumentArray
from jina.types.document import Document

VOID = {'img', 'br'}


class Reader(HTMLParser):
    """Reads what a browser would show, and minds that every tag is closed."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.texts, self.sources = [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.sources += [value for name, value in attrs if name in ('src', 'href')]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] != 'style':
            self.texts.append(data)


def test_a_document():
    doc = Document(id='d', text='hello', tags={'a': 1}, chunks=[Document(id='c', text='part') for _ in range(7)])
    page = Reader(doc._repr_html_())
    assert page.texts[:9] == ['Document', 'id', 'd', 'mime_type', 'text/plain', 'text', 'hello', 'tags', 'a: 1']
    assert page.texts[9:12] == ['chunks ', '7 Documents', 'id']
    assert page.tags.count('details') == 1
    assert page.texts[-1] == '… 2 more'


def test_what_is_known_from_where_it_stands_is_not_repeated():
    page = Reader(Document(chunks=[Document(text='part')])._repr_html_())
    assert not {'parent_id', 'granularity'} & set(page.texts)
    assert 'parent_id' in Reader(Document(parent_id='p')._repr_html_()).texts


def test_an_array():
    docs = DocumentArray([Document(id=f'd{n}', text=f'text {n}') for n in range(12)])
    page = Reader(docs._repr_html_())
    assert page.texts[:4] == ['DocumentArray of 12 Documents', 'attribute', 'set in', 'values']
    assert [text for text in page.texts if text.startswith('d')] == [f'd{n}' for n in range(10)]
    assert page.texts[-1] == '… 2 more'
    assert 'img' not in page.tags


def test_an_empty_array():
    assert Reader(DocumentArray()._repr_html_()).texts == ['DocumentArray of no Documents']


EVIL = '<script>alert(1)</script>"\'&'


@pytest.mark.parametrize('name', ['id', 'text', 'uri', 'mime_type', 'modality'])
def test_what_documents_hold_is_text(name):
    doc = Document(**{name: EVIL})
    for page in (doc._repr_html_(), DocumentArray([doc])._repr_html_(), Document(matches=[doc])._repr_html_()):
        assert 'script' not in Reader(page).tags


def test_names_of_tags_and_scores_are_text():
    doc = Document(tags={EVIL: {EVIL: EVIL}}, scores={EVIL: 1})
    assert 'script' not in Reader(doc._repr_html_() + DocumentArray([doc])._repr_html_()).tags


def test_an_image_is_shown():
    doc = Document(blob=np.zeros((300, 400, 3), 'u1'))
    for page in (Reader(doc._repr_html_()), Reader(DocumentArray([Document(), doc])._repr_html_())):
        [source] = page.sources
        assert source.startswith('data:image/png;base64,')

    doc = Document(uri='https://example.com/a.png', chunks=[Document(uri='http://example.com/b.jpg')])
    assert Reader(doc._repr_html_()).sources == []


def test_it_is_bounded():
    doc = Document(text='x' * 1_000_000, tags={str(n): 'x' * 10_000 for n in range(1000)})
    doc.chunks = [Document(text='y' * 9000, chunks=[Document(text='z' * 9000) for _ in range(9)]) for _ in range(99)]
    assert len(doc._repr_html_()) < 100_000
    assert len(DocumentArray([doc] * 1000)._repr_html_()) < 100_000


def test_images_are_bounded():
    noise = np.random.default_rng(0).integers(0, 255, (500, 500, 3), 'u1')
    assert len(Document(blob=noise)._repr_html_()) < 100_000
    assert len(DocumentArray(Document(blob=noise) for _ in range(99))._repr_html_()) < 150_000


def test_nothing_is_loaded_from_elsewhere():
    doc = Document(uri='https://example.com/a.png', chunks=[Document(uri='http://example.com/b.jpg')])
    assert Reader(doc._repr_html_()).sources == []
