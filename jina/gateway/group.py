"""One request at all replicas of an Executor (``polling='ALL'`` and ``'ALL_ASYNC'``): their answers become one."""

from collections.abc import Callable

from jina.gateway.pool import Pool, Ticket
from jina.types.request import StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import Body, Head

Outcome = tuple[Head, Buffer]


class Group:
    """Asks all replicas and collects their answers.

    :param first: the first answer that is no error is enough (``ALL_ASYNC``): the others work on, and what they answer
        is dropped; an error counts only if nothing else comes. Else (``ALL``) all are waited for, or the first error.
    :param done: called once, with the answers that count, in the order of the replicas.
    """

    def __init__(self, pool: Pool, head: Head, body: Body, first: bool, done: Callable[[list[Outcome]], None]) -> None:
        self._outcomes: list[Outcome | None] = [None] * pool.size
        self._missing = pool.size
        self._first = first
        self._done: Callable[[list[Outcome]], None] | None = done
        self._tickets = [_Share(pool, head, body, group=self, number=number) for number in range(pool.size)]
        self._pool = pool

    def send(self) -> None:
        """Send the request to each."""
        self._pool.request_each(self._tickets)

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        self._done = None
        tickets, self._tickets = self._tickets, []  # they lead back here: a cycle that only the collector would end
        for ticket in tickets:
            ticket.cancel()  # which means nothing to one that is answered

    def answered(self, number: int, head: Head, body: Buffer) -> None:
        """Take what one replica says."""
        self._missing -= 1
        if self._done is None:
            return
        failed = head.status is not None and head.status.code >= StatusCode.ERROR
        if failed != self._first:  # of ALL the first error decides, of ALL_ASYNC the first success
            self._settle(self._done, [(head, body)])
            return
        self._outcomes[number] = (head, body)
        if not self._missing:
            self._settle(self._done, [outcome for outcome in self._outcomes if outcome is not None])

    def _settle(self, done: Callable[[list[Outcome]], None], outcomes: list[Outcome]) -> None:
        self._done = None
        done(outcomes)
        if self._first:
            self._tickets = []
        else:
            self.cancel()


class _Share(Ticket, kw_only=True):
    """The request to one of them."""

    group: Group
    number: int

    def reply(self, head: Head, body: Buffer) -> None:
        self.group.answered(self.number, head, body)
