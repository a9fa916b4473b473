"""A scene as SVG, which needs no font, script or style from anywhere else."""

from html import escape
from itertools import chain

from jina.looks.layered import Point
from jina.looks.scene import LINES, Box, Curve, Head, Label, Scene, Shape

FONTS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
BASELINE = 0.36


def svg_of(scene: Scene) -> str:
    """Return the text of an SVG file."""
    width, height = (f'{side:.0f}' for side in scene.size)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONTS}" text-anchor="middle">'
    )
    return '\n'.join([head, *map(_element, scene.shapes), '</svg>', ''])


def _element(shape: Shape) -> str:
    match shape:
        case Box((x, y), (width, height), fill, tip):
            return (
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="6" fill="{fill}" '
                f'stroke="#fff" stroke-opacity=".5"><title>{escape(tip)}</title></rect>'
            )
        case Label((x, y), text, size, bold, colour):
            weight = ' font-weight="600"' if bold else ''
            return (
                f'<text x="{x:.1f}" y="{y + BASELINE * size:.1f}" font-size="{size:.0f}" fill="{colour}"{weight} '
                f'pointer-events="none">{escape(text)}</text>'
            )
        case Curve(start, pieces, dashed):
            path = f'M{_points([start])}' + ''.join(f' C{_points(piece)}' for piece in pieces)
            return f'<path d="{path}" fill="none" stroke="{LINES}" stroke-width="1.5"{_dashes(dashed)}/>'
        case Head(corners):
            return f'<path d="M{_points(corners)}Z" fill="{LINES}"/>'


def _points(points: tuple[Point, ...] | list[Point]) -> str:
    return ' '.join(f'{number:.1f}' for number in chain.from_iterable(points))


def _dashes(dashed: bool) -> str:
    return ' stroke-dasharray="5 4"' if dashed else ''
