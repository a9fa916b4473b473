"""The commands of ``jina``."""

import argparse
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

import jina
from jina.cli.options import add_options, given
from jina.config import parse_yaml, read_mapping, resolve
from jina.excepts import JinaError, RemoteError
from jina.spec import ExecutorSpec, FlowSpec, GatewaySpec, Spec, WorkerSpec

Command = Callable[[argparse.Namespace], int]


def run(argv: Sequence[str]) -> int:
    """Run a command.

    :return: the exit code: 0, 1 for an error, 2 for arguments that make no sense, 130 when interrupted.
    """
    parser = _parser()
    arguments, rest = parser.parse_known_args(argv)
    if len(rest) == 1 and not rest[0].startswith('-') and getattr(arguments, 'query', '') is None:
        arguments.query = rest.pop()  # argparse does not find an optional argument that comes after an option
    if rest:
        parser.error(f'unrecognized arguments: {" ".join(rest)}')
    if arguments.command is None:
        parser.print_help()
        return 0
    command: Command = arguments.command
    try:
        return command(arguments)
    except KeyboardInterrupt:
        return 130
    except JinaError as error:
        if os.environ.get('JINA_LOG_LEVEL', '').upper() == 'DEBUG':
            raise
        print(f'jina: {error}', file=sys.stderr)
        print(_stack_of_user_code(error), end='', file=sys.stderr)
        return 1


def _stack_of_user_code(error: JinaError) -> str:
    """The traceback of a child that did not start, if it leads to code that is not ours."""
    told = error.__cause__ and error.__cause__.__cause__
    stack = told.stack if isinstance(told, RemoteError) else ''
    ours = (os.path.dirname(jina.__file__), os.path.dirname(os.__file__), '<frozen')
    files = re.findall(r'File "([^"]+)"', stack)
    return f'\n{stack}' if any(not file.startswith(ours) for file in files) else ''


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser('jina', description='Serve Python models: Document, Executor, Flow.')
    parser.add_argument('-v', '--version', action='version', version=jina.__version__)
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND')
    _add_hello(commands)
    flow = _add(commands, 'flow', 'serve a Flow', _flow)
    flow.add_argument('--uses', metavar='YAML', help='the YAML file of the Flow')
    add_options(flow, FlowSpec)
    executor = _add(
        commands, 'executor', 'serve one Executor to gateways; its options are those of Flow.add()', _executor
    )
    add_options(executor, ExecutorSpec)
    add_options(executor, WorkerSpec, leave_out=('executor',))
    for name, text, spec in (
        ('gateway', 'serve a graph of Executors that run elsewhere', GatewaySpec),
        ('worker', 'serve one Executor, from a spec', WorkerSpec),
    ):
        command = _add(commands, name, text, _from_spec(name, spec))
        command.add_argument('--spec', metavar='YAML', help='a YAML or JSON file with the options below')
        add_options(command, spec)
    _add_client(commands)
    _add_ping(commands)
    return parser


def _add(commands: Any, name: str, text: str, command: Command) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + '.')
    parser.set_defaults(command=command)
    return parser


def _add_hello(commands: Any) -> None:
    hello = _add(commands, 'hello', 'run a demo', _hello)
    hello.add_argument(
        'demo', choices=['search'], help='search: semantic search over the documentation of Python itself'
    )
    hello.add_argument('query', nargs='?', help='what to search for; default: some samples')
    hello.add_argument('--serve', action='store_true', help='keep it open, with a search page')
    hello.add_argument('--port', type=int, help='port of the search page')
    hello.add_argument('--workspace', help='folder for its index')


