"""A small HTTP load generator: several keep-alive connections, each sending its next request when it has its answer."""

import asyncio
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))


class _Connection(asyncio.Protocol):
    """One client."""

    def __init__(self, request: bytes, total: list[int], done: 'asyncio.Future[None]') -> None:
        self._request = request
        self._total = total
        self._done = done
        self._received = b''

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b'\r\n\r\n')
        if not found or len(body) < _content_length(head):
            return
        if not head.startswith(b'HTTP/1.1 200'):
            self._done.set_exception(RuntimeError(self._received.decode()))
            return
        self._received = b''
        self._total[0] -= 1
        if self._total[0] > 0:
            self._transport.write(self._request)
        elif not self._done.done():
            self._done.set_result(None)


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b'content-length:')
    return int(rest.partition(b'\r\n')[0])


async def _load(port: int, path: str, body: bytes, connections: int, requests: int) -> float:
    request = (
        f'POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n'
        f'Content-Length: {len(body)}\r\n\r\n'
    ).encode() + body
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    total = [requests]
    start = time.perf_counter()
    transports = [
        (await loop.create_connection(lambda: _Connection(request, total, done), '127.0.0.1', port))[0]
        for _ in range(connections)
    ]
    await done
    seconds = time.perf_counter() - start
    for transport in transports:
        transport.close()
    return requests / seconds


def requests_per_second(port: int, path: str, body: bytes, connections: int, requests: int) -> float:
    """Send so many requests over so many connections.

    :return: requests answered a second.
    :raises RuntimeError: if an answer is not 200.
    """
    from jina.transport.loop import new_loop

    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(_load(port, path, body, connections, requests))


if __name__ == '__main__':  # a process of its own: the load must not share an interpreter with what it measures
    port, path, body, connections, requests = sys.argv[1:]
    print(requests_per_second(int(port), path, body.encode(), int(connections), int(requests)))
