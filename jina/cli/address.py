"""Where a Flow is to be found, as arguments."""

import argparse
from typing import Any

PROTOCOLS = ('grpc', 'http', 'websocket')


def add_protocol(parser: Any) -> None:
    """Give a parser, or a group of one, the option ``--protocol``."""
    action = parser.add_argument(
        '--protocol', default='grpc', metavar='|'.join(PROTOCOLS), help='its protocol (default: grpc)'
    )
    action.words = PROTOCOLS


def connect(arguments: argparse.Namespace, asyncio: bool = False) -> Any:
    """The Client of the server that the arguments name; ends the program if they do not say its port."""
    if not arguments.port and ':' not in arguments.host:
        arguments.parser.error(f'the port of {arguments.host} is missing; grpc://name:port says it all at once')
    from jina.clients import Client

    return Client(arguments.host, arguments.port, arguments.protocol, asyncio=asyncio)


def address(client: Any) -> str:
    """Where a client sends to, as a URL."""
    return f'{client.protocol}://{client.host}:{client.port_expose}'
