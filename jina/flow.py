"""Flow: Executors joined to one service."""

import logging
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jina import config
from jina.clients import Client
from jina.clients.link import Link, open_native
from jina.clients.poster import Poster
from jina.excepts import (
    BadOption,
    FlowBuildLevelError,
    FlowMissingPodError,
    FlowTopologyError,
    ServerUnreachable,
)
from jina.executors import BaseExecutor
from jina.graph import GATEWAY, Graph
from jina.logging.logger import SUCCESS, configure
from jina.looks.banner import EVERYWHERE, SYMBOLS, banner
from jina.looks.printed import can_show
from jina.running import Running
from jina.spec import ExecutorSpec, FlowSpec, did_you_mean

F = TypeVar('F', bound='Flow')

WATCH_SECONDS = 0.2


class Flow(Poster):
    """Executors joined to one service.

    >>> f = Flow().add(uses=MyExecutor)
    >>> with f:
    ...     f.post(on='/bar', inputs=Document(), on_done=print)

    It is built first and runs while it is open: from the beginning of the ``with`` block to its end, or from
    :meth:`start` to :meth:`close`. ``jina flow --help`` lists its options.

    :param options: see :class:`~jina.spec.FlowSpec`.
    :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
    """

    def __new__(cls, *, asyncio: bool = False, **options: Any) -> 'Flow':
        return super().__new__(AsyncFlow if asyncio and cls is Flow else cls)

    def __init__(self, *, asyncio: bool = False, **options: Any) -> None:
        super().__init__(self._connect, asyncio or isinstance(self, AsyncFlow))
        self._spec: FlowSpec = FlowSpec.from_dict(options, 'Flow')
        self._classes: dict[str, type[BaseExecutor]] = {}
        self._folder = Path()
        self._running: Running | None = None
        self._interrupted = False
        self._log = logging.getLogger(f'jina.{self._spec.name}')

    # build

    def add(self: F, **options: Any) -> F:
        """Add an Executor.

        :param options: ``uses`` (an Executor class, its name, a YAML file, YAML text or a dict), ``name``, ``needs``,
            ``uses_with`` and more: see :class:`~jina.spec.ExecutorSpec` or ``jina executor --help``.
        :return: the Flow itself, for chaining.
        :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
        :raises FlowTopologyError: if the name is in use, or ``needs`` names one that is not there.
        :raises FlowBuildLevelError: if the Flow is open.
        """
        self._must_be_closed('add()')
        name = options.get('name') or self._free_name()
        uses = options.get('uses')
        if isinstance(uses, type):
            options['uses'] = _checked_class(uses, name).__name__
        elif isinstance(uses, BaseExecutor):
            raise BadOption(f'Executor {name!r}: uses takes the class {type(uses).__name__}, not an object of it')
        options = {k: v for k, v in options.items() if v is not None} | {'name': name}
        self._append(ExecutorSpec.from_dict(options, f'Executor {name!r}'))
        if isinstance(uses, type):
            self._classes[name] = uses
        return self

    def needs(self: F, needs: Iterable[str], name: str = 'joiner', **options: Any) -> F:
        """Add an Executor that waits for several others: ``.add(needs=[…])``."""
        return self.add(name=name, needs=list(needs), **options)

    def needs_all(self: F, name: str = 'joiner', **options: Any) -> F:
        """Add an Executor that waits for all whose output nobody takes yet."""
        graph = self._graph()
        orphans = [n for n in graph.needs if not graph.next[n]]
        return self.needs(orphans or [GATEWAY], name=name, **options)

    def _append(self, spec: ExecutorSpec) -> None:
        executors = self._spec.executors
        if not spec.needed:
            spec = msgspec.structs.replace(spec, needs=executors[-1].name if executors else GATEWAY)
        if spec.name == GATEWAY or spec.name in self:
            raise FlowTopologyError(f'the name {spec.name!r} is in use in this Flow: choose another')
        extended = msgspec.structs.replace(self._spec, executors=[*executors, spec])
        _graph_of(extended)  # refuses what cannot be, before the Flow has changed
        self._spec = extended

    def _free_name(self) -> str:
        number = len(self._spec.executors)
        while f'pod{number}' in self:
            number += 1
        return f'pod{number}'

    def _graph(self) -> Graph:
        return _graph_of(self._spec)

    # look

    def __contains__(self, name: object) -> bool:
        return any(e.name == name for e in self._spec.executors)

    def __getitem__(self, name: str | int) -> ExecutorSpec:
        """The options of an Executor, by name or position.

        :raises FlowMissingPodError: if there is none of that name.
        """
        if isinstance(name, int):
            return self._spec.executors[name]
        for spec in self._spec.executors:
            if spec.name == name:
                return spec
        known = [e.name for e in self._spec.executors]
        raise FlowMissingPodError(f'this Flow has no Executor {name!r}{did_you_mean(name, known)}')

    @property
    def num_pods(self) -> int:
        """How many Executors there are, the gateway included."""
        return len(self._spec.executors) + 1

    @property
    def protocol(self) -> Any:
        """How clients reach it."""
        return self._spec.protocol

    @property
    def host(self) -> str:
        """The address it listens at."""
        return self._spec.host

    @property
    def port_expose(self) -> int:
        """The port of its first protocol; see :attr:`ports`."""
        return self.ports[0]

    @property
    def ports(self) -> list[int]:
        """The port of each of its protocols; while it is closed, those that were asked for."""
        return self._running.ports if self._running else self._spec.ports

    @property
    def address_private(self) -> str:
        """The address of this machine in its own network."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(('10.255.255.255', 1))  # sends nothing: it only asks for the route
            except OSError:
                return '127.0.0.1'
            return str(probe.getsockname()[0])

    @property
    def client(self) -> Client:
        """A client of this Flow, over one of its public protocols.

        :raises BadOption: if it has none that a client speaks.
        """
        ports = dict(zip(self._spec.protocols, self._must_be_open('client').ports, strict=True))
        protocol = 'grpc' if 'grpc' in ports else self._spec.protocols[0]
        return Client(_reachable(self.host), ports[protocol], protocol, asyncio=self._asynchronous)

    def plot(
        self: F,
        output: str | Path | None = None,
        vertical_layout: bool = False,
        inline_display: bool = False,
        build: bool = True,
        copy_flow: bool = True,
    ) -> F:
        """Draw its Executors, and who takes whose output.

        :param output: a file to write; its name ends in .svg, .png, .jpg, .pdf, or .mmd for Mermaid text.
        :param vertical_layout: from top to bottom instead of from left to right.
        :param inline_display: show it in the notebook at once; a Flow is shown anyhow where it is the last value of a
            cell.
        :param build: accepted, but nothing has to be built for it.
        :param copy_flow: accepted, but nothing changes the Flow.
        :return: the Flow itself, for chaining.
        :raises BadOption: for another kind of file.
        :raises ImportError: for an image other than SVG when matplotlib is not installed.
        """
        from jina.looks.flows import plot

        plot(self._spec, self._graph().end, output, vertical_layout, inline_display)
        return self

    def _repr_svg_(self) -> str:
        from jina.looks.flows import plot

        return plot(self._spec, self._graph().end)

    def __repr__(self) -> str:
        way = ' → '.join(e.name for e in self._spec.executors) or 'no Executors'
        return f'<jina.flow.{type(self).__name__} {way}, {"open" if self._running else "closed"}>'

    # run

    def start(self: F) -> F:
        """Open it: start its processes and wait until all are ready.

        :return: the Flow itself.
        :raises RuntimeFailToStart: if one does not become ready; its own error is the cause.
        :raises ExecutorFailToLoad: if a class cannot be found.
        :raises BadConfig: if YAML cannot be read.
        """
        self._must_be_closed('start()')
        self._interrupted = False
        self._log = configure(self._spec.name, self._spec.quiet)
        graph = self._graph()
        for name in graph.hanging:
            self._log.warning('nobody takes the output of %r: to wait for it too, use .needs_all()', name)
        self._running = Running(self._spec, graph, self._classes, self._folder)
        self._announce(self._running)
        return self

    def close(self) -> None:
        """End its processes and release everything. Does nothing if it is closed."""
        self._close(hurry=False)

    def _close(self, hurry: bool) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            self._sessions.close()
            running.stop(hurry)

    def __enter__(self: F) -> F:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._close(hurry=self._interrupted or (kind is not None and not issubclass(kind, Exception)))

    def block(self) -> None:
        """Wait until the program is interrupted (Ctrl-C), or the gateway ends.

        :raises ServerUnreachable: if the gateway ends.
        """
        told: set[str] = set()
        try:
            running = self._must_be_open('block()')
            while running.gateway_lives():
                for casualty in set(running.casualties()) - told:
                    told.add(casualty)
                    self._log.error('%s', casualty)
                time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            self._interrupted = True
            return
        raise ServerUnreachable(running.gateway_fate())

    def _announce(self, running: Running) -> None:
        if not self._log.isEnabledFor(SUCCESS):
            return
        text = banner(
            list(zip(self._spec.protocols, running.ports, strict=True)),
            self.host,
            self.address_private if self.host in EVERYWHERE else None,
            executors=len(self._spec.executors),
            replicas=sum(e.replicas for e in self._spec.executors),
            symbols=can_show(sys.stderr, SYMBOLS),
        )
        self._log.log(SUCCESS, '%s', text)

    async def _connect(self) -> Link:
        return await open_native(self._must_be_open('post()').address)

    def _why_lost(self) -> str:
        return self._running.gateway_fate() if self._running else 'the Flow was closed'

    def _must_be_closed(self, what: str) -> None:
        if self._running is not None:
            raise FlowBuildLevelError(f'{what} needs a closed Flow, and this one is open: call it before `with`')

    def _must_be_open(self, what: str) -> Running:
        if self._running is None:
            raise FlowBuildLevelError(f'{what} needs an open Flow: call it inside `with flow:`, or after flow.start()')
        return self._running

    # files

    @classmethod
    def load_config(cls: type[F], source: Any, **options: Any) -> F:
        """Make a Flow of a YAML file, YAML text or a dict.

        :param options: options of the Flow that go before those of ``source``.
        :raises BadConfig: if ``source`` cannot be read.
        """
        spec, folder = config.read_flow(source)
        flow = cls(**{**spec.to_dict(), **options, 'executors': []})
        flow._folder = folder
        for executor in spec.executors:
            flow._append(executor if executor.name else msgspec.structs.replace(executor, name=flow._free_name()))
        return flow

    def save_config(self, filename: str | Path) -> None:
        """Write it as YAML. Executors that are classes are named; ``load_config`` must know the name."""
        Path(filename).write_text(config.to_yaml(self._spec))


class AsyncFlow(Flow):
    """A Flow whose ``post`` gives an async generator of responses; the same as ``Flow(asyncio=True)``.

    >>> with AsyncFlow().add() as f:
    ...     async for response in f.post('/', async_inputs):
    ...         print(response)
    """


def _graph_of(spec: FlowSpec) -> Graph:
    return Graph({e.name: e.needed for e in spec.executors})


def _checked_class(uses: type, name: str) -> type[BaseExecutor]:
    if issubclass(uses, BaseExecutor):
        return uses
    raise BadOption(f'Executor {name!r}: the class {uses.__name__} must subclass jina.Executor')


def _reachable(host: str) -> str:
    return 'localhost' if host in ('0.0.0.0', '127.0.0.1', '::') else host
