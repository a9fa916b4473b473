"""Flow: Executors joined to one service."""

import logging
import socket
import sys
import time
from asyncio import to_thread
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from jina import config, topology
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
from jina.graph import GATEWAY
from jina.logging.logger import SUCCESS, configure
from jina.looks.banner import EVERYWHERE, SYMBOLS, banner
from jina.looks.printed import can_show
from jina.running import Running
from jina.spec import EndpointSpec, ExecutorSpec, FlowSpec, did_you_mean

F = TypeVar('F', bound='Flow')

WATCH_SECONDS = 0.2


class Flow(Poster):
    """Executors joined to one service.

    >>> f = Flow().add(uses=MyExecutor)
    >>> with f:
    ...     f.post(on='/bar', inputs=Document(), on_done=print)

    It is built first and runs while it is open: from the beginning of the ``with`` block to its end, or from
    :meth:`start` to :meth:`close`. ``jina flow --help`` lists its options.

    :param uses: a YAML file, YAML text or a dict that describes it.
    :param asyncio: make an :class:`AsyncFlow`.
    :param options: see :class:`~jina.spec.FlowSpec`; they go before those of ``uses``.
    :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
    :raises BadConfig: if ``uses`` cannot be read.
    """

    def __new__(cls, *, asyncio: bool = False, **options: Any) -> 'Flow':
        return super().__new__(AsyncFlow if asyncio and cls is Flow else cls)

    def __init__(self, *, uses: Any = None, asyncio: bool = False, **options: Any) -> None:
        super().__init__(self._connect, asyncio or isinstance(self, AsyncFlow))
        self._classes: dict[str, type[BaseExecutor]] = {}
        self._folder = Path()
        self._running: Running | None = None
        self._client: Client | None = None
        self._spec = FlowSpec.from_dict(options, 'Flow') if uses is None else self._read(uses, options)
        self._interrupted = False
        self._log = logging.getLogger(f'jina.{self._spec.name}')

    # build

    def add(self: F, *, copy_flow: bool = False, **options: Any) -> F:
        """Add an Executor.

        :param copy_flow: add it to a copy, and leave this Flow as it is.
        :param options: ``uses`` (an Executor class, its name, a YAML file, YAML text or a dict), ``name``, ``needs``,
            ``uses_with`` and more: see :class:`~jina.spec.ExecutorSpec` or ``jina executor --help``.
        :return: the Flow itself, or the copy, for chaining.
        :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
        :raises FlowTopologyError: if the name is in use, or ``needs`` names one that is not there.
        :raises FlowBuildLevelError: if the Flow is open.
        """
        if copy_flow:
            return self._copied().add(**options)
        self._must_be_closed('add()')
        name = options.get('name') or self._spec.free_name('pod')
        parts = {'uses': name, 'uses_before': topology.before(name), 'uses_after': topology.after(name)}
        classes = {}
        for option, part in parts.items():
            uses = options.get(option)
            if isinstance(uses, type):
                classes[part] = _checked_class(uses, name)
                options[option] = uses.__name__
            elif isinstance(uses, BaseExecutor):
                raise BadOption(
                    f'Executor {name!r}: {option} takes the class {type(uses).__name__}, not an object of it'
                )
        options = {k: v for k, v in options.items() if v is not None} | {'name': name}
        self._spec = self._extended(self._spec, ExecutorSpec.from_dict(options, f'Executor {name!r}'))
        self._classes |= classes
        return self

    def needs(self: F, needs: Iterable[str], name: str = 'joiner', **options: Any) -> F:
        """Add an Executor that waits for several others: ``.add(needs=[…])``."""
        return self.add(name=name, needs=list(needs), **options)

    join = needs

    def needs_all(self: F, name: str = 'joiner', **options: Any) -> F:
        """Add an Executor that waits for all whose output nobody takes yet."""
        return self.needs(self._spec.loose or [GATEWAY], name=name, **options)

    def inspect(self: F, name: str = '', **options: Any) -> F:
        """Add an Executor that looks at the output of the one added before it, and changes nothing of the result.

        Nobody waits for it. If it fails, that is logged, and the request goes on.

        :param options: as of :meth:`add`.
        """
        return self.add(name=name or self._spec.free_name('inspect'), inspect=True, **options)

    def expose_endpoint(self: F, exec_endpoint: str, **options: Any) -> F:
        """Give an endpoint a path of its own over HTTP, instead of only ``/post`` with ``execEndpoint``.

        >>> f = Flow(protocol='http').add(uses=MyExecutor).expose_endpoint('/foo', summary='what it is for')

        :param exec_endpoint: what ``on=`` of ``@requests`` says.
        :param options: ``path``, ``methods``, ``summary``, ``description``, ``tags``: see
            :class:`~jina.spec.EndpointSpec`.
        """
        self._must_be_closed('expose_endpoint()')
        endpoint = EndpointSpec.from_dict(options, f'expose_endpoint({exec_endpoint!r})')
        exposed = {**self._spec.expose_endpoints, exec_endpoint: endpoint}
        self._spec = msgspec.structs.replace(self._spec, expose_endpoints=exposed)
        return self

    def _extended(self, flow: FlowSpec, spec: ExecutorSpec) -> FlowSpec:
        """A Flow with one Executor more."""
        executors = flow.executors
        if not spec.needed:
            before = [e.name for e in executors if not e.inspect]
            spec = msgspec.structs.replace(spec, needs=before[-1] if before else GATEWAY)
        if spec.name == GATEWAY or any(e.name == spec.name for e in executors):
            raise FlowTopologyError(f'the name {spec.name!r} is in use in this Flow: choose another')
        extended = msgspec.structs.replace(flow, executors=[*executors, spec])
        topology.graph_of(extended)  # refuses what cannot be, before the Flow has changed
        return extended

    def _copied(self: F) -> F:
        copied = type(self)(asyncio=self._asynchronous)
        copied._spec, copied._classes, copied._folder = self._spec, dict(self._classes), self._folder
        return copied

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
    def num_peas(self) -> int:
        """How many processes and threads there are when it is open: all replicas, and the gateway."""
        return sum(s.node.replicas for s in topology.stations(self._spec) if not s.node.addresses) + 1

    @property
    def workspace(self) -> str:
        """The folder for what its Executors keep; empty if none was named."""
        return self._spec.workspace

    @property
    def protocol(self) -> Any:
        """How clients reach it. It may be set, also while the Flow is open: its ports stay.

        :raises NoAvailablePortError: if one cannot be had; the Flow is then reached as before.
        """
        return self._spec.protocol

    @protocol.setter
    def protocol(self, protocol: Any) -> None:
        wanted = {'protocol': protocol, 'port_expose': 0}
        spec = FlowSpec.from_dict({**self._spec.to_dict(), **wanted}, 'Flow')
        ports = [*self.ports, *[0] * len(spec.protocols)][: len(spec.protocols)]
        if self._running is not None:
            self._running.open(spec.doors(ports))
        self._spec = msgspec.structs.replace(spec, port_expose=ports if len(ports) > 1 else ports[0])
        if self._running is not None:
            self._announce(self._running)

    @property
    def host(self) -> str:
        """The address it listens at."""
        return self._spec.host

    @property
    def port_expose(self) -> int:
        """The port of its first protocol; see :attr:`ports`. It, or a list, may be set before the Flow is opened.

        :raises FlowBuildLevelError: when it is set while the Flow is open.
        """
        return self.ports[0]

    @port_expose.setter
    def port_expose(self, port: int | list[int]) -> None:
        self._must_be_closed('port_expose = …')
        self._spec = FlowSpec.from_dict({**self._spec.to_dict(), 'port_expose': port}, 'Flow')

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
        """A client of this Flow, over the first of its public protocols; it is closed when the Flow is."""
        port = self._must_be_open('client').ports[0]
        protocol = self._spec.protocols[0]
        if self._client is None or (self._client.protocol, self._client.port_expose) != (protocol, port):
            self._close_client()
            self._client = Client(_reachable(self.host), port, protocol, asyncio=self._asynchronous)
        return self._client

    def _close_client(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            client.close()

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

        plot(self._spec, topology.graph_of(self._spec).end, output, vertical_layout, inline_display)
        return self

    def _repr_svg_(self) -> str:
        from jina.looks.flows import plot

        return plot(self._spec, topology.graph_of(self._spec).end)

    def __repr__(self) -> str:
        way = ' → '.join(e.name for e in self._spec.executors) or 'no Executors'
        return f'<jina.flow.{type(self).__name__} {way}, {"open" if self._running else "closed"}>'

    # run

    def build(self: F) -> F:
        """Do nothing: it is built with every :meth:`add`. For programs that call it."""
        return self

    def start(self: F) -> F:
        """Open it: start its processes and wait until all are ready.

        :return: the Flow itself.
        :raises RuntimeFailToStart: if one does not become ready; its own error is the cause.
        :raises ExecutorFailToLoad: if a class cannot be found.
        :raises BadConfig: if YAML cannot be read.
        """
        self._must_be_closed('start()')
        self._interrupted = False
        self._log = configure(self._spec.name, self._spec.quiet, config.log_config(self._spec, self._folder))
        for name in topology.graph_of(self._spec).hanging:
            self._log.warning('nobody takes the output of %r: to wait for it too, use .needs_all()', name)
        self._running = Running(self._spec, self._classes, self._folder)
        self._announce(self._running)
        return self

    def close(self) -> None:
        """End its processes and release everything. Does nothing if it is closed."""
        self._close(hurry=False)

    def _close(self, hurry: bool) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            if not running.is_ours:
                return
            try:
                self._close_client()
                self._sessions.close()
            except BaseException:  # an interrupt
                hurry = True
                raise
            finally:
                running.stop(hurry)
            self._log.log(SUCCESS, 'Flow is closed')

    def __enter__(self: F) -> F:
        return self.start()

    async def __aenter__(self: F) -> F:
        """Open it without holding up the running event loop."""
        return await to_thread(self.start)

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        await to_thread(self.__exit__, kind, *rest)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._close(hurry=self._interrupted or (kind is not None and not issubclass(kind, Exception)))

    def block(self) -> None:
        """Wait until the program is interrupted (Ctrl-C), or the gateway ends.

        :raises ServerUnreachable: if the gateway ends.
        """
        try:
            running = self._must_be_open('block()')
            while running.gateway_lives() and self._running is running:
                time.sleep(WATCH_SECONDS)
        except KeyboardInterrupt:
            self._interrupted = True
            return
        if self._running is running:  # else another thread has closed it
            raise ServerUnreachable(running.gateway_fate())

    def rolling_update(self, pod_name: str, uses_with: Mapping[str, Any] | None = None) -> None:
        """Start an Executor anew while the Flow is open, one replica after another; no request is lost.

        With at least two replicas somebody serves at any time; with one, the new one is ready before the old one ends.

        :param pod_name: the Executor's name.
        :param uses_with: arguments of its ``__init__`` that change.
        :raises FlowMissingPodError: if there is no such Executor.
        :raises RuntimeFailToStart: if a new replica does not become ready; those not updated yet go on as they were.
        """
        running = self._must_be_open('rolling_update()')
        before = self[pod_name]
        if before.external:
            raise BadOption(f'rolling_update({pod_name!r}): it is external, and not for this Flow to start')
        spec = msgspec.structs.replace(before, uses_with={**before.uses_with, **(uses_with or {})})
        running.update(spec)
        executors = [spec if e.name == pod_name else e for e in self._spec.executors]
        self._spec = msgspec.structs.replace(self._spec, executors=executors)

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
        """Make a Flow of a YAML file, by its path or open, YAML text or a dict.

        :param options: options of the Flow that go before those of ``source``.
        :raises BadConfig: if ``source`` cannot be read.
        """
        return cls(uses=source, **options)

    def _read(self, source: Any, options: dict[str, Any]) -> FlowSpec:
        """The Flow that ``source`` describes, with other options."""
        described, self._folder = config.read_flow(source)
        spec = FlowSpec.from_dict({**described.to_dict(), **options, 'executors': []}, 'Flow')
        for executor in described.executors:
            spec = self._extended(spec, executor)
        return spec

    def save_config(self, filename: str | Path) -> None:
        """Write it as YAML. Executors that are classes are named; ``load_config`` must know the name."""
        Path(filename).write_text(config.to_yaml(self._spec), 'utf-8')


class AsyncFlow(Flow):
    """A Flow whose ``post`` gives an async generator of responses; the same as ``Flow(asyncio=True)``.

    >>> with AsyncFlow().add() as f:
    ...     async for response in f.post('/', async_inputs):
    ...         print(response)
    """


def _checked_class(uses: type, name: str) -> type[BaseExecutor]:
    if issubclass(uses, BaseExecutor):
        return uses
    raise BadOption(f'Executor {name!r}: the class {uses.__name__} must subclass jina.Executor')


def _reachable(host: str) -> str:
    return 'localhost' if host in ('0.0.0.0', '127.0.0.1', '::') else host
