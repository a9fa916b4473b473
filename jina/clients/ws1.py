"""One WebSocket connection. Its protocol is that of the websockets library, which does no I/O there."""

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.uri import parse_uri

from jina.clients.address import Address
from jina.clients.dial import DIAL_SECONDS, dial, unreachable

MAX_MESSAGE = 1 << 30
OURS = 'jina-version'  # the header by which a server of this package is known


class WebSocketConnection(asyncio.Protocol):
    """A connection without tasks of its own: its loop need not run while nothing is asked.

    :ivar is_ours: the server is of this package.
    :param received: called with each binary message.
    :param lost: called once, with the reason, when an opened connection is over.
    """

    def __init__(self, address: Address, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self.is_ours = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received = received
        self._lost = lost
        self._protocol = ClientProtocol(parse_uri(f'{address}/'), max_size=MAX_MESSAGE)
        self._transport: Any = None
        self._opcode = Opcode.BINARY
        self._pieces: list[bytes] = []

    @property
    def usable(self) -> bool:
        """Whether messages can be sent: its end may be known for a moment before :meth:`connection_lost` is called."""
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    def send(self, message: bytes) -> None:
        """Send a binary message; only while it is :attr:`usable`."""
        self._protocol.send_binary(message)
        self._flush()

    def close(self) -> None:
        """Say so, and close it."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        self._transport.close()

    # asyncio

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._protocol.send_request(self._protocol.connect())
        self._flush()

    def data_received(self, data: bytes) -> None:
        self._protocol.receive_data(data)
        self._events()

    def eof_received(self) -> None:
        self._protocol.receive_eof()
        self._events()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._protocol.state is not State.CLOSED:
            self._protocol.receive_eof()
        if not self.opened.done():
            self.opened.set_exception(ConnectionResetError(str(exc or 'it closed the connection')))
        elif not self.opened.cancelled() and self.opened.exception() is None:
            self._lost(str(exc or self._protocol.close_exc))

    def _events(self) -> None:
        self._flush()
        if self._protocol.handshake_exc is not None and not self.opened.done():
            self.opened.set_exception(ConnectionError(_told(self._protocol.handshake_exc)))
            self._transport.abort()
        for event in self._protocol.events_received():
            if isinstance(event, Response):
                self._greeted(event)
            elif isinstance(event, Frame):
                self._frame(event)

    def _greeted(self, response: Response) -> None:
        self.is_ours = OURS in response.headers
        if not self.opened.done():
            self.opened.set_result(None)

    def _frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._opcode, self._pieces = frame.opcode, []
        elif frame.opcode is not Opcode.CONT:
            return
        self._pieces.append(bytes(frame.data))
        if frame.fin and self._opcode is Opcode.BINARY:
            pieces, self._pieces = self._pieces, []
            self._received(pieces[0] if len(pieces) == 1 else b''.join(pieces))

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            else:  # the protocol's sign that nothing will follow
                self._transport.close()


def _told(error: BaseException) -> str:
    cause = error.__cause__
    return f'it is no WebSocket server: {error}' + (f' ({cause})' if cause else '')


async def open_websocket_connection(
    address: Address,
    received: Callable[[bytes], None],
    lost: Callable[[str], None],
    timeout: float = DIAL_SECONDS,
) -> WebSocketConnection:
    """Connect and shake hands.

    :raises ServerUnreachable: if nothing answers there, or what does speaks something else.
    """
    connection = await dial(address, lambda: WebSocketConnection(address, received, lost), timeout)
    try:
        async with asyncio.timeout(timeout):
            await connection.opened
    except OSError as error:
        raise unreachable(address, str(error) or f'no answer in {timeout:g} s') from error
    finally:
        if not connection.opened.done() or connection.opened.cancelled():
            connection.close()
    return connection
