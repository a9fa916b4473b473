"""Runs what a test of a worker does, on a loop that the Executor's thread may borrow, or on one that it may not."""

import asyncio

from jina.transport.lending import LoopHost

lends = False
host = None


def run(coroutine):
    """What it returns. Meanwhile :data:`host` is who lends the loop, or ``None``."""
    global host
    if not lends:
        return asyncio.run(coroutine)
    host = LoopHost()
    try:
        return host.run(coroutine)
    finally:
        host = None
