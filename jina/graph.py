"""The graph of a Flow, as pure data: who needs whom, in which order, and where the way ends."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter

from jina.excepts import FlowTopologyError
from jina.spec import did_you_mean

GATEWAY = 'gateway'


class Graph:
    """A directed acyclic graph of named nodes, which begins and ends at the gateway.

    :param needs: for each node the names of those whose output it takes; :data:`GATEWAY` is where requests come from.
    :param looking: names of nodes that only look: nothing goes on from them.
    :ivar order: the nodes, each after all that it needs.
    :ivar end: the node whose output is the answer: of those that do not only look, the one added last;
        :data:`GATEWAY` if there is none.
    :ivar decisive: the nodes without which there is no answer: the end, and all that it needs, directly or not.
    :raises FlowTopologyError: for an unknown name, a cycle, a node that needs nothing, or one that needs the output of
        a node that only looks.
    """

    def __init__(self, needs: Mapping[str, Iterable[str]], looking: Iterable[str] = ()) -> None:
        self.needs = {name: tuple(dict.fromkeys(wanted)) for name, wanted in needs.items()}
        self._looking = frozenset(looking)
        for name, wanted in self.needs.items():
            self._check(name, wanted)
        self.order = self._sorted()
        self.end = next((name for name in reversed(self.needs) if name not in self._looking), GATEWAY)
        self.next = {name: tuple(self._followers(name)) for name in (GATEWAY, *self.needs)}
        self.decisive = frozenset(self._before_end())

    def _check(self, name: str, wanted: tuple[str, ...]) -> None:
        if not wanted:
            raise FlowTopologyError(f'Executor {name!r} needs nothing: nothing would ever reach it')
        for other in wanted:
            if other not in self.needs and other != GATEWAY:
                raise FlowTopologyError(
                    f'Executor {name!r} needs {other!r}, which is not in this Flow'
                    + did_you_mean(other, {GATEWAY, *self.needs} - {name})
                )
            if other in self._looking and name not in self._looking:
                raise FlowTopologyError(
                    f'Executor {name!r} needs {other!r}, which only looks (inspect): it passes on nothing'
                )

    def _sorted(self) -> tuple[str, ...]:
        try:
            order = TopologicalSorter(self.needs).static_order()
            return tuple(name for name in order if name != GATEWAY)
        except CycleError as error:
            raise FlowTopologyError(f'the Executors need each other in a circle: {" → ".join(error.args[1])}') from None

    def _followers(self, name: str) -> Iterable[str]:
        return (other for other in self.needs if name in self.needs[other])

    def _before_end(self) -> set[str]:
        found, ahead = {self.end}, [self.end]
        while ahead:
            new = set(self.needs.get(ahead.pop(), ())) - found
            found |= new
            ahead += new
        return found

    @property
    def orphans(self) -> tuple[str, ...]:
        """Nodes whose output nobody takes, those aside that only look."""
        return tuple(name for name in self.needs if not self.next[name] and name not in self._looking)

    @property
    def hanging(self) -> tuple[str, ...]:
        """:attr:`orphans` whose output is not the answer either."""
        return tuple(name for name in self.orphans if name != self.end)
