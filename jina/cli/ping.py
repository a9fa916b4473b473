"""``jina ping``: see whether a Flow answers."""

import argparse
import sys
import time
from typing import Any

from jina.cli.address import add_protocol, address, connect
from jina.cli.parser import add_command
from jina.excepts import ServerUnreachable

PAUSE_SECONDS = 1.0


def add_to(commands: Any) -> None:
    """Add the command."""
    ping = add_command(commands, 'ping', 'see whether a Flow answers, and how fast', _ping, late='port')
    ping.add_argument('host', metavar='HOST', help='where the Flow runs, or grpc://name:port')
    ping.add_argument('port', metavar='PORT', type=int, nargs='?', help='its port')
    add_protocol(ping)
    ping.add_argument('--retries', type=int, default=3, metavar='NUMBER', help='how often to ask (default: 3)')
    ping.add_argument(
        '--timeout', type=float, default=3.0, metavar='SECONDS', help='how long to wait for an answer (default: 3)'
    )


def _ping(arguments: argparse.Namespace) -> int:
    asked, answered = max(arguments.retries, 1), 0
    client = connect(arguments, asyncio=True)
    for left in reversed(range(asked)):
        try:
            print(f'{address(client)} answers in {_ask(client, arguments.timeout) * 1000:.1f} ms', flush=True)
            answered += 1
        except ServerUnreachable as error:
            if not left and not answered:
                raise
            print(error, file=sys.stderr)
            time.sleep(PAUSE_SECONDS if left else 0)
    return 0


def _ask(client: Any, timeout: float) -> float:
    """Connect, and send a request that no Executor works on: it only goes there and back.

    :return: how long that took, in seconds.
    :raises ServerUnreachable: if no answer arrives in time.
    """

    import asyncio

    async def ask() -> float:
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(timeout) as limit:
                async for _ in client.post('/', target_peapod='^$'):
                    pass
        except (ServerUnreachable, TimeoutError) as error:
            if limit.expired():  # the client may tell of it as a connection that was lost
                raise ServerUnreachable(f'nothing answers at {address(client)} within {timeout:g} s') from error
            raise
        return time.perf_counter() - begin

    return asyncio.run(ask())