def _add_client(commands: Any) -> None:
    client = _add(commands, 'client', 'send Documents to a Flow and print the answers as JSON', _client)
    client.add_argument('--host', default='localhost', help='where the Flow runs (default: localhost)')
    client.add_argument('--port', '--port-expose', type=int, required=True, help='its port')
    client.add_argument('--protocol', default='grpc', help='its protocol (default: grpc)')
    client.add_argument('--on', default='/', help='endpoint (default: /)')
    client.add_argument('--text', action='append', default=[], help='text of a Document; may be given several times')
    client.add_argument('--json', metavar='FILE', help='file of Documents, one a line; -: standard input')
    client.add_argument('--parameters', default='{}', metavar='YAML', help='parameters for the Executors')
    client.add_argument('--request-size', type=int, default=100, help='Documents a request (default: 100)')


def _add_ping(commands: Any) -> None:
    ping = _add(commands, 'ping', 'see whether a Flow answers, and how fast', _ping)
    ping.add_argument('host', help='where the Flow runs')
    ping.add_argument('port', type=int, help='its port')
    ping.add_argument('--protocol', default='grpc', help='its protocol (default: grpc)')
    ping.add_argument('--retries', type=int, default=3, help='how often to ask (default: 3)')


def _hello(arguments: argparse.Namespace) -> int:
    from jina.hello.search import main

    return main(arguments.query, arguments.serve, arguments.port, arguments.workspace)


def _flow(arguments: argparse.Namespace) -> int:
    from jina import Flow

    options = given(arguments, FlowSpec)
    executors = options.pop('executors', [])
    flow = Flow.load_config(arguments.uses, **options) if arguments.uses else Flow(**options)
    for executor in executors:
        flow.add(**executor)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with flow:
            flow.block()
    except KeyboardInterrupt:  # it came before block() was there to take it; it is how a server ends
        pass
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _executor(arguments: argparse.Namespace) -> int:
    options = {'name': 'executor', **given(arguments, ExecutorSpec)}
    executor = resolve(ExecutorSpec.from_dict(options, 'jina executor'))
    worker = given(arguments, WorkerSpec)
    return _serve('worker', WorkerSpec.from_dict({**worker, 'executor': executor.to_dict()}, 'jina executor'))


def _from_spec(kind: str, spec: type[Spec]) -> Command:
    def command(arguments: argparse.Namespace) -> int:
        options = read_mapping(arguments.spec) if arguments.spec else {}
        return _serve(kind, spec.from_dict({**options, **given(arguments, spec)}, f'jina {kind}'))

    return command


def _serve(kind: str, spec: Spec) -> int:
    """Serve until interrupted."""
    import math

    from jina.control import Start
    from jina.launch import launcher, stop_all, wait_ready
    from jina.logging.logger import SUCCESS, configure

    log = configure(kind)
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


def _client(arguments: argparse.Namespace) -> int:
    from jina import Client

    parameters = parse_yaml(arguments.parameters, '--parameters')
    failed: list[Any] = []
    with Client(arguments.host, arguments.port, arguments.protocol) as client:
        client.post(
            arguments.on, lambda: _documents(arguments), on_error=failed.append, on_always=lambda r: print(r.json()),
            parameters=parameters, request_size=arguments.request_size,
        )  # fmt: skip
    for response in failed:
        print(f'jina: {response.status.description}', file=sys.stderr)
    return 1 if failed else 0


def _documents(arguments: argparse.Namespace) -> Any:
    from jina import Document

    yield from (Document(text=text) for text in arguments.text)
    if arguments.json:
        with open(0 if arguments.json == '-' else arguments.json) as lines:
            yield from (Document(line) for line in lines if line.strip())


def _ping(arguments: argparse.Namespace) -> int:
    from jina import Client
    from jina.logging.profile import TimeContext

    with Client(arguments.host, arguments.port, arguments.protocol) as client:
        for _ in range(arguments.retries):
            with TimeContext() as timer:
                client.post('/', target_peapod='^$')  # for no Executor: it only goes there and back
            print(f'{arguments.protocol}://{arguments.host}:{arguments.port} answers in {timer.duration * 1000:.1f} ms')
    return 0
