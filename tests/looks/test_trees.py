from xml.etree import ElementTree

from jina.looks.trees import diagram_of
from jina.types.document import Document

SVG = '{http://www.w3.org/2000/svg}'


def a_document():
    chunks = [Document(id=f'c{n}', text=f'part {n}') for n in range(8)]
    return Document(id='d', text='whole', chunks=chunks, matches=[Document(id='m')])


def test_a_plot_is_returned_and_written(tmp_path):
    svg = a_document().plot(tmp_path / 'd.svg')
    assert (tmp_path / 'd.svg').read_text() == svg
    shown = [text.text for text in ElementTree.fromstring(svg).iter(f'{SVG}text')]
    assert shown[:4] == ['whole', 'd', 'part 0', 'c0']
    assert shown[-2:] == ['… 2 more chunks', 'm']


def test_chunks_and_matches_differ():
    diagram = diagram_of(a_document())
    assert [v.kind for v in diagram.vertices.values()] == ['root', *['chunks'] * 6, 'more', 'matches']
    assert [e.dashed for e in diagram.edges] == [*[False] * 7, True]


def test_what_is_left_out_is_counted():
    doc = Document()
    for _ in range(200):
        doc = Document(id='d', text='t', chunks=[doc])
    *_, last = diagram_of(doc).vertices.values()
    assert len(diagram_of(doc).vertices) == 61
    assert last.detail == 'd, 1 chunk'


def test_a_document_among_its_own_matches():
    doc = Document()
    doc.matches.append(doc)
    assert len(diagram_of(doc).vertices) == 61


def test_a_document_alone():
    assert [v.title for v in diagram_of(Document(id='d')).vertices.values()] == ['d']
