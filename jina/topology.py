"""From the Executors of a Flow to the nodes that the gateway walks, and to what has to be started for each.

What works before and after the replicas of an Executor (``uses_before``, ``uses_after``) becomes a node of its own:
``encoder`` turns into ``encoder/before`` → ``encoder`` → ``encoder/after``, and whoever needs it needs the last.
"""

from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from jina.graph import Graph
from jina.spec import ExecutorSpec, FlowSpec, NodeSpec


class Station(NamedTuple):
    """One node of a Flow.

    :ivar node: as the gateway sees it.
    :ivar executor: what to start for it, ``node.replicas`` times; nothing where it is external.
    """

    node: NodeSpec
    executor: ExecutorSpec


def stations(flow: FlowSpec) -> list[Station]:
    """The nodes of a Flow, in the order in which its Executors were added."""
    exits = {spec.name: after(spec.name) for spec in flow.executors if spec.uses_after is not None}
    return [
        Station(_node(part, needs, spec.name, flow), part)
        for spec in flow.executors
        for part, needs in _parts(spec, [exits.get(name, name) for name in spec.needed])
    ]


def graph_of(flow: FlowSpec) -> Graph:
    """The graph of a Flow's nodes.

    :raises FlowTopologyError: if it cannot be.
    """
    nodes = [station.node for station in stations(flow)]
    return Graph({node.name: node.needs for node in nodes}, [node.name for node in nodes if node.inspect])


def before(name: str) -> str:
    """What the node is called that works before an Executor's replicas."""
    return f'{name}/before'


def after(name: str) -> str:
    """What the node is called that works after an Executor's replicas."""
    return f'{name}/after'


def _parts(spec: ExecutorSpec, needs: list[str]) -> Iterator[tuple[ExecutorSpec, list[str]]]:
    """The nodes of one Executor and what each needs."""
    if spec.uses_before is not None:
        yield _helper(spec, before(spec.name), spec.uses_before), needs
        needs = [before(spec.name)]
    yield msgspec.structs.replace(spec, uses_before=None, uses_after=None), needs
    if spec.uses_after is not None:
        yield _helper(spec, after(spec.name), spec.uses_after), [spec.name]


def _helper(spec: ExecutorSpec, name: str, uses: object) -> ExecutorSpec:
    """What works before or after the replicas: once, and with none of the arguments that are for them."""
    return msgspec.structs.replace(
        spec, name=name, uses=uses, replicas=1, polling='ANY', uses_with={}, uses_metas={}, uses_requests={},
        uses_before=None, uses_after=None, batching={}, external=False, host='',
    )  # fmt: skip


def _node(part: ExecutorSpec, needs: list[str], part_of: str, flow: FlowSpec) -> NodeSpec:
    return NodeSpec(
        name=part.name,
        needs=needs,
        addresses=[_address(part.host)] if part.external else [],
        replicas=part.replicas,
        polling=part.polling,
        on_error=part.on_error_strategy or flow.on_error_strategy,
        inspect=part.inspect,
        part_of=part_of,
    )


def _address(host: str) -> str:
    return host if host.startswith(('unix:', 'tcp:')) else f'tcp:{host}'
