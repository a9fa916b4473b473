"""The replicas of one Executor, as the gateway sees them: which are there, who is least busy, what waits."""

import asyncio
import logging
from collections import deque

from jina.excepts import WireError
from jina.transport import connect
from jina.types.request import Status, StatusCode
from jina.wire.connection import ClientConnection, Reply
from jina.wire.frames import Buffer
from jina.wire.head import Body, Head, body_size

HELLO_SECONDS = 10.0
NEWS_SECONDS = 0.2

_log = logging.getLogger('jina.gateway')


class Replica(ClientConnection):
    """The connection to one replica."""

    def __init__(self, pool: 'Pool') -> None:
        super().__init__(self._greet)
        self._pool = pool
        self.greeted = asyncio.Event()

    def _greet(self) -> None:
        self.greeted.set()
        self.on_change = self._pool.changed
        self._pool.changed()

    def lost(self, reason: str) -> None:
        """The replica is gone: what it was working on fails, by name."""
        pid = f' (process {self.hello.pid})' if self.hello and self.hello.pid else ''
        what = (
            f'Executor {self._pool.name!r}{pid} went away while it worked on this request: it was killed or it crashed'
        )
        self._pool.remove(self, f'Executor {self._pool.name!r}{pid} is no longer running: it was killed or it crashed')
        super().lost(what)


class Pool:
    """Sends requests to the replicas of one Executor.

    What their windows do not admit waits here; it is bounded by the windows that the gateway grants its own clients.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._replicas: list[Replica] = []
        self._waiting: deque[Ticket] = deque()
        self._gone = f'Executor {name!r} is not connected yet'
        self._closing = False

    async def connect(self, address: str) -> None:
        """Add the replica that listens at an address.

        :raises OSError: if nothing listens there, or what does is no Executor of ours.
        """
        replica = Replica(self)
        try:
            async with asyncio.timeout(HELLO_SECONDS):
                await connect(address, replica)
                await replica.greeted.wait()
        except TimeoutError:
            raise ConnectionError(f'Executor {self.name!r} at {address} does not answer') from None
        if replica.closed:
            raise ConnectionResetError(f'Executor {self.name!r} closed the connection at {address}')
        self._replicas.append(replica)
        self.changed()

    def request(self, head: Head, body: Body, reply: Reply) -> 'Ticket':
        """Send to the least busy replica, as soon as it admits it. ``reply`` is called exactly once."""
        ticket = Ticket(self, head, body, reply)
        if self._waiting or not self._send(ticket):
            self._waiting.append(ticket)
            self.changed()
        return ticket

    def changed(self) -> None:
        """Credit came back, or a replica came or went: send what waits."""
        if not self._replicas:
            self._fail_waiting()
        while self._waiting and self._send(self._waiting[0]):
            self._waiting.popleft()

    def remove(self, replica: Replica, why: str) -> None:
        """Forget a replica that is gone."""
        if replica in self._replicas:
            self._replicas.remove(replica)
            self._gone = why
            # Later: where everything ends at the same time, this is no news, and nobody knows yet who is first.
            asyncio.get_running_loop().call_later(NEWS_SECONDS, self._report, why)

    def _report(self, why: str) -> None:
        if not self._closing:
            _log.error('%s', why)

    def close(self) -> None:
        """Close the connections to all replicas."""
        self._closing = True
        for replica in list(self._replicas):
            if replica.channel is not None:
                replica.channel.close()

    def forget(self, ticket: 'Ticket') -> None:
        """Drop a ticket that has not been sent."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)

    def _send(self, ticket: 'Ticket') -> bool:
        size = body_size(ticket.body)
        replica = self._least_busy(size)
        if replica is None:
            return False
        ticket.sent(replica)
        return True

    def _least_busy(self, size: int) -> Replica | None:
        """The replica with the fewest requests, of those that admit one more of that size."""
        best = None
        for replica in self._replicas:
            if replica.admits(size) and (best is None or replica.in_flight < best.in_flight):
                best = replica
        return best

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, deque()
        for ticket in waiting:
            ticket.reply(Head('', '', status=Status(StatusCode.ERROR, self._gone)), b'')


class Ticket:
    """A request on its way to a replica, or waiting for one."""

    __slots__ = ('_pool', '_replica', '_reply', '_stream', 'answered', 'body', 'head')

    def __init__(self, pool: Pool, head: Head, body: Body, reply: Reply) -> None:
        self._pool = pool
        self._replica: Replica | None = None
        self._stream = 0
        self._reply = reply
        self.answered = False
        self.head = head
        self.body = body

    def reply(self, head: Head, body: Buffer) -> None:
        """The answer is there."""
        self.answered = True
        self.body = []
        self._reply(head, body)

    def sent(self, replica: Replica) -> None:
        """Send it to this replica."""
        self._replica = replica
        try:
            self._stream = replica.request(self.head, self.body, self.reply)
        except WireError as error:
            self.reply(Head('', '', status=Status(StatusCode.ERROR, str(error), client_error=True)), b'')

    def cancel(self) -> None:
        """Nobody waits for the answer any more: ``reply`` will not be called."""
        if self._replica is None:
            self._pool.forget(self)
        else:
            self._replica.cancel(self._stream)
