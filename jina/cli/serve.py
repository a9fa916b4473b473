"""``jina executor``, ``jina gateway`` and ``jina worker``: a part of a Flow, started on its own."""

import argparse
import math
import os
import signal
import threading
from typing import Any

from jina.cli.options import add_options, given
from jina.cli.parser import Command, add_command, shorten_usage
from jina.config import read_mapping, resolve
from jina.spec import ExecutorSpec, GatewaySpec, Spec, WorkerSpec

FOR_A_FLOW = (
    *('needs', 'inspect', 'external', 'host', 'replicas', 'polling', 'uses_before', 'uses_after'),
    *('runtime_backend', 'timeout_ready', 'on_error_strategy', 'restarts'),
)


def add_to(commands: Any) -> None:
    """Add the commands."""
    executor = add_command(
        commands, 'executor', 'serve one Executor to gateways; its options are those of Flow.add()', _executor
    )
    shorten_usage(executor)
    add_options(executor, ExecutorSpec, WorkerSpec, leave_out=('executor',), idle=FOR_A_FLOW)
    for name, text, spec in (
        ('gateway', 'serve a graph of Executors that run elsewhere', GatewaySpec),
        ('worker', 'serve one Executor, from a spec', WorkerSpec),
    ):
        parser = add_command(commands, name, text, _from_spec(name, spec))
        shorten_usage(parser)
        parser.add_argument('--spec', metavar='FILE', help='a YAML or JSON file with the options below')
        add_options(parser, spec)


def _executor(arguments: argparse.Namespace) -> int:
    options = given(arguments, ExecutorSpec)
    spec = ExecutorSpec.from_dict({'name': 'executor', **options}, 'jina executor')
    os.environ.update(spec.env)  # this is its process
    workspace = os.path.abspath(os.path.expanduser(spec.workspace or '.'))
    executor = {**resolve(spec).to_dict(), 'workspace': workspace}
    worker = WorkerSpec.from_dict({**given(arguments, WorkerSpec), 'executor': executor}, 'jina executor')
    return _serve('worker', worker, spec.quiet, idle=[name for name in FOR_A_FLOW if name in options])


def _from_spec(kind: str, spec: type[Spec]) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        options = read_mapping(arguments.spec) if arguments.spec else {}
        read = spec.from_dict({**options, **given(arguments, spec)}, f'jina {kind}')
        told = read.executor if isinstance(read, WorkerSpec) else read
        return _serve(kind, read, getattr(told, 'quiet', False))

    return command


def _serve(kind: str, spec: Spec, quiet: bool, idle: list[str] | None = None) -> int:
    """Serve until interrupted."""
    from jina.control import Start
    from jina.launch import launcher, stop_all, wait_ready
    from jina.logging.logger import SUCCESS, configure

    log = configure(kind, quiet)
    for name in idle or ():
        log.warning('%s changes nothing here: it is for the Flow that the Executor is part of', name)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    handle = launcher('THREAD')(kind, kind, Start(spec.to_dict()), None, {})
    try:
        wait_ready([handle], {kind: math.inf})
        assert handle.ready is not None
        log.log(SUCCESS, 'ready: %s', ' '.join([handle.ready.address, *map(str, handle.ready.ports)]).strip())
        while not ended.wait(0.2) and handle.alive():
            pass
    finally:
        stop_all([handle])
    return 0
