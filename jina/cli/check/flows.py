"""Check a Flow: its YAML, its graph, its ports, its folders, and all its Executors."""

import os
import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jina.cli.check.executors import check_executor
from jina.cli.check.finding import Finding, fail, ok, warn
from jina.config import read_flow
from jina.excepts import JinaError
from jina.flow import Flow
from jina.graph import Graph
from jina.spec import ExecutorSpec, FlowSpec

CONNECT_SECONDS = 3.0
PORTS = 65536

_VARIABLE = re.compile(r'\$\{?\{?\s*(?:ENV\.)?([A-Za-z_]\w*)')


def check_flow(path: str) -> Iterator[Finding]:
    """Check the Flow of a YAML file."""
    try:
        spec, folder = read_flow(path)
        flow = Flow.load_config(path)
    except (JinaError, OSError) as error:
        yield fail(str(error))
        return
    executors = [flow[i] for i in range(flow.num_pods - 1)]
    yield from _check_graph(path, executors)
    yield from (warn(f'{path}: the variable {name} is not set') for name in _unset(spec.to_dict()))
    yield from _check_ports(spec)
    yield from _check_files(spec, folder)
    for executor in executors:
        yield from _check_member(executor, folder, spec)


def _check_graph(path: str, executors: list[ExecutorSpec]) -> Iterator[Finding]:
    graph = Graph({e.name: e.needed for e in executors})
    yield ok(f'{path}: {" → ".join(graph.order) or "no Executors"}')
    for name in graph.hanging:
        looks = any(e.name == name and e.inspect for e in executors)
        if not looks:
            yield warn(f'nobody takes the output of {name}; an Executor with `needs` of all of them would')


def _unset(value: Any) -> list[str]:
    """The variables in strings of a Flow that were not replaced, for want of a value."""
    if isinstance(value, str):
        return list(dict.fromkeys(_VARIABLE.findall(value)))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return list(dict.fromkeys(name for v in inner for name in _unset(v)))


def _check_ports(spec: FlowSpec) -> Iterator[Finding]:
    for protocol, port in zip(spec.protocols, spec.ports, strict=True):
        yield _check_port(f'{protocol} at {spec.host}:{port or "a free port"}', spec.host, port)


def _check_port(where: str, host: str, port: int) -> Finding:
    if not 0 <= port < PORTS:
        return fail(f'{where}: ports end at {PORTS - 1}')
    try:
        socket.create_server((host, port), family=socket.AF_INET6 if ':' in host else socket.AF_INET).close()
    except OSError as error:
        return fail(f'{where}: {error}')
    return ok(where)


def _check_files(spec: FlowSpec, folder: Path) -> Iterator[Finding]:
    if spec.static and not (folder / spec.static).is_dir():
        yield fail(f'static: there is no folder {folder / spec.static}')
    if spec.log_config and not (folder / spec.log_config).is_file():
        yield fail(f'log_config: there is no file {folder / spec.log_config}')
    for workspace in dict.fromkeys([spec.workspace, *(e.workspace for e in spec.executors)]):
        if workspace and not _writable(Path(workspace).expanduser()):
            yield fail(f'workspace: {workspace} cannot be written')


def _writable(folder: Path) -> bool:
    """Whether it is, or can be made, a folder to write in."""
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def _check_member(executor: ExecutorSpec, folder: Path, spec: FlowSpec) -> Iterator[Finding]:
    if executor.external:
        yield _check_external(executor)
        return
    env = {**spec.env, **executor.env}
    yield from check_executor(executor, executor.name, folder, env)
    for option in ('uses_before', 'uses_after'):
        if uses := getattr(executor, option):
            beside = ExecutorSpec(uses=uses, py_modules=executor.py_modules)
            yield from check_executor(beside, f'{executor.name}, {option}', folder, env)


def _check_external(executor: ExecutorSpec) -> Finding:
    where = executor.host.removeprefix('tcp:')
    try:
        with _connect(where):
            return ok(f'{executor.name}: something listens at {where}')
    except (OSError, ValueError) as error:
        return fail(f'{executor.name}: nothing listens at {where}: {error}')


def _connect(where: str) -> socket.socket:
    if where.startswith('unix:'):
        return _connect_unix(where.removeprefix('unix:'))
    host, _, port = where.rpartition(':')
    return socket.create_connection((host, int(port)), CONNECT_SECONDS)


def _connect_unix(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection
