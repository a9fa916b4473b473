"""Every option of the system, stated once: its type, its default and one line of help.

A spec is frozen and validated when it is made. It is the only configuration that travels between processes, and the
command line is generated from it.
"""

import difflib
import re
import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from jina.excepts import BadOption

S = TypeVar('S', bound='Spec')


def _help(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What all specs have in common."""

    def to_dict(self) -> dict[str, Any]:
        """The options that differ from their defaults, as plain types, and bytes.

        :raises BadOption: naming an option that holds something else, which could not travel.
        """
        try:
            return msgspec.to_builtins(self, builtin_types=(bytes,))  # type: ignore[no-any-return]
        except TypeError:
            raise BadOption(f'{type(self).__name__}: {self._unsendable()}') from None

    def _unsendable(self) -> str:
        for name in self.__struct_fields__:
            try:
                msgspec.to_builtins(getattr(self, name), builtin_types=(bytes,))
            except BadOption as error:
                return str(error)
            except TypeError as error:
                return f'{name}={getattr(self, name)!r} cannot be sent to another process: {error}'
        return 'it cannot be sent to another process'

    @classmethod
    def from_dict(cls: type[S], options: Mapping[str, Any], who: str = '', strict: bool = True) -> S:
        """Check the options and make the spec of them.

        :param who: whose options these are, for the message of an error.
        :param strict: ``False`` reads numbers and booleans from text, as the command line has them.
        :raises BadOption: for an option that does not exist, with the nearest name, or a value of the wrong type.
        """
        who = who or cls.__name__
        known = cls.__struct_fields__
        for name in options:
            if name not in known:
                raise BadOption(f'{who} has no option {name!r}{did_you_mean(name, known)}')
        try:
            return msgspec.convert(dict(options), cls, strict=strict)
        except msgspec.ValidationError as error:
            raise BadOption(_explain(cls, who, options, str(error))) from None


def did_you_mean(name: object, known: Any) -> str:
    """The end of a sentence: the nearest of the known names, or all of them."""
    names = sorted(str(k) for k in known)
    near = difflib.get_close_matches(str(name), names, n=1, cutoff=0.6)
    return f': did you mean {near[0]!r}?' if near else f'; it has: {", ".join(names)}'


def _explain(spec: type[Spec], who: str, options: Mapping[str, Any], message: str) -> str:
    """'Expected `int`, got `str` - at `$.port`' → a sentence about the option."""
    found = re.fullmatch(r'(?P<what>.*) - at `\$\.(?P<option>\w+)(?P<rest>.*)`', message)
    if not found:
        return f'{who}: {message}'
    option, what = found['option'], found['what'].replace('`', '').replace('array', 'list').replace('object', 'dict')
    if what.startswith('Invalid enum value'):
        what = f'it takes one of: {", ".join(_literals(typing.get_type_hints(spec)[option]))}'
    return f'{who}: option {option}={options.get(option)!r}: {what}'


def _literals(kind: Any) -> Iterator[str]:
    """The strings that a type admits."""
    for member in typing.get_args(kind):
        if isinstance(member, str):
            yield member
        elif typing.get_origin(kind) is not list:
            yield from _literals(member)


Protocol = Literal['grpc', 'http']


class ExecutorSpec(Spec, frozen=True, kw_only=True):
    """The options of ``Flow.add``."""

    name: Annotated[str, _help('name of the Executor in the Flow; default: pod0, pod1, …')] = ''
    uses: Annotated[
        str | dict[str, Any],
        _help('what to run: an Executor class, its name, a YAML file, inline YAML or a dict'),
    ] = 'BaseExecutor'
    needs: Annotated[
        str | list[str] | None,
        _help('names of the Executors whose output it takes, or "gateway"; default: the one added before'),
    ] = None
    uses_with: Annotated[dict[str, Any], _help('arguments of its __init__; they go before those of the YAML')] = {}
    uses_metas: Annotated[dict[str, Any], _help('metas (name, workspace, …); they go before those of the YAML')] = {}
    uses_requests: Annotated[
        dict[str, str], _help('endpoint: method name; they go before those of the class and the YAML')
    ] = {}
    py_modules: Annotated[str | list[str], _help('Python files or modules to import, which define the class')] = []
    workspace: Annotated[str, _help('folder for what the Executor keeps; its own is workspace/name/replica')] = ''
    env: Annotated[dict[str, str], _help('environment variables of its process')] = {}
    runtime_backend: Annotated[
        Literal['PROCESS', 'THREAD'], _help('run in a process of its own, or in a thread of the calling one')
    ] = 'PROCESS'
    timeout_ready: Annotated[int, _help('milliseconds that it may take until it is ready; -1: no limit')] = 600_000
    quiet: Annotated[bool, _help('log errors only')] = False

    @property
    def needed(self) -> list[str]:
        """:attr:`needs` as a list."""
        return [self.needs] if isinstance(self.needs, str) else list(self.needs or ())

    @property
    def modules(self) -> list[str]:
        """:attr:`py_modules` as a list."""
        return [self.py_modules] if isinstance(self.py_modules, str) else list(self.py_modules)


class FlowSpec(Spec, frozen=True, kw_only=True):
    """The options of ``Flow``.

    :raises BadOption: if there is not one port for each protocol.
    """

    def __post_init__(self) -> None:
        if len(self.ports) != len(self.protocols):
            raise BadOption(
                f'Flow: port_expose={self.port_expose} for protocol={self.protocol}: it takes a port for each'
            )

    name: Annotated[str, _help('name of the Flow, for its logs')] = 'Flow'
    protocol: Annotated[Protocol | list[Protocol], _help('how clients reach it: grpc, http, or a list of both')] = (
        'grpc'
    )
    host: Annotated[str, _help('address to listen at; 0.0.0.0 opens the Flow to the network')] = '127.0.0.1'
    port_expose: Annotated[
        int | list[int], _help('port to listen at, or one for each protocol; 0: the system chooses')
    ] = 0
    workspace: Annotated[str, _help('folder for what its Executors keep, where they name none of their own')] = ''
    env: Annotated[dict[str, str], _help('environment variables of all its processes')] = {}
    static: Annotated[str, _help('folder of files that the http gateway serves at /')] = ''
    prefetch: Annotated[int, _help('requests of one client that may be under way at a time')] = 256
    timeout_ready: Annotated[int, _help('milliseconds that the gateway may take until it is ready; -1: no limit')] = (
        60_000
    )
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


class DoorSpec(Spec, frozen=True, kw_only=True):
    """One address where a gateway is reached from outside."""

    protocol: Annotated[Protocol, _help('grpc or http')]
    host: Annotated[str, _help('address to listen at')] = '127.0.0.1'
    port: Annotated[int, _help('port to listen at; 0: the system chooses')] = 0


class NodeSpec(Spec, frozen=True, kw_only=True):
    """One Executor, as the gateway sees it."""

    name: Annotated[str, _help('its name')]
    needs: Annotated[list[str], _help('names of those whose output it takes')] = []
    addresses: Annotated[list[str], _help('where its replicas listen: unix:/path or tcp:host:port')] = []


class GatewaySpec(Spec, frozen=True, kw_only=True):
    """What ``python -m jina gateway`` needs to know."""

    name: Annotated[str, _help('name in logs and routes')] = 'gateway'
    listen: Annotated[str, _help('address for clients of this host: unix:/path; empty: none')] = ''
    doors: Annotated[list[DoorSpec], _help('addresses for clients from outside')] = []
    nodes: Annotated[list[NodeSpec], _help('the graph')] = []
    static: Annotated[str, _help('folder of files that the http door serves at /')] = ''
    prefetch: Annotated[int, _help('requests of one client that may be under way at a time')] = 256
    quiet: Annotated[bool, _help('log errors only')] = False

    def __post_init__(self) -> None:
        if not self.listen and not self.doors:
            raise BadOption('gateway: it has neither listen nor doors, so nobody could reach it')


class WorkerSpec(Spec, frozen=True, kw_only=True):
    """What ``python -m jina worker`` needs to know."""

    executor: Annotated[ExecutorSpec, _help('the Executor to serve')]
    listen: Annotated[str, _help('where to listen: unix:/path or tcp:host:port')] = 'tcp:127.0.0.1:0'
    replica_id: Annotated[int, _help('which of the replicas this is, from 0')] = 0
