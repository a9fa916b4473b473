"""A Flow as a diagram: from the gateway through its Executors and back."""

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from jina.looks import picture
from jina.looks.diagram import Diagram, Edge, Vertex
from jina.looks.picture import Output, Svg
from jina.looks.words import cut

if TYPE_CHECKING:
    from jina.spec import ExecutorSpec, FlowSpec

GATEWAY = 'gateway'
ANSWER = 'gateway '  # no Executor can have this name: it is the gateway again, at the other end
LONGEST = 28
PASSES_ON = 'BaseExecutor'


def plot(
    flow: 'FlowSpec', end: str, output: Output = None, vertical: bool = False, inline_display: bool = False
) -> Svg:
    """Draw a Flow; the options are those of ``Flow.plot``."""
    return picture.plot(diagram_of(flow, end), output, vertical, inline_display)


def diagram_of(flow: 'FlowSpec', end: str) -> Diagram:
    """Return the diagram of a Flow.

    :param end: the name of the Executor whose output is the answer.
    """
    protocols = ', '.join(flow.protocols)
    vertices = {GATEWAY: Vertex(GATEWAY, protocols, 'gateway')}
    vertices |= {spec.name: _vertex(spec) for spec in flow.executors}
    vertices[ANSWER] = Vertex(GATEWAY, 'answer', 'gateway')
    edges = [Edge(name, spec.name) for spec in flow.executors for name in spec.needed]
    return Diagram(vertices, [*edges, Edge(end, ANSWER)])


def _vertex(spec: 'ExecutorSpec') -> Vertex:
    uses = used(spec.uses)
    return Vertex(cut(spec.name, LONGEST), cut('' if uses == PASSES_ON else uses, LONGEST), copies=_copies(spec))


def _copies(spec: Any) -> int:
    """Return how many replicas of an Executor there are."""
    return max(getattr(spec, 'replicas', 1), getattr(spec, 'parallel', 1))


def used(uses: Any) -> str:
    """Return what an Executor runs in a word: a class, or the name of a file or an image."""
    if isinstance(uses, dict):
        return str(uses.get('jtype', ''))
    if named := re.search(r'^\s*\{?\s*jtype:\s*(\w+)', uses, re.MULTILINE):
        return named[1]
    return uses if '://' in uses else PurePath(uses).name
