"""``jina hello``: the demos."""

import argparse
from typing import Any

from jina.cli.parser import add_command


def add_to(commands: Any) -> None:
    """Add the command."""
    hello = add_command(commands, 'hello', 'run a demo', _hello, late='query')
    hello.add_argument(
        'demo', choices=['search'], help='search: semantic search over the documentation of Python itself'
    )
    hello.add_argument('query', nargs='?', help='what to search for; default: some samples')
    hello.add_argument('--serve', action='store_true', help='keep it open, with a search page')
    hello.add_argument('--port', type=int, help='port of the search page')
    hello.add_argument('--workspace', help='folder for its index')


def _hello(arguments: argparse.Namespace) -> int:
    from jina.hello.search import main

    return main(arguments.query, arguments.serve, arguments.port, arguments.workspace)
