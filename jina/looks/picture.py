"""Pictures: what is returned, what is written to a file, what a notebook shows."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from jina.excepts import BadOption
from jina.looks.diagram import Diagram, mermaid
from jina.looks.scene import Scene, scene_of
from jina.looks.svg import svg_of

IMAGES = ('png', 'jpg', 'jpeg', 'pdf')  # what matplotlib draws
TEXTS = ('svg', 'mmd')

Output: TypeAlias = str | Path | None


class Svg(str):
    """The text of an SVG file; a notebook shows the picture."""

    __slots__ = ()

    def __repr__(self) -> str:
        size = re.search(r'width="(\w+)" height="(\w+)"', self)
        return f'<Svg {size[1]}×{size[2]}>' if size else '<Svg>'

    def _repr_svg_(self) -> str:
        return str(self)


class Png(bytes):
    """The bytes of a PNG file; a notebook shows the picture."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f'<Png {int.from_bytes(self[16:20])}×{int.from_bytes(self[20:24])}>'

    __str__ = __repr__

    def _repr_png_(self) -> bytes:
        return bytes(self)


def plot(diagram: Diagram, output: Output, vertical: bool, inline_display: bool) -> Svg:
    """Draw a diagram; write it to ``output``, in the format that its name ends in; show it in a notebook.

    :raises BadOption: for a format that is not known.
    :raises ImportError: for an image without matplotlib.
    """
    scene = scene_of(diagram, vertical)
    svg = Svg(svg_of(scene))
    if output is not None:
        suffix = format_of(output, (*TEXTS, *IMAGES))
        Path(output).write_bytes(_encoded(suffix, svg, scene, lambda: mermaid(diagram, vertical)))
    if inline_display:
        display(svg)
    return svg


def _encoded(suffix: str, svg: str, scene: Scene, as_mermaid: Callable[[], str]) -> bytes:
    if suffix == 'svg':
        return svg.encode()
    if suffix == 'mmd':
        return as_mermaid().encode()
    from jina.looks.figures import draw

    return draw(scene, suffix)


def format_of(output: str | Path, known: tuple[str, ...]) -> str:
    """Return what the name of a file ends in.

    :raises BadOption: when it is none of the known formats.
    """
    suffix = Path(output).suffix.lower().removeprefix('.')
    if suffix not in known:
        endings = ', '.join(f'.{name}' for name in known)
        raise BadOption(f'output={str(output)!r} does not end in a format that can be drawn: {endings}')
    return suffix


def display(picture: object) -> None:
    """Show a picture in the notebook that runs this; does nothing elsewhere."""
    # Where there is a notebook, IPython is loaded already.
    ipython: Any = sys.modules.get('IPython')
    if ipython is not None and ipython.get_ipython() is not None:
        ipython.display.display(picture)
