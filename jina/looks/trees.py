"""A Document as a diagram: the tree of its chunks and matches."""

from typing import TYPE_CHECKING

from jina.looks import picture
from jina.looks.diagram import Diagram, Edge, Vertex
from jina.looks.outline import Branch, Group, outline_of
from jina.looks.picture import Output, Svg
from jina.looks.words import counted, headline, short_id

if TYPE_CHECKING:
    from jina.types.document import Document

LONGEST = 32
CHILDREN_SHOWN = 6
SHOWN = 60


def plot(doc: 'Document', output: Output, inline_display: bool) -> Svg:
    """Draw a Document; the options are those of ``Document.plot``."""
    return picture.plot(diagram_of(doc), output, False, inline_display)


def diagram_of(doc: 'Document') -> Diagram:
    """Return the tree of a Document: solid arrows to chunks, dashed ones to matches."""
    diagram = Diagram({}, [])
    _add(diagram, outline_of(doc, CHILDREN_SHOWN, SHOWN), 'root')
    return diagram


def _add(diagram: Diagram, branch: Branch, kind: str) -> str:
    """Add a Document and what hangs on it; return its key."""
    key = str(len(diagram.vertices))
    diagram.vertices[key] = _vertex(branch, kind)
    for group in branch.groups:
        children = [_add(diagram, child, group.name) for child in group.branches]
        if group.branches and group.left:
            children.append(_rest(diagram, group))
        diagram.edges.extend(Edge(key, child, dashed=group.name == 'matches') for child in children)
    return key


def _vertex(branch: Branch, kind: str) -> Vertex:
    title = headline(branch.doc, LONGEST)
    hidden = [counted(group.total, group.name.removesuffix('s')) for group in branch.groups if not group.branches]
    return Vertex(title or short_id(branch.doc), ', '.join([short_id(branch.doc) if title else '', *hidden]), kind)


def _rest(diagram: Diagram, group: Group) -> str:
    key = str(len(diagram.vertices))
    diagram.vertices[key] = Vertex(f'… {group.left:,} more {group.name}', kind='more')
    return key
