"""``jina client``: send Documents and print the answers."""

import argparse
import sys
from collections.abc import Iterator
from typing import Any

from jina.cli.address import add_protocol, connect
from jina.cli.parser import add_command, shorten_usage
from jina.config import parse_yaml
from jina.excepts import BadClientCallback, BadClientInput


def add_to(commands: Any) -> None:
    """Add the command."""
    client = add_command(
        commands, 'client', 'send Documents to a Flow and print the answers as JSON, one a line', _client
    )
    shorten_usage(client)
    where = client.add_argument_group('where the Flow is')
    where.add_argument('--host', default='localhost', help='its host, or grpc://name:port (default: localhost)')
    where.add_argument('--port', '--port-expose', type=int, help='its port')
    add_protocol(where)
    what = client.add_argument_group('what to send')
    what.add_argument('--on', default='/', metavar='ENDPOINT', help='endpoint (default: /)')
    what.add_argument('--text', action='append', default=[], help='text of a Document; may be given several times')
    what.add_argument('--json', metavar='FILE', help='file of Documents as JSON, one a line; -: standard input')
    what.add_argument(
        '--files',
        action='append',
        default=[],
        metavar='GLOB',
        help='files, a Document each, sent whole; ** is any folder',
    )
    what.add_argument('--parameters', default='{}', metavar='YAML', help='parameters for the Executors')
    how = client.add_argument_group('how to send it')
    how.add_argument(
        '--request-size', type=int, default=100, metavar='NUMBER', help='Documents a request (default: 100)'
    )
    how.add_argument('--target-peapod', default='', metavar='REGEX', help='only Executors with such names work on it')


def _client(arguments: argparse.Namespace) -> int:
    parameters = parse_yaml(arguments.parameters, '--parameters')
    printer = Printer()
    with connect(arguments) as client:
        try:
            client.post(
                arguments.on, lambda: _documents(arguments), on_error=printer.complain, on_always=printer.show,
                parameters=parameters, request_size=arguments.request_size, target_peapod=arguments.target_peapod,
            )  # fmt: skip
        except BadClientCallback as error:
            raise error.__cause__ or error from None  # the callbacks only print
    return 1 if printer.failures else 0


class Printer:
    """Prints responses, and what went wrong.

    :ivar failures: how many of the responses were errors.
    """

    def __init__(self) -> None:
        self.failures = 0

    def complain(self, response: Any) -> None:
        self.failures += 1
        print(f'jina: {response.status.description}', file=sys.stderr)

    def show(self, response: Any) -> None:
        print(response.json(), flush=True)


def _documents(arguments: argparse.Namespace) -> Iterator[Any]:
    from jina import Document
    from jina.types.document.generators import from_files

    yield from (Document(text=text) for text in arguments.text)
    if arguments.json:
        yield from (Document(line) for line in _lines(arguments.json))
    for pattern in arguments.files:
        yield from _some(from_files(pattern, read_mode='rb'), pattern)


def _lines(file: str) -> Iterator[str]:
    try:
        with open(0 if file == '-' else file) as lines:
            yield from (line for line in lines if line.strip())
    except OSError as error:
        raise BadClientInput(f'--json {file}: {error.strerror}') from error


def _some(documents: Iterator[Any], pattern: str) -> Iterator[Any]:
    """The documents, of which there must be some."""
    number = -1
    for number, document in enumerate(documents):  # noqa: B007
        yield document
    if number < 0:
        raise BadClientInput(f'--files {pattern}: there are none')
