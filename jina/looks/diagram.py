"""Diagrams: named boxes and the arrows between them, and their form as Mermaid text."""

from typing import NamedTuple


class Vertex(NamedTuple):
    """A box of a diagram.

    :ivar title: its name; ``detail`` a second line, of smaller letters.
    :ivar kind: which of the styles in :mod:`jina.looks.scene` it has.
    :ivar copies: how many of it there are.
    """

    title: str
    detail: str = ''
    kind: str = 'executor'
    copies: int = 1

    @property
    def label(self) -> str:
        """The title, and how many of it there are if more than one."""
        return f'{self.title} ×{self.copies}' if self.copies > 1 else self.title


class Edge(NamedTuple):
    """An arrow from one box to another."""

    source: str
    target: str
    dashed: bool = False


class Diagram(NamedTuple):
    """Boxes by a key of their own, in the order in which they are drawn where nothing else decides, and arrows."""

    vertices: dict[str, Vertex]
    edges: list[Edge]


def mermaid(diagram: Diagram, vertical: bool = False) -> str:
    """Return the diagram as text that Mermaid draws."""
    keys = {key: f'n{number}' for number, key in enumerate(diagram.vertices)}
    boxes = [f'    {keys[key]}["{_lines(vertex)}"]' for key, vertex in diagram.vertices.items()]
    arrows = [f'    {keys[e.source]} {"-.->" if e.dashed else "-->"} {keys[e.target]}' for e in diagram.edges]
    return '\n'.join([f'flowchart {"TB" if vertical else "LR"}', *boxes, *arrows, ''])


def _lines(vertex: Vertex) -> str:
    return '<br/>'.join(_quoted(line) for line in (vertex.label, vertex.detail) if line)


def _quoted(text: str) -> str:
    # Mermaid's own form of entities; all that is neither letter, digit nor harmless could be syntax.
    return ''.join(c if c.isalnum() or c in ' _-.,:/×…' else f'#{ord(c)};' for c in text)
