"""Connections to WebSocket servers: frames where the other end is of this package, else the public contract."""

import asyncio

from jina.clients.address import Address
from jina.clients.call import CallLink
from jina.clients.dial import DIAL_SECONDS
from jina.clients.frames import open_frames
from jina.clients.link import Link
from jina.clients.stream import Ended, Received
from jina.clients.ws1 import WebSocketConnection, open_websocket_connection
from jina.excepts import ServerUnreachable
from jina.wire.batches import SUBPROTOCOL

END = b'\0'


class WebSocketStream:
    """One connection; see :class:`~jina.clients.stream.Stream`.

    :param connection: one that is open; without it, one is opened, and what is sent waits for it.
    """

    replaceable = True

    def __init__(
        self, address: Address, received: Received, ended: Ended, connection: WebSocketConnection | None = None
    ) -> None:
        self._address = address
        self._received, self._ended = received, ended
        self._connection: WebSocketConnection | None = None
        self._unsent: list[bytes] = []
        self._opening: asyncio.Task[None] | None = None
        if connection is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())
        else:
            self._use(connection)

    @property
    def usable(self) -> bool:
        """Whether messages can be sent, now or when there is a connection."""
        return self._connection is None or self._connection.usable

    def send(self, message: bytes) -> None:
        """Send a message, as soon as there is a connection."""
        if self._connection is None:
            self._unsent.append(message)
        elif self._connection.usable:
            self._connection.send(message)

    def finish(self) -> None:
        """Tell the server that no more will be sent."""
        self.send(END)

    def close(self) -> None:
        """Close the connection."""
        if self._opening is not None:
            self._opening.cancel()
        if self._connection is not None:
            self._connection.close()

    async def closed(self) -> None:
        """Wait for the attempt to connect to end."""
        if self._opening is not None:
            await asyncio.gather(self._opening, return_exceptions=True)

    async def _open(self) -> None:
        try:
            connection = await open_websocket_connection(self._address)
        except ServerUnreachable as error:
            self._ended(self, str(error))
        else:
            self._use(connection)

    def _use(self, connection: WebSocketConnection) -> None:
        self._connection = connection
        connection.listen(self._received, self._lost)
        unsent, self._unsent = self._unsent, []
        for message in unsent:
            self.send(message)

    def _lost(self, reason: str) -> None:
        self._ended(self, reason)


async def open_websocket(address: Address, timeout: float = DIAL_SECONDS) -> Link:
    """Connect to a WebSocket server.

    :raises ServerUnreachable: if nothing answers there, or what does speaks something else.
    """
    first = [await open_websocket_connection(address, (SUBPROTOCOL,), timeout)]
    speaks_frames = first[0].subprotocol == SUBPROTOCOL

    def open_stream(received: Received, ended: Ended) -> WebSocketStream:
        return WebSocketStream(address, received, ended, first.pop() if first else None)

    def close_unused() -> None:
        for connection in first:
            connection.close()

    if not speaks_frames:
        return CallLink(open_stream, str(address), close_unused)
    link = await open_frames(open_stream, str(address), timeout)
    if link is None:
        raise ServerUnreachable(f'nothing answers at {address}: what is there did not greet')
    return link
