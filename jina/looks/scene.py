"""A diagram as shapes: what is drawn, in which place and colour, whoever draws it."""

import unicodedata
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from jina.looks.diagram import Diagram, Vertex
from jina.looks.layered import Point, arrange

MARGIN = 12.0
PADDING = 12.0
TITLE, DETAIL = 14.0, 11.0
LINE = 1.35
HEAD = 7.0
SHIFT = 4.0
STACK = 2

# Boxes are dark enough for white letters and lines of a medium grey, so that both are seen on any page.
LINES = '#7d8794'
LETTERS, DIM_LETTERS = '#ffffff', '#e3e8ee'
FILLS = {
    'gateway': '#4a5568',
    'executor': '#0f766e',
    'part': '#4d7c78',
    'external': '#1d5a94',
    'inspect': '#6b4f9e',
    'root': '#4a5568',
    'chunks': '#0f766e',
    'matches': '#9a4a12',
    'more': '#6b7280',
}


class Box(NamedTuple):
    """A rectangle with round corners; ``tip`` is what a pointer over it is told."""

    corner: Point
    size: Point
    fill: str
    tip: str


class Label(NamedTuple):
    """Text around a centre."""

    centre: Point
    text: str
    height: float
    bold: bool
    colour: str


class Curve(NamedTuple):
    """A line: its start, then for each piece two points that it bends to and its end (cubic Béziers)."""

    start: Point
    pieces: list[tuple[Point, Point, Point]]
    dashed: bool


class Head(NamedTuple):
    """The triangle at the end of an arrow."""

    corners: tuple[Point, Point, Point]


Shape: TypeAlias = Box | Label | Curve | Head


class Scene(NamedTuple):
    """Shapes in the order in which they are drawn, and how much room they need."""

    size: Point
    shapes: list[Shape]


def scene_of(diagram: Diagram, vertical: bool = False) -> Scene:
    """Return the shapes of a diagram, from left to right or from top to bottom."""
    sizes = {key: size_of(vertex) for key, vertex in diagram.vertices.items()}
    layout = arrange(sizes, [edge[:2] for edge in diagram.edges], vertical)
    shapes: list[Shape] = []
    for edge in diagram.edges:
        shapes += _arrow([_inside(point) for point in layout.routes[edge[:2]]], edge.dashed, vertical)
    for key, vertex in diagram.vertices.items():
        shapes += _box(vertex, _inside(layout.centres[key]), sizes[key])
    width, height = layout.size
    return Scene((width + 2 * MARGIN, height + 2 * MARGIN), shapes)


def _inside(point: Point) -> Point:
    return point[0] + MARGIN, point[1] + MARGIN


def size_of(vertex: Vertex) -> Point:
    """Return width and height of a box that its text fits into."""
    letters = max(width_of(vertex.label) * TITLE * 1.06, width_of(vertex.detail) * DETAIL)  # bold letters are wider
    lines = TITLE * LINE + (DETAIL * LINE if vertex.detail else 0)
    stack = _stack(vertex) * SHIFT
    return letters + 2 * PADDING + stack, lines + 1.3 * PADDING + stack


def _stack(vertex: Vertex) -> int:
    """Return how many boxes look out from behind it."""
    return min(vertex.copies - 1, STACK)


def width_of(text: str) -> float:
    """Return how wide a text is in common sans-serif fonts, as a multiple of their size; rather too much."""
    return sum(map(_letter_width, text))


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in 'WF':
        return 1.0
    if letter in "iljftrI.,:;|!'()[] ":
        return 0.4
    return 0.85 if letter in 'mwMW@%' or letter in '…×→' else 0.7 if letter.isupper() else 0.62


def _box(vertex: Vertex, centre: Point, size: Point) -> list[Shape]:
    stack = _stack(vertex)
    width, height = size[0] - stack * SHIFT, size[1] - stack * SHIFT
    left, top = centre[0] - size[0] / 2, centre[1] - size[1] / 2
    fill = FILLS[vertex.kind]
    tip = f'{vertex.label}\n{vertex.detail}'.strip()
    boxes = [Box((left + n * SHIFT, top + n * SHIFT), (width, height), fill, tip) for n in range(stack, -1, -1)]
    return [*boxes, *_labels(vertex, (left + width / 2, top + height / 2))]


def _labels(vertex: Vertex, centre: Point) -> list[Shape]:
    x, y = centre
    if not vertex.detail:
        return [Label(centre, vertex.label, TITLE, True, LETTERS)]
    return [
        Label((x, y - DETAIL * LINE / 2), vertex.label, TITLE, True, LETTERS),
        Label((x, y + TITLE * LINE / 2), vertex.detail, DETAIL, False, DIM_LETTERS),
    ]


def _arrow(points: list[Point], dashed: bool, vertical: bool) -> list[Shape]:
    tip = points[-1]
    base = (tip[0], tip[1] - HEAD) if vertical else (tip[0] - HEAD, tip[1])
    points = [*points[:-1], base]
    pieces = [_piece(a, b, vertical) for a, b in pairwise(points)]
    across = (HEAD / 2, 0.0) if vertical else (0.0, HEAD / 2)
    corners = tip, (base[0] + across[0], base[1] + across[1]), (base[0] - across[0], base[1] - across[1])
    return [Curve(points[0], pieces, dashed), Head(corners)]


def _piece(a: Point, b: Point, vertical: bool) -> tuple[Point, Point, Point]:
    """Return the curve between two points that leaves and arrives in the direction of the layers."""
    if vertical:
        middle = (a[1] + b[1]) / 2
        return (a[0], middle), (b[0], middle), b
    middle = (a[0] + b[0]) / 2
    return (middle, a[1]), (middle, b[1]), b
