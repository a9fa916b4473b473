"""One HTTP request that takes the short way: what has arrived of it, and what becomes of it."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from jina.wire.head import Body
from jina.wire.records import Record

if TYPE_CHECKING:
    from jina.gateway.shortway import ShortWay

MAX_BODY = 1 << 30
MAX_WAITING_BODY = 64 << 10  # of a request that waits for the one before it; the rest stays with the client

_CONTINUE = b'HTTP/1.1 100 Continue\r\n\r\n'

_log = logging.getLogger('jina.gateway')


class Cancellable(Protocol):
    """What is being done for a call."""

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""


class Door(Protocol):
    """What takes the calls of all connections.

    :ivar max_connections: clients beyond it are told to come again later.
    """

    max_connections: int

    @property
    def endpoints(self) -> Mapping[tuple[bytes, bytes], str]:
        """By method and path, where documents go; ``''``: the body says it."""

    def header_lines(self, of_server: list[tuple[bytes, bytes]]) -> bytes:
        """The lines that each answer has.

        :param of_server: name and value of those that the server adds, such as the date.
        """

    def submit(self, call: 'Call') -> Cancellable | None:
        """Begin to work on a call; it is to be answered, now or later."""

    def refusal(self, why: str) -> Body:
        """The body of an answer that says why there is no other."""


class Call(Record):
    """One request that takes the short way.

    :ivar endpoint: where its documents go; ``''``: its body says it.
    :ivar body: as much of it as has arrived.
    :ivar arrived: whether that is all of it.
    :ivar timeout: seconds that the client will wait; ``None``: any time.
    :ivar keep_alive: whether the connection goes on after it.
    :ivar response_complete: whether the next one may begin.
    """

    _connection: 'ShortWay'
    endpoint: str
    keep_alive: bool
    body: bytes | bytearray = b''
    arrived: bool = False
    timeout: float | None = None
    expects_continue: bool = False
    response_complete: bool = False
    _work: Cancellable | None = None
    _refused: tuple[int, str] | None = None
    _begun: bool = False
    _answered: bool = False

    async def run_asgi(self, app: Any) -> None:
        """What uvicorn calls when the requests before this one are answered."""
        self.begin()

    def begin(self) -> None:
        """The requests before this one are answered."""
        if self._connection.transport.is_closing():  # the client is gone, or what came before was to be the last
            return
        self._begun = True
        self._connection.current = self
        if self.arrived or self._in_vain():
            self._go()
        elif self.expects_continue:
            self._connection.transport.write(_CONTINUE)

    def receive(self, piece: bytes) -> None:
        """More of the body."""
        if self._answered or self._refused is not None:
            return
        if not self.body:
            self.body = piece
        else:
            self.body = self.body if isinstance(self.body, bytearray) else bytearray(self.body)
            self.body += piece
        if len(self.body) > MAX_BODY:
            self.body = b''
            self.refuse(413, too_large())
        elif len(self.body) > MAX_WAITING_BODY and not self._begun:
            self._connection.flow.pause_reading()

    def end(self) -> None:
        """The body is complete."""
        self.arrived = True
        if self._answered:
            self._connection.finish(self)
        elif self._begun:
            self._go()

    def refuse(self, code: int, why: str) -> None:
        """Answer without working on it."""
        self._refused = (code, why)
        if self._begun and self._in_vain():
            self._go()

    def answer(self, code: int, body: Body) -> None:
        """Send the answer; the first one counts."""
        if not self._answered:
            self._answered = True
            self._work = None
            self.keep_alive = self.keep_alive and self.arrived
            self._connection.send(code, body, self.keep_alive)
            if self.arrived:
                self._connection.finish(self)
            else:
                self._connection.linger()

    def cancel(self) -> None:
        """Nobody waits for the answer any more."""
        self._answered = True
        work, self._work = self._work, None
        if work is not None:
            work.cancel()

    def give_up(self, code: int, why: str) -> None:
        """Answer it now, whatever it waits for."""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
        self.keep_alive = False
        self.answer(code, self._connection.door.refusal(why))

    def _in_vain(self) -> bool:
        """Whether to answer before the body has arrived, which makes it the last request of its connection."""
        return self._refused is not None and (self._refused[0] in (413, 503) or self.expects_continue)

    def _go(self) -> None:
        door = self._connection.door
        if self._refused is not None:
            code, why = self._refused
            self.answer(code, door.refusal(why))
            return
        try:
            work = door.submit(self)
        except Exception:
            _log.exception('the gateway failed on a request for %r', self.endpoint)
            self.answer(500, door.refusal('the gateway failed on this request: its log says how'))
            return
        if not self._answered:
            self._work = work


def too_large() -> str:
    """Why a body is refused."""
    return f'the body is larger than {MAX_BODY:,} bytes: send fewer documents'
