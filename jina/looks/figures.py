"""Images through matplotlib: scenes, and points of a plane. No window is opened, and nothing global is set."""

import warnings
from difflib import get_close_matches
from io import BytesIO
from typing import Any

import numpy as np

from jina.excepts import BadOption
from jina.looks.scene import LINES, Box, Curve, Head, Label, Scene, Shape
from jina.looks.visualize import Colouring, Look
from jina.looks.words import Array

try:
    import matplotlib
    from matplotlib.collections import PathCollection
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage
    from matplotlib.patches import FancyBboxPatch, PathPatch, Polygon
    from matplotlib.path import Path
    from matplotlib.text import Text
except ImportError as error:
    raise ImportError('images other than SVG diagrams are drawn by matplotlib: pip install matplotlib') from error

POINTS_PER_INCH = 72
SHARPNESS = 2  # pixels for each unit of a scene
DPI = 120
SIZE = (8.0, 6.0)
ONE_COLOUR = '#0f766e'
LEGEND_ENTRIES = 24
NO_VALUE = '#b0b7c0'


# Scenes


def draw(scene: Scene, file_format: str) -> bytes:
    """Return a scene as an image: one unit is 1/72 inch. PNG and PDF have no background."""
    width, height = scene.size
    figure = Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), facecolor='none')
    if file_format in ('jpg', 'jpeg'):
        figure.set_facecolor('white')
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    for order, shape in enumerate(scene.shapes):
        axes.add_artist(_artist(shape, zorder=order))
    return _saved(figure, file_format, POINTS_PER_INCH * SHARPNESS)


def _artist(shape: Shape, zorder: int) -> Any:
    match shape:
        case Box(corner, (width, height), fill, _):
            style = 'round,pad=0,rounding_size=6'
            edge = (1.0, 1.0, 1.0, 0.5)
            return FancyBboxPatch(corner, width, height, boxstyle=style, fc=fill, ec=edge, lw=1, zorder=zorder)
        case Label((x, y), text, size, bold, colour):
            weight = 'bold' if bold else 'normal'
            options: dict[str, Any] = {'ha': 'center', 'va': 'center', 'parse_math': False, 'zorder': zorder}
            return Text(x, y, text, fontsize=size, fontweight=weight, color=colour, **options)
        case Curve(start, pieces, dashed):
            points = [start, *(point for piece in pieces for point in piece)]
            path = Path(points, [Path.MOVETO] + [Path.CURVE4] * (len(points) - 1))
            return PathPatch(path, fc='none', ec=LINES, lw=1.5, ls=(0, (3.3, 2.7)) if dashed else '-', zorder=zorder)
        case Head(corners):
            return Polygon(corners, fc=LINES, ec='none', zorder=zorder)


def _saved(figure: Figure, file_format: str, dpi: int) -> bytes:
    out = BytesIO()
    with warnings.catch_warnings():
        # A letter that the font does not have becomes a box, which is to be seen anyhow.
        warnings.filterwarnings('ignore', 'Glyph', UserWarning)
        figure.savefig(out, format=file_format, dpi=dpi)
    return out.getvalue()


# Points


def scatter(points: Array, look: Look, file_format: str) -> bytes:
    """Return an image of the points (n, 2).

    :raises BadOption: for a colormap that matplotlib does not have.
    """
    colormap = _colormap(look.colormap)
    figure = Figure(figsize=SIZE, layout='constrained')
    axes = figure.add_subplot()
    axes.set_title(look.title, parse_math=False)
    axes.set_axis_on() if look.show_axis else axes.set_axis_off()
    axes.margins(0.08)
    drawn = axes.scatter(points[:, 0], points[:, 1], s=_area(len(points)), c=ONE_COLOUR, alpha=0.8, linewidths=0)
    if look.colouring is not None:
        _colour(figure, drawn, look.colouring, colormap)
    for point, image in zip(points, look.images, strict=False):
        if image is not None:
            axes.add_artist(AnnotationBbox(OffsetImage(image), tuple(point), frameon=False, pad=0))
    return _saved(figure, file_format, DPI)


def _colormap(name: str) -> Any:
    if name in matplotlib.colormaps:
        return matplotlib.colormaps[name]
    near = get_close_matches(name, matplotlib.colormaps, n=1)
    raise BadOption(f'matplotlib has no colormap {name!r}' + (f': did you mean {near[0]!r}?' if near else ''))


def _area(count: int) -> float:
    """Return how large points are drawn: the more there are, the smaller."""
    return float(np.clip(20_000 / max(count, 1), 4, 60))


def _colour(figure: Figure, drawn: PathCollection, colouring: Colouring, colormap: Any) -> None:
    if colouring.is_scale:
        values = np.array([np.nan if value is None else value for value in colouring.values], dtype=np.float64)
        drawn.set_cmap(colormap.with_extremes(bad=NO_VALUE))
        drawn.set_array(np.ma.masked_invalid(values))
        figure.colorbar(drawn).set_label(colouring.name, parse_math=False)
    else:
        _colour_groups(figure, drawn, colouring, colormap)


def _colour_groups(figure: Figure, drawn: PathCollection, colouring: Colouring, colormap: Any) -> None:
    groups = list(dict.fromkeys(str(value) for value in colouring.values if value is not None))
    shades = colormap(np.linspace(0, 1, len(groups)))
    colours: dict[str | None, Any] = dict(zip(groups, shades, strict=True)) | {None: NO_VALUE}
    drawn.set_facecolor([colours[value] for value in colouring.values])  # type: ignore[index]
    handles = [Line2D([], [], ls='', marker='o', color=colours[group]) for group in groups[:LEGEND_ENTRIES]]
    legend = figure.legend(handles, groups[:LEGEND_ENTRIES], loc='outside right upper', frameon=False)
    legend.set_title(colouring.name)
    # Set afterwards: a label that begins with an underscore would be left out.
    for text, group in zip(legend.get_texts(), groups, strict=False):
        text.set(text=group, parse_math=False)
    legend.get_title().set_parse_math(False)
