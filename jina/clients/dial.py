"""Connect to a server over TCP, or TLS. No proxy comes between, whatever the environment says."""

import asyncio
import os
import re
import ssl
from collections.abc import Callable
from typing import TypeVar

from jina.clients.address import Address
from jina.excepts import ServerUnreachable

DIAL_SECONDS = 10.0

P = TypeVar('P', bound=asyncio.Protocol)


async def dial(address: Address, protocol: Callable[[], P], timeout: float = DIAL_SECONDS) -> P:
    """Connect, and return the protocol of the connection.

    :raises ServerUnreachable: if nothing answers: at once when it refuses, else after ``timeout`` seconds.
    """
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if address.tls else None
    try:
        async with asyncio.timeout(timeout):
            _, connected = await loop.create_connection(protocol, address.host, address.port, ssl=context)
    except (OSError, UnicodeError) as error:  # TimeoutError is one of the first, the second is a name that is none
        raise unreachable(address, _told(error) or f'no answer in {timeout:g} s') from error
    return connected


def _told(error: Exception) -> str:
    """What asyncio says when it cannot connect, with the system's words in place of its own."""
    return re.sub(r'\[Errno (\d+)\] Connect call failed', lambda found: os.strerror(int(found[1])), str(error))


def unreachable(address: Address, why: str) -> ServerUnreachable:
    """The error to raise when there is no connection to a server."""
    return ServerUnreachable(f'nothing answers at {address}: {why}')
