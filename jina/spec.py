"""Every option of the system, stated once: its type, its default and one line of help.

A spec is frozen and validated when it is made. It is the only configuration that travels between processes, and the
command line is generated from it.
"""

import difflib
import enum
import math
import re
import types
import typing
import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import PurePath
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec

from jina.excepts import BadOption

S = TypeVar('S', bound='Spec')


def _help(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all specs have in common.

    :cvar aliases: other names of options, and which they mean.
    :cvar without_effect: options of Jina 2 that programs may give, and that mean nothing here.
    :cvar groups: heading → the options that ``--help`` lists under it.
    """

    aliases: ClassVar[Mapping[str, str]] = {}
    without_effect: ClassVar[frozenset[str]] = frozenset()
    groups: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    def to_dict(self) -> dict[str, Any]:
        """The options that differ from their defaults, as plain types, and bytes.

        :raises BadOption: naming an option that holds something else, which could not travel.
        """
        try:
            return msgspec.to_builtins(self, builtin_types=(bytes,))  # type: ignore[no-any-return]
        except TypeError:
            raise BadOption(self._unsendable()) from None

    def _unsendable(self) -> str:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            try:
                value.to_dict() if isinstance(value, Spec) else msgspec.to_builtins(value, builtin_types=(bytes,))
            except BadOption as error:
                return str(error)
            except TypeError as error:
                return f'{type(self).__name__}: {name}={value!r} cannot be sent to another process: {error}'
        return f'{type(self).__name__} cannot be sent to another process'

    @classmethod
    def from_dict(cls: type[S], options: Mapping[str, Any], who: str = '', strict: bool = True) -> S:
        """Check the options and make the spec of them. A warning tells of those without effect.

        :param who: whose options these are, for the message of an error.
        :param strict: ``False`` reads numbers and booleans from text, as the command line has them.
        :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
        """
        who = who or cls.__name__
        named = cls._by_their_names(options, who)
        try:
            return msgspec.convert(named, cls, strict=strict)
        except msgspec.ValidationError as error:
            raise BadOption(_explain(cls, who, named, str(error))) from None

    @classmethod
    def _by_their_names(cls, options: Mapping[str, Any], who: str) -> dict[str, Any]:
        """The options with aliases resolved, and choices such as ``'all'`` spelled as they are known."""
        known = cls.__struct_fields__
        named: dict[str, Any] = {}
        if idle := sorted(cls.without_effect & options.keys()):
            warnings.warn(f'{who}: options without effect here: {", ".join(idle)}', stacklevel=4)
        for given, value in options.items():
            if given in cls.without_effect:
                continue
            name = cls.aliases.get(given, given)
            if name not in known:
                raise BadOption(f'{who} has no option {given!r}{did_you_mean(given, {*known, *cls.aliases})}')
            if name in named and named[name] != value:
                raise BadOption(f'{who}: {given} is another name of {name}: give one of them')
            named[name] = _chosen(value, _choices_of(cls).get(name, {}))
        return named


def did_you_mean(name: object, known: Any) -> str:
    """The end of a sentence: the nearest of the known names, or all of them."""
    names = sorted(str(k) for k in known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f': did you mean {near[0]!r}?' if near else f'; it has: {", ".join(names)}'


def _chosen(value: Any, choices: Mapping[str, str]) -> Any:
    """A choice as it is spelled in the spec, for members of enums and other spellings of it; a path as text."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):
        return choices.get(value.lower(), value)
    return [_chosen(v, choices) for v in value] if isinstance(value, list | tuple) else value


@cache
def _choices_of(spec: type[Spec]) -> dict[str, dict[str, str]]:
    """For each option that takes certain words: the words by their lower-case spelling."""
    hints = typing.get_type_hints(spec)
    found = {name: {word.lower(): word for word in _words(hints[name])} for name in spec.__struct_fields__}
    return {name: words for name, words in found.items() if words}


def _explain(spec: type[Spec], who: str, options: Mapping[str, Any], message: str) -> str:
    """'Expected `int`, got `str` - at `$.port`' → a sentence about the option."""
    found = re.fullmatch(r'(?P<what>.*) - at `\$\.(?P<option>\w+)(?P<rest>.*)`', message)
    if not found:
        return f'{who}: {message}'
    option, what = found['option'], found['what'].replace('`', '').replace('array', 'list').replace('object', 'dict')
    if what.startswith('Invalid enum value'):
        what = f'it takes one of: {", ".join(_choices_of(spec)[option].values())}'
    return f'{who}: option {option}={options.get(option)!r}: {what}'


def _words(kind: Any) -> Iterator[str]:
    """The strings that a type admits, where it does not admit all."""
    if typing.get_origin(kind) is Literal:
        yield from typing.get_args(kind)
    elif typing.get_origin(kind) in (typing.Union, types.UnionType, list):
        for member in typing.get_args(kind):
            yield from _words(member)


Protocol = Literal['grpc', 'http', 'websocket']
Polling = Literal['ANY', 'ALL', 'ALL_ASYNC']
OnError = Literal['THROW_EARLY', 'SKIP_HANDLE', 'IGNORE']

_Uses = str | dict[str, Any]

THIS_MACHINE = ('', '0.0.0.0', '127.0.0.1', 'localhost')

_OF_PROCESSES = frozenset(
    (
        *('ctrl_with_ipc', 'daemon', 'expose_public', 'host_in', 'host_out', 'hosts_in_connect', 'memory_hwm'),
        *('native', 'port_ctrl'),
        *('port_in', 'port_out', 'runs_in_docker', 'runtime_cls', 'socket_in', 'socket_out', 'static_routing_table'),
        *('timeout_ctrl', 'zmq_identity'),
    )
)
_OF_OTHER_RUNTIMES = frozenset(
    (
        *('docker_kwargs', 'entrypoint', 'gpus', 'install_requirements', 'port_jinad', 'pull_latest'),
        *('quiet_remote_logs', 'upload_files', 'volumes'),
    )
)


class BatchingSpec(Spec, frozen=True, kw_only=True):
    """How requests share the calls of a method; see ``@requests``.

    :raises BadOption: for a ``batch`` below 1, or a ``wait`` that is negative or no number.
    """

    batch: Annotated[int, _help('the most Documents of one call; 1: every request has a call of its own')]
    wait: Annotated[float, _help('milliseconds that the first request of a call waits for others')] = 0.0

    def __post_init__(self) -> None:
        if self.batch < 1:
            raise BadOption(f'batch={self.batch}: it takes 1 or more')
        if not 0 <= self.wait < math.inf:
            raise BadOption(f'wait={self.wait}: it takes milliseconds, 0 or more')


class ExecutorSpec(Spec, frozen=True, kw_only=True):
    """The options of ``Flow.add``.

    :raises BadOption: for a number of replicas below 1, or ``external`` without ``host``.
    """

    aliases = {'parallel': 'replicas', 'shards': 'replicas'}
    without_effect = (
        _OF_PROCESSES
        | _OF_OTHER_RUNTIMES
        | {'connect_to_predecessor', 'no_dynamic_routing', 'scheduling', 'show_exc_info'}
    )
    groups = {
        'what to run': ('uses', 'uses_with', 'uses_metas', 'uses_requests', 'py_modules', 'uses_before', 'uses_after'),
        'its place in the Flow': ('name', 'needs', 'inspect', 'external', 'host'),
        'how many': ('replicas', 'polling', 'batching'),
        'its process': ('runtime_backend', 'env', 'workspace', 'timeout_ready'),
        'when it fails': ('on_error_strategy', 'restarts'),
        'what it logs': ('quiet', 'quiet_error'),
    }

    def __post_init__(self) -> None:
        if self.replicas < 1:
            raise BadOption(f'replicas={self.replicas}: it takes 1 or more')
        if self.external and not self.host:
            raise BadOption("external=True needs host='name:port', where it listens")
        if self.host not in THIS_MACHINE and not self.external:
            raise BadOption(
                f'host={self.host!r}: a Flow starts Executors on its own machine only; '
                'for one that runs already add external=True'
            )

    name: Annotated[str, _help('name of the Executor in the Flow; default: pod0, pod1, …')] = ''
    uses: Annotated[
        _Uses,
        _help('what to run: an Executor class, its name, a YAML file, inline YAML or a dict'),
    ] = 'BaseExecutor'
    needs: Annotated[
        str | list[str] | None,
        _help('names of the Executors whose output it takes, or "gateway"; default: the one added before'),
    ] = None
    replicas: Annotated[int, _help('how many of it to run; parallel and shards are other names of it')] = 1
    polling: Annotated[
        Polling,
        _help(
            'who of the replicas receives a request, and when it goes on: ANY: one, when it has finished; ALL: all, '
            'when all have finished; ALL_ASYNC: all, when the first has finished'
        ),
    ] = 'ANY'
    uses_before: Annotated[_Uses | None, _help('an Executor that works before the replicas; as uses')] = None
    uses_after: Annotated[_Uses | None, _help('an Executor that works after the replicas, on all they answer')] = None
    inspect: Annotated[bool, _help('it only looks: nobody waits for it, and its output goes nowhere')] = False
    external: Annotated[bool, _help('it runs already, at host, and is not for this Flow to start and end')] = False
    host: Annotated[str, _help('where an external Executor listens: name:port, or unix:/path')] = ''
    uses_with: Annotated[dict[str, Any], _help('arguments of its __init__; they go before those of the YAML')] = {}
    uses_metas: Annotated[dict[str, Any], _help('metas (name, workspace, …); they go before those of the YAML')] = {}
    uses_requests: Annotated[
        dict[str, str], _help('endpoint: method name; they go before those of the class and the YAML')
    ] = {}
    batching: Annotated[
        dict[str, BatchingSpec],
        _help('endpoint: {batch: …, wait: …}: how requests share calls; it goes before what @requests says'),
    ] = {}
    py_modules: Annotated[str | list[str], _help('Python files or modules to import, which define the class')] = []
    workspace: Annotated[str, _help('folder for what the Executor keeps; its own is workspace/name/replica')] = ''
    env: Annotated[dict[str, str], _help('environment variables of its process')] = {}
    runtime_backend: Annotated[
        Literal['PROCESS', 'THREAD'], _help('run in a process of its own, or in a thread of the calling one')
    ] = 'PROCESS'
    timeout_ready: Annotated[int, _help('milliseconds that it may take until it is ready; -1: no limit')] = 600_000
    on_error_strategy: Annotated[
        OnError | None,
        _help(
            'when it fails: THROW_EARLY: the request ends; SKIP_HANDLE: likewise; IGNORE: the request goes on with '
            'the documents as they were, and its status tells of the error; default: what the Flow says'
        ),
    ] = None
    restarts: Annotated[
        int, _help('how often in a row a replica that died is started again, ever later; 0: never; -1: no limit')
    ] = 10
    quiet: Annotated[bool, _help('log errors only')] = False
    quiet_error: Annotated[bool, _help('log what it raises in one line, without the traceback')] = False

    @property
    def needed(self) -> list[str]:
        """:attr:`needs` as a list."""
        return [self.needs] if isinstance(self.needs, str) else list(self.needs or ())

    @property
    def modules(self) -> list[str]:
        """:attr:`py_modules` as a list."""
        return [self.py_modules] if isinstance(self.py_modules, str) else list(self.py_modules)


class EndpointSpec(Spec, frozen=True, kw_only=True):
    """How an endpoint is shown as a path of its own over HTTP; the options of ``Flow.expose_endpoint``."""

    path: Annotated[str, _help('path of the URL; default: the endpoint itself')] = ''
    methods: Annotated[list[str], _help('HTTP methods; default: POST')] = []
    summary: Annotated[str, _help('one line for the documentation of the interface')] = ''
    description: Annotated[str, _help('more lines for it')] = ''
    tags: Annotated[list[str], _help('headings under which it is listed there')] = []


class WebSpec(Spec, frozen=True, kw_only=True):
    """Options of the HTTP and WebSocket doors, which Flows and gateways have in common."""

    groups = {
        'the HTTP interface': (
            *('static', 'title', 'description', 'cors'),
            *('expose_endpoints', 'no_debug_endpoints', 'no_crud_endpoints'),
        )
    }

    static: Annotated[str, _help('folder of files that the http gateway serves at /')] = ''
    title: Annotated[str, _help('title of the documentation of the HTTP interface')] = ''
    description: Annotated[str, _help('description in the documentation of the HTTP interface')] = ''
    cors: Annotated[bool, _help('let web pages of any origin use the HTTP interface')] = False
    no_debug_endpoints: Annotated[bool, _help('do not serve /status and /post over HTTP')] = False
    no_crud_endpoints: Annotated[bool, _help('do not serve /index, /search, /update and /delete over HTTP')] = False
    expose_endpoints: Annotated[
        dict[str, EndpointSpec], _help('endpoints with a path of their own over HTTP; see Flow.expose_endpoint()')
    ] = {}


class DoorSpec(Spec, frozen=True, kw_only=True):
    """One address where a gateway is reached from outside."""

    protocol: Annotated[Protocol, _help('grpc, http or websocket')]
    host: Annotated[str, _help('address to listen at')] = '127.0.0.1'
    port: Annotated[int, _help('port to listen at; 0: the system chooses')] = 0


class FlowSpec(WebSpec, frozen=True, kw_only=True):
    """The options of ``Flow``.

    :raises BadOption: if there is not one port for each protocol.
    """

    without_effect = _OF_PROCESSES | {
        *('compress', 'compress_min_bytes', 'compress_min_ratio', 'default_swagger_ui', 'inspect', 'prefetch_on_recv'),
        *('proxy', 'quiet_error', 'uvicorn_kwargs'),
    }
    groups = {
        'what to run': ('executors',),
        'how clients reach it': ('protocol', 'host', 'port_expose', 'prefetch'),
        **WebSpec.groups,
        'its processes': ('env', 'workspace', 'timeout_ready'),
        'when an Executor fails': ('on_error_strategy',),
        'what it logs': ('name', 'log_config', 'quiet'),
    }

    def __post_init__(self) -> None:
        if len(self.ports) != len(self.protocols):
            raise BadOption(
                f'Flow: port_expose={self.port_expose} for protocol={self.protocol}: it takes a port for each'
            )

    name: Annotated[str, _help('name of the Flow, for its logs')] = 'Flow'
    protocol: Annotated[
        Protocol | list[Protocol], _help('how clients reach it: grpc, http, websocket, or a list of these')
    ] = 'grpc'
    host: Annotated[str, _help('address to listen at; 0.0.0.0 opens the Flow to the network')] = '127.0.0.1'
    port_expose: Annotated[
        int | list[int], _help('port to listen at, or one for each protocol; 0: the system chooses')
    ] = 0
    workspace: Annotated[str, _help('folder for what its Executors keep, where they name none of their own')] = ''
    env: Annotated[dict[str, str], _help('environment variables of all its processes')] = {}
    prefetch: Annotated[int, _help('requests of one client that may be under way at a time')] = 256
    timeout_ready: Annotated[int, _help('milliseconds that the gateway may take until it is ready; -1: no limit')] = (
        60_000
    )
    on_error_strategy: Annotated[
        OnError, _help('what becomes of a request when an Executor fails, where that Executor says nothing')
    ] = 'THROW_EARLY'
    log_config: Annotated[
        str, _help("YAML file for Python's logging.config.dictConfig, which takes the place of the usual lines")
    ] = ''
    quiet: Annotated[bool, _help('log errors only')] = False
    executors: Annotated[list[ExecutorSpec], _help('its Executors, in the order they were added')] = []

    @property
    def protocols(self) -> list[Protocol]:
        """:attr:`protocol` as a list."""
        return [self.protocol] if isinstance(self.protocol, str) else list(self.protocol)

    @property
    def ports(self) -> list[int]:
        """A port for each of :attr:`protocols`."""
        given = self.port_expose if isinstance(self.port_expose, list) else [self.port_expose]
        if len(given) == 1:
            given = given + [0] * (len(self.protocols) - 1)
        return given

    @property
    def loose(self) -> list[str]:
        """The names of Executors whose output nobody takes yet; those that only look neither count nor take any."""
        passing = [e for e in self.executors if not e.inspect]
        before = ['', *(e.name for e in passing)]
        taken = {name for e, last in zip(passing, before, strict=False) for name in e.needed or [last]}
        return [e.name for e in passing if e.name not in taken]

    def free_name(self, kind: str) -> str:
        """``pod0``, ``pod1``, …: by the position where it will be; ``inspect0``, … by what is free."""
        taken = {e.name for e in self.executors}
        number = len(self.executors) if kind == 'pod' else 0
        while f'{kind}{number}' in taken:
            number += 1
        return f'{kind}{number}'

    def doors(self, ports: list[int]) -> list[DoorSpec]:
        """A door for each of :attr:`protocols`, at these ports."""
        return [DoorSpec(protocol=p, host=self.host, port=n) for p, n in zip(self.protocols, ports, strict=True)]


class NodeSpec(Spec, frozen=True, kw_only=True):
    """One Executor, as the gateway sees it."""

    name: Annotated[str, _help('its name')]
    needs: Annotated[list[str], _help('names of those whose output it takes')] = []
    addresses: Annotated[
        list[str],
        _help('where its replicas listen: unix:/path or tcp:host:port; empty: the gateway will be told'),
    ] = []
    replicas: Annotated[int, _help('how many it has, where the gateway will be told')] = 1
    polling: Annotated[Polling, _help('who of the replicas receives a request: ANY, ALL or ALL_ASYNC')] = 'ANY'
    on_error: Annotated[OnError, _help('what becomes of a request on which it fails')] = 'THROW_EARLY'
    inspect: Annotated[bool, _help('it only looks: nobody waits for it')] = False
    part_of: Annotated[str, _help('the name that target_peapod means it by; default: its own')] = ''


class GatewaySpec(WebSpec, frozen=True, kw_only=True):
    """What ``python -m jina gateway`` needs to know."""

    groups = {
        'what to run': ('nodes',),
        'how clients reach it': ('doors', 'listen', 'prefetch'),
        **WebSpec.groups,
        'what it logs': ('name', 'log_config', 'quiet'),
    }

    name: Annotated[str, _help('name in logs and routes')] = 'gateway'
    listen: Annotated[str, _help('address for clients of this host: unix:/path; empty: none')] = ''
    doors: Annotated[list[DoorSpec], _help('addresses for clients from outside')] = []
    nodes: Annotated[list[NodeSpec], _help('the graph')] = []
    prefetch: Annotated[int, _help('requests of one client that may be under way at a time')] = 256
    log_config: Annotated[
        dict[str, Any], _help('what logging.config.dictConfig takes, in place of the usual lines')
    ] = {}
    quiet: Annotated[bool, _help('log errors only')] = False

    def __post_init__(self) -> None:
        if not self.listen and not self.doors:
            raise BadOption('gateway: it has neither listen nor doors, so nobody could reach it')


class WorkerSpec(Spec, frozen=True, kw_only=True):
    """What ``python -m jina worker`` needs to know."""

    groups = {
        'what to run': ('executor',),
        'how gateways reach it': ('listen', 'replica_id'),
        'what it logs': ('log_config',),
    }

    executor: Annotated[ExecutorSpec, _help('the Executor to serve')]
    listen: Annotated[str, _help('where to listen: unix:/path or tcp:host:port')] = 'tcp:127.0.0.1:0'
    replica_id: Annotated[int, _help('which of the replicas this is, from 0')] = 0
    log_config: Annotated[
        dict[str, Any], _help('what logging.config.dictConfig takes, in place of the usual lines')
    ] = {}
