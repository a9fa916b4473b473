"""One WebSocket connection. Its protocol is that of the websockets library, which does no I/O there."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from jina.clients.address import Address
from jina.clients.dial import DIAL_SECONDS, dial, unreachable

MAX_MESSAGE = 1 << 30


class WebSocketConnection(asyncio.Protocol):
    """A connection without tasks of its own: its loop need not run while nothing is asked.

    :param subprotocols: what to offer the server.
    """

    def __init__(self, address: Address, subprotocols: Sequence[str] = ()) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._received: Callable[[bytes], None] = lambda message: self._early.append(message)
        self._lost: Callable[[str], None] = lambda reason: None
        self._early: list[bytes] = []
        offered = [Subprotocol(name) for name in subprotocols] or None
        self._protocol = ClientProtocol(parse_uri(f'{address}/'), subprotocols=offered, max_size=MAX_MESSAGE)
        self._transport: Any = None
        self._opcode = Opcode.BINARY
        self._pieces: list[bytes] = []

    @property
    def usable(self) -> bool:
        """Whether messages can be sent: its end may be known for a moment before :meth:`connection_lost` is called."""
        return self._protocol.state is State.OPEN and not self._transport.is_closing()

    @property
    def subprotocol(self) -> str | None:
        """What the server has chosen of those that were offered."""
        return self._protocol.subprotocol

    def listen(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        """Hand over what arrives, and what has; not before the next turn of the loop.

        :param received: called with each binary message.
        :param lost: called once, with the reason, when the connection is over.
        """
        asyncio.get_running_loop().call_soon(self._start, received, lost)

    def _start(self, received: Callable[[bytes], None], lost: Callable[[str], None]) -> None:
        self._received, self._lost = received, lost
        early, self._early = self._early, []
        for message in early:
            received(message)
        if self._protocol.state is State.CLOSED:
            lost(str(self._protocol.close_exc))

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
        if self._transport.get_write_buffer_size():  # it does not read: nobody will wait until it does
            self._transport.abort()

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
                self._greeted()
            elif isinstance(event, Frame):
                self._frame(event)

    def _greeted(self) -> None:
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
    address: Address, subprotocols: Sequence[str] = (), timeout: float = DIAL_SECONDS
) -> WebSocketConnection:
    """Connect and shake hands.

    :raises ServerUnreachable: if nothing answers there, or what does speaks something else.
    """
    connection = await dial(address, lambda: WebSocketConnection(address, subprotocols), timeout)
    try:
        async with asyncio.timeout(timeout):
            await connection.opened
    except OSError as error:
        raise unreachable(address, str(error) or f'no answer in {timeout:g} s') from error
    finally:
        if not connection.opened.done() or connection.opened.cancelled():
            connection.close()
    return connection
