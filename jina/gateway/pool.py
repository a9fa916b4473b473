"""The replicas of one Executor, as the gateway sees them: which are there, who is least busy, what waits.

Each replica has a *seat*, by its number. A seat whose replica died stays, and what has to wait for a replica waits,
until another one takes it, or until it is known that none will.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from jina.excepts import WireError
from jina.spec import NodeSpec
from jina.transport import connect
from jina.types.request import Status, StatusCode
from jina.wire.connection import ClientConnection
from jina.wire.frames import Buffer
from jina.wire.head import Body, Head, body_size
from jina.wire.records import Record

HELLO_SECONDS = 10.0
FIRST_DELAY, LONGEST_DELAY = 0.1, 5.0

_log = logging.getLogger('jina.gateway')


class Seat:
    """The place of one replica.

    :ivar replica: who sits there now.
    :ivar hopeless: why nobody sits there and nobody is expected; empty while somebody does or is.
    :ivar waiting: requests for this replica and no other, which it does not admit yet.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.replica: Replica | None = None
        self.hopeless = ''
        self.waiting: deque[Ticket] = deque()


class Replica(ClientConnection):
    """The connection to one replica.

    :ivar over: set when it has been closed, by whom ever.
    """

    def __init__(self, pool: 'Pool', seat: Seat) -> None:
        super().__init__(self._greet)
        self._pool = pool
        self._seat = seat
        self._leaving = False
        self.greeted = asyncio.Event()
        self.over = asyncio.Event()

    def _greet(self) -> None:
        self.greeted.set()
        self.on_change = self._pool.changed
        self._pool.changed()

    def leave(self) -> None:
        """Close it as soon as everything is answered; nothing new may be sent."""
        self._leaving = True
        self.on_change = self._close_if_idle
        self._close_if_idle()

    def _close_if_idle(self) -> None:
        if not self.in_flight and self.channel is not None:
            self.channel.close()

    def lost(self, reason: str) -> None:
        """The replica is gone: what it was working on fails, by name."""
        self.over.set()
        pid = f' (process {self.hello.pid})' if self.hello and self.hello.pid else ''
        who = f'Executor {self._pool.name!r}{pid}'
        if not self._leaving:
            self._pool.lost(self._seat, self, f'{who} is no longer running: it was killed or it crashed')
        super().lost(f'{who} went away while it worked on this request: it was killed or it crashed')


