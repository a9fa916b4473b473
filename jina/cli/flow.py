"""``jina flow``: serve a Flow until interrupted."""

import argparse
import signal
from typing import Any

from jina.cli.options import add_options, given
from jina.cli.parser import add_command, shorten_usage
from jina.spec import FlowSpec


def add_to(commands: Any) -> None:
    """Add the command."""
    flow = add_command(commands, 'flow', 'serve a Flow', _flow, late='file')
    shorten_usage(flow, '[FILE]')
    flow.add_argument(
        'file', nargs='?', metavar='FILE', help='the YAML file of the Flow; options go before what it says'
    )
    flow.add_argument('--uses', metavar='FILE', help='likewise')
    add_options(flow, FlowSpec)


def _flow(arguments: argparse.Namespace) -> int:
    from jina.flow import Flow

    if arguments.uses and arguments.file:
        arguments.parser.error(f'two Flows: {arguments.file} and --uses {arguments.uses}')
    options = given(arguments, FlowSpec)
    executors = options.pop('executors', [])
    source = arguments.uses or arguments.file
    flow = Flow.load_config(source, **options) if source else Flow(**options)
    for executor in executors:
        flow.add(**executor)
    return _serve(flow)


def _serve(flow: Any) -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        with flow:
            flow.block()
    except KeyboardInterrupt:  # it came before block() was there to take it; it is how a server ends
        pass
    return 0


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once is enough, and the end must not be cut short
    raise KeyboardInterrupt
