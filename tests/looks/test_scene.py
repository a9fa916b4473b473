import itertools

import pytest

from jina.looks.diagram import Diagram, Edge, Vertex
from jina.looks.scene import DETAIL, FILLS, TITLE, Box, Curve, Head, Label, scene_of, size_of, width_of

DIAGRAM = Diagram({'a': Vertex('one'), 'b': Vertex('two', 'Two', copies=5)}, [Edge('a', 'b', dashed=True)])


def of_kind(scene, kind):
    return [shape for shape in scene.shapes if isinstance(shape, kind)]


def test_what_is_drawn():
    scene = scene_of(DIAGRAM)
    assert [label.text for label in of_kind(scene, Label)] == ['one', 'two ×5', 'Two']
    assert [box.tip for box in of_kind(scene, Box)] == ['one', *['two ×5\nTwo'] * 3]
    assert [curve.dashed for curve in of_kind(scene, Curve)] == [True]
    assert len(of_kind(scene, Head)) == 1


@pytest.mark.parametrize('vertical', [False, True])
def test_all_is_inside(vertical):
    scene = scene_of(DIAGRAM, vertical)
    width, height = scene.size
    for box in of_kind(scene, Box):
        assert 0 < box.corner[0] < box.corner[0] + box.size[0] < width
        assert 0 < box.corner[1] < box.corner[1] + box.size[1] < height


@pytest.mark.parametrize('vertical', [False, True])
def test_an_arrow_leaves_and_arrives_in_the_direction_of_the_layers(vertical):
    [curve] = of_kind(scene_of(DIAGRAM, vertical), Curve)
    across = 0 if vertical else 1
    for start, (first, second, end) in zip([curve.start, *(p[2] for p in curve.pieces)], curve.pieces, strict=False):
        assert (first[across], second[across]) == (start[across], end[across])


def test_a_box_is_as_wide_as_its_text_in_a_wide_font():
    font_manager = pytest.importorskip('matplotlib.font_manager')
    ft2font = pytest.importorskip('matplotlib.ft2font')
    for text, bold in itertools.product(['image-encoder', 'MWMW', 'illicit', 'docker://a/b:c', '×3 …'], [0, 1]):
        properties = font_manager.FontProperties(family='DejaVu Sans', weight='bold' if bold else 'normal')
        font = ft2font.FT2Font(font_manager.findfont(properties))
        font.set_size(TITLE if bold else DETAIL, 72)
        font.set_text(text)
        needed = font.get_width_height()[0] / 64
        vertex = Vertex(text) if bold else Vertex('', text)
        assert needed < size_of(vertex)[0] < needed * 1.6 + 40


def test_letters_of_east_asia_are_wide():
    assert width_of('日本') == 2.0


def contrast(colour, other):
    return (max(light(colour), light(other)) + 0.05) / (min(light(colour), light(other)) + 0.05)


def light(colour):
    channels = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize('fill', FILLS.values())
def test_letters_can_be_read(fill):
    assert contrast(fill, '#ffffff') > 4.5


@pytest.mark.parametrize('page', ['#ffffff', '#111111'])
def test_lines_are_seen_on_any_page(page):
    from jina.looks.scene import LINES

    assert contrast(LINES, page) > 3
