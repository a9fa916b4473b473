"""A small HTTP load generator: several keep-alive connections, each sending its next request when it has its answer.

It stops after a number of requests, or after a time: ``http_load.py PORT PATH BODY CONNECTIONS 20000`` prints requests
a second, ``… 3s`` a report as JSON.
"""

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


class _Connection(asyncio.Protocol):
    """One client.

    :param more: whether to send one more.
    :param taken: the seconds of each request; what this one took is appended.
    """

    def __init__(
        self, request: bytes, more: Callable[[], bool], taken: list[float], done: 'asyncio.Future[None]'
    ) -> None:
        self._request = request
        self._more = more
        self._taken = taken
        self._done = done
        self._received = b''

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._start = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b'\r\n\r\n')
        if not found or len(body) < _content_length(head):
            return
        if not head.startswith(b'HTTP/1.1 200'):
            self._done.set_exception(RuntimeError(self._received.decode()))
            return
        self._received = b''
        self._taken.append(time.perf_counter() - self._start)
        if self._more():
            self._send()
        elif not self._done.done():
            self._done.set_result(None)


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b'content-length:')
    return int(rest.partition(b'\r\n')[0])


async def _load(
    port: int, path: str, body: bytes, connections: int, more: Callable[[list[float]], bool]
) -> tuple[list[float], float]:
    request = (
        f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
        f'Content-Length: {len(body)}\r\n\r\n'
    ).encode() + body
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    taken: list[float] = []
    start = time.perf_counter()
    transports = [
        (
            await loop.create_connection(
                lambda: _Connection(request, lambda: more(taken), taken, done), '127.0.0.1', port
            )
        )[0]
        for _ in range(connections)
    ]
    await done
    seconds = time.perf_counter() - start
    for transport in transports:
        transport.close()
    return taken, seconds


def _run(
    port: int, path: str, body: bytes, connections: int, more: Callable[[list[float]], bool]
) -> tuple[list[float], float]:
    from jina.transport.loop import new_loop

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_load(port, path, body, connections, more))


def requests_per_second(port: int, path: str, body: bytes, connections: int, requests: int) -> float:
    """Send so many requests over so many connections.

    :return: requests answered a second.
    :raises RuntimeError: if an answer is not 200.
    """
    taken, seconds = _run(port, path, body, connections, lambda taken: len(taken) < requests)
    return len(taken) / seconds


def report(port: int, path: str, body: bytes, connections: int, duration: float) -> dict[str, float]:
    """Send requests over so many connections for so many seconds.

    :return: requests, seconds, errors (none), and how long an answer took in seconds: p50 and p99.
    :raises RuntimeError: if an answer is not 200.
    """
    end = time.perf_counter() + duration
    taken, seconds = _run(port, path, body, connections, lambda _: time.perf_counter() < end)
    hundredths = statistics.quantiles(taken, n=100)
    return {'requests': len(taken), 'seconds': seconds, 'p50': hundredths[49], 'p99': hundredths[98], 'errors': 0}


if __name__ == '__main__':  # a process of its own: the load must not share an interpreter with what it measures
    port, path, body, connections, limit = sys.argv[1:]
    if limit.endswith('s'):
        print(json.dumps(report(int(port), path, body.encode(), int(connections), float(limit[:-1]))))
    else:
        print(requests_per_second(int(port), path, body.encode(), int(connections), int(limit)))
