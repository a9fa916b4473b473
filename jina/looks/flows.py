"""A Flow as a diagram: from the gateway through its Executors and back."""

import re
from collections.abc import Iterator
from itertools import pairwise
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
BEFORE, AFTER = '\nbefore', '\nafter'  # nor one with a line of its own
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
    edges: list[Edge] = []
    ways = {spec.name: _way(spec) for spec in flow.executors}
    for spec in flow.executors:
        way = ways[spec.name]
        vertices |= way
        edges += [Edge(_last(ways, name), next(iter(way)), spec.inspect) for name in spec.needed]
        edges += [Edge(*pair) for pair in pairwise(way)]
    vertices[ANSWER] = Vertex(GATEWAY, 'answer', 'gateway')
    return Diagram(vertices, [*edges, Edge(_last(ways, end), ANSWER)])


def _way(spec: 'ExecutorSpec') -> dict[str, Vertex]:
    """Return the boxes of an Executor, one after the other: itself, and what works before and after its replicas."""
    parts = {BEFORE: spec.uses_before, '': '', AFTER: spec.uses_after}
    return {
        f'{spec.name}{side}': _part(spec, side, uses) if side else _vertex(spec)
        for side, uses in parts.items()
        if uses is not None
    }


def _last(ways: dict[str, dict[str, Vertex]], name: str) -> str:
    """Return the box that the output of an Executor, or of the gateway, comes out of."""
    return next(reversed(ways[name])) if name in ways else name


def _part(spec: 'ExecutorSpec', side: str, uses: Any) -> Vertex:
    return Vertex(cut(used(uses), LONGEST), cut(f'{side.strip()} {spec.name}', LONGEST), 'part')


def _vertex(spec: 'ExecutorSpec') -> Vertex:
    kind = 'external' if spec.external else 'inspect' if spec.inspect else 'executor'
    return Vertex(cut(spec.name, LONGEST), ', '.join(_details(spec)), kind, spec.replicas)


def _details(spec: 'ExecutorSpec') -> Iterator[str]:
    uses = used(spec.uses)
    if spec.external:
        yield cut(f'runs at {spec.host}', LONGEST)
    elif uses != PASSES_ON:
        yield cut(uses, LONGEST)
    if spec.inspect:
        yield 'only looks'
    if spec.replicas > 1 and spec.polling != 'ANY':
        yield f'polling {spec.polling}'


def used(uses: Any) -> str:
    """Return what an Executor runs in a word: a class, or the name of a file or an image."""
    if isinstance(uses, dict):
        return str(uses.get('jtype', ''))
    if named := re.search(r'^\s*\{?\s*jtype:\s*(\w+)', uses, re.MULTILINE):
        return named[1]
    return uses if '://' in uses else PurePath(uses).name
