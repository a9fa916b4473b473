"""One request at all replicas of an Executor (``polling='ALL'`` and ``'ALL_ASYNC'``): their answers become one."""

from collections.abc import Callable
from functools import partial

from jina.gateway.pool import Ticket
from jina.types.request import StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import Head

Outcome = tuple[Head, Buffer]


class Group:
    """Collects the answers of so many replicas.

    :param first: the first answer that is no error is enough (``ALL_ASYNC``): the others work on, and what they answer
        is dropped; an error counts only if nothing else comes. Else (``ALL``) all are waited for, or the first error.
    :param done: called once, with the answers that count, in the order of the replicas.
    """

    def __init__(self, size: int, first: bool, done: Callable[[list[Outcome]], None]) -> None:
        self._outcomes: list[Outcome | None] = [None] * size
        self._missing = size
        self._first = first
        self._done: Callable[[list[Outcome]], None] | None = done
        self._tickets: list[Ticket] = []

    def replies(self) -> list[Reply]:
        """What is to be called with the answer of each replica."""
        return [partial(self._answered, number) for number in range(len(self._outcomes))]

    def sent(self, tickets: list[Ticket]) -> None:
        """The requests to the replicas."""
        self._tickets = tickets
        if self._done is None and not self._first:
            self.cancel()

    def cancel(self) -> None:
        """Nobody waits for the answers any more."""
        self._done = None
        for ticket in self._tickets:
            if not ticket.answered:
                ticket.cancel()

    def _answered(self, number: int, head: Head, body: Buffer) -> None:
        self._missing -= 1
        if self._done is None:
            return
        failed = head.status is not None and head.status.code >= StatusCode.ERROR
        if failed != self._first:  # of ALL the first error decides, of ALL_ASYNC the first success
            self._settle([(head, body)])
            if failed:
                self.cancel()
            return
        self._outcomes[number] = (head, body)
        if not self._missing:
            self._settle([outcome for outcome in self._outcomes if outcome is not None])

    def _settle(self, outcomes: list[Outcome]) -> None:
        done, self._done = self._done, None
        if done is not None:
            done(outcomes)
