from xml.etree import ElementTree

from jina.looks.diagram import Diagram, Edge, Vertex
from jina.looks.scene import scene_of
from jina.looks.svg import svg_of

SVG = '{http://www.w3.org/2000/svg}'


def test_it_is_an_svg_of_that_size():
    scene = scene_of(Diagram({'a': Vertex('<&">')}, []))
    root = ElementTree.fromstring(svg_of(scene))
    assert root.tag == f'{SVG}svg'
    assert root.attrib['viewBox'] == f'0 0 {root.attrib["width"]} {root.attrib["height"]}'
    assert [text.text for text in root.iter(f'{SVG}text')] == ['<&">']
    assert [title.text for title in root.iter(f'{SVG}title')] == ['<&">']


def test_arrows():
    diagram = Diagram({'a': Vertex('a'), 'b': Vertex('b')}, [Edge('a', 'b', dashed=True)])
    line, head = ElementTree.fromstring(svg_of(scene_of(diagram))).iter(f'{SVG}path')
    assert 'stroke-dasharray' in line.attrib
    assert head.attrib['d'].endswith('Z')


def test_it_needs_nothing_from_elsewhere():
    text = svg_of(scene_of(Diagram({'a': Vertex('a')}, [])))
    assert 'href' not in text
    assert 'url(' not in text
    assert 'script' not in text