class Pool:
    """Sends requests to the replicas of one Executor.

    What their windows do not admit waits here; it is bounded by the windows that the gateway grants its own clients.

    :ivar spec: the Executor, as a node of the graph.
    """

    def __init__(self, spec: NodeSpec) -> None:
        self.spec = spec
        self.name = spec.name
        self._seats = [Seat(n) for n in range(len(spec.addresses) or spec.replicas)]
        self._waiting: deque[Ticket] = deque()
        self._to_each = spec.polling != 'ANY'
        self._closing = False
        self._reconnecting: set[asyncio.Task[None]] = set()

    @property
    def replicas(self) -> list[Replica]:
        """Those that are there now."""
        return [seat.replica for seat in self._seats if seat.replica is not None]

    async def connect(self, address: str, number: int = 0) -> None:
        """Seat the replica that listens at an address; one that sits there is let go when it has answered everything.

        :raises OSError: if nothing listens there, or what does is no Executor of ours.
        """
        seat = self._seats[number]
        replica = Replica(self, seat)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                await connect(address, replica)
                await replica.greeted.wait()
        except BaseException as error:
            if replica.channel is not None:
                replica.channel.close()
            if isinstance(error, TimeoutError):
                raise ConnectionError(f'Executor {self.name!r} at {address} does not answer') from None
            raise
        if replica.closed:
            raise ConnectionResetError(f'Executor {self.name!r} closed the connection at {address}')
        before, seat.replica, seat.hopeless = seat.replica, replica, ''
        self.changed()
        if before is not None:
            before.leave()
            await before.over.wait()

    async def keep_connected(self, address: str, number: int = 0) -> None:
        """Connect, as often as it takes, to a replica that somebody else started, and will start again if it dies."""
        delay = FIRST_DELAY
        while not self._closing:
            try:
                await self.connect(address, number)
                return
            except OSError as error:
                self.give_up(number, f'Executor {self.name!r} does not answer at {address}: {error}')
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)

    def request(self, ticket: 'Ticket') -> None:
        """Send to the least busy replica, as soon as it admits it."""
        if self._waiting or not self._send(ticket):
            self._waiting.append(ticket)
            self.changed()

    def request_each(self, tickets: 'Iterable[Ticket]') -> None:
        """Send to every replica, as soon as it admits it.

        :param tickets: one for each.
        """
        for ticket, seat in zip(tickets, self._seats, strict=True):
            ticket.seat = seat
            seat.waiting.append(ticket)
        self.changed()

    @property
    def size(self) -> int:
        """How many replicas there are when all are there."""
        return len(self._seats)

    def changed(self) -> None:
        """Credit came back, or a replica came or went: send what waits."""
        if self._waiting:
            self._send_waiting()
        if self._to_each:
            for seat in self._seats:
                self._seat_changed(seat)

    def _send_waiting(self) -> None:
        waiting = self._waiting
        while waiting and self._send(waiting[0]):
            waiting.popleft()
        if waiting and all(seat.hopeless for seat in self._seats):
            _fail(waiting, self._seats[0].hopeless)

    def _seat_changed(self, seat: Seat) -> None:
        while seat.waiting and seat.replica is not None:
            if not seat.replica.admits(body_size(seat.waiting[0].body)):
                return
            seat.waiting.popleft().send(seat.replica)
        if seat.hopeless:
            _fail(seat.waiting, seat.hopeless)

    def lost(self, seat: Seat, replica: Replica, why: str) -> None:
        """A replica is gone."""
        if seat.replica is not replica:
            return
        seat.replica = None
        if self._closing:
            seat.hopeless = why
        elif self.spec.addresses:  # nobody will tell of another one
            seat.hopeless = why
            _log.error('%s; connecting to it again', why)
            task = asyncio.get_running_loop().create_task(
                self.keep_connected(self.spec.addresses[seat.number], seat.number)
            )
            self._reconnecting.add(task)
            task.add_done_callback(self._reconnecting.discard)

    def give_up(self, number: int, why: str) -> None:
        """No replica is expected at this seat any more: what waits for it fails."""
        self._seats[number].hopeless = why
        self.changed()

    def close(self) -> None:
        """Close the connections to all replicas."""
        self._closing = True
        for task in self._reconnecting:
            task.cancel()
        for seat in self._seats:
            seat.hopeless = seat.hopeless or f'Executor {self.name!r} is being closed'
        for replica in self.replicas:
            if replica.channel is not None:
                replica.channel.close()
        self.changed()

    def forget(self, ticket: 'Ticket') -> None:
        """Drop a ticket that has not been sent."""
        waiting = self._waiting if ticket.seat is None else ticket.seat.waiting
        if ticket in waiting:
            waiting.remove(ticket)

    def _send(self, ticket: 'Ticket') -> bool:
        replica = self._least_busy(body_size(ticket.body))
        if replica is None:
            return False
        ticket.send(replica)
        return True

    def _least_busy(self, size: int) -> Replica | None:
        """The replica with the fewest requests, of those that admit one more of that size."""
        best = None
        for seat in self._seats:
            replica = seat.replica
            if replica is not None and replica.admits(size) and (best is None or replica.in_flight < best.in_flight):
                best = replica
        return best


def _fail(waiting: 'deque[Ticket]', why: str) -> None:
    while waiting:
        waiting.popleft().reply(Head('', '', status=Status(StatusCode.ERROR, why, unavailable=True)), b'')


class Ticket(Record):
    """A request on its way to a replica, or waiting for one.

    :ivar seat: the replica that it is for; ``None``: whoever is least busy.
    """

    _pool: Pool
    head: Head
    body: Body
    seat: Seat | None = None
    _replica: Replica | None = None
    _stream: int = 0

    def reply(self, head: Head, body: Buffer) -> None:
        """Take the outcome; called exactly once, unless the ticket is cancelled."""
        raise NotImplementedError

    def send(self, replica: Replica) -> None:
        """Send it to this replica, which admits it."""
        try:
            self._stream = replica.request(self.head, self.body, self.reply)
            self._replica = replica
        except WireError as error:
            self.reply(Head('', '', status=Status(StatusCode.ERROR, str(error), client_error=True)), b'')

    def cancel(self) -> None:
        """Nobody waits for the answer any more: ``reply`` will not be called."""
        if self._replica is None:
            self._pool.forget(self)
        else:
            self._replica.cancel(self._stream)
