"""The graph of a Flow, as pure data: who needs whom, in which order, and where the way ends."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from jina.excepts import FlowTopologyError
from jina.spec import did_you_mean

GATEWAY = 'gateway'


class Graph:
    """A directed acyclic graph of named nodes, which begins and ends at the gateway.

    :param needs: for each node the names of those whose output it takes; :data:`GATEWAY` is where requests come from.
    :ivar order: the nodes, each after all that it needs.
    :ivar end: the node whose output is the answer: the one added last; :data:`GATEWAY` if there is none.
    :raises FlowTopologyError: for an unknown name, a cycle, or a node that needs nothing.
    """

    def __init__(self, needs: Mapping[str, Iterable[str]]) -> None:
        self.needs = {name: tuple(dict.fromkeys(wanted)) for name, wanted in needs.items()}
        for name, wanted in self.needs.items():
            self._check(name, wanted)
        self.order = self._sorted()
        self.end = next(reversed(self.needs), GATEWAY)
        self.next = {name: tuple(self._followers(name)) for name in (GATEWAY, *self.needs)}

    def _check(self, name: str, wanted: tuple[str, ...]) -> None:
        if not wanted:
            raise FlowTopologyError(f'Executor {name!r} needs nothing: nothing would ever reach it')
        for other in wanted:
            if other not in self.needs and other != GATEWAY:
                raise FlowTopologyError(
                    f'Executor {name!r} needs {other!r}, which is not in this Flow'
                    + did_you_mean(other, {GATEWAY, *self.needs} - {name})
                )

    def _sorted(self) -> tuple[str, ...]:
        try:
            order = TopologicalSorter(self.needs).static_order()
            return tuple(name for name in order if name != GATEWAY)
        except CycleError as error:
            raise FlowTopologyError(f'the Executors need each other in a circle: {" → ".join(error.args[1])}') from None

    def _followers(self, name: str) -> Iterable[str]:
        return (other for other in self.needs if name in self.needs[other])

    @property
    def hanging(self) -> tuple[str, ...]:
        """Nodes whose output nobody takes, the end aside."""
        return tuple(name for name in self.needs if not self.next[name] and name != self.end)
