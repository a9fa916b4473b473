"""One request through the graph.

The engine reads heads and moves bodies; it never looks into one. It works by callbacks, not by tasks: at this place a
task for each request would cost more than all the rest.
"""

import asyncio
import logging
import re
import time
from collections.abc import Mapping

from jina.gateway.group import Group, Outcome
from jina.gateway.pool import Pool, Ticket
from jina.graph import GATEWAY, Graph
from jina.types.request import Route, Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import ANY, BYPASS, JSON, NOT_BOUND, UNCHANGED, Body, Head, Part, body_size

Parcel = tuple[tuple[Part, ...], Body]
"""Documents between two Executors: what they consist of, and the bytes."""

LONGEST_TIMEOUT = 1e7  # seconds; what is longer, or no number, is no limit

_log = logging.getLogger('jina.gateway')


class Engine:
    """Takes requests from the doors and sees to it that each has exactly one outcome.

    :param graph: the way.
    :param pools: for each of its nodes, who works there.
    """

    def __init__(self, graph: Graph, pools: Mapping[str, Pool], name: str = GATEWAY) -> None:
        self.graph = graph
        self.pools = pools
        self.name = name
        self._targets: dict[str, re.Pattern[str]] = {}

    def submit(self, head: Head, body: Buffer, reply: Reply) -> 'Walk':
        """Send a request through the graph.

        :param reply: called exactly once, unless the walk is cancelled: with the answer's head and body.
        """
        walk = Walk(self, head, body, reply)
        walk.start()
        return walk

    def hits(self, target: str, name: str) -> bool:
        """Whether a request for ``target`` is for the Executor of that name.

        :raises re.error: if ``target`` is no regex.
        """
        if target not in self._targets:
            if len(self._targets) > 1000:  # targets come from outside: do not collect them without end
                self._targets.clear()
            self._targets[target] = re.compile(target)
        return self._targets[target].match(name) is not None


class Walk:
    """One request on its way."""

    __slots__ = (
        '_arrived',
        '_body',
        '_engine',
        '_error',
        '_head',
        '_reply',
        '_routes',
        '_skips',
        '_start',
        '_stopped',
        '_tickets',
        '_timer',
    )

    def __init__(self, engine: Engine, head: Head, body: Buffer, reply: Reply) -> None:
        self._engine = engine
        self._head = head
        self._body = body
        self._reply: Reply | None = reply
        self._stopped = False
        self._skips = False
        self._error: Status | None = None
        self._start = time.time()
        self._routes: list[Route] = []
        self._arrived: dict[str, dict[str, Parcel]] = {}
        self._tickets: dict[str, Ticket | Group] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin where requests come from."""
        head = self._head
        try:
            self._engine.hits(head.target, '')
        except (re.error, OverflowError, RecursionError) as error:
            told = f'target_peapod={head.target!r} is no regular expression: {error}'
            self._finish((head.parts, [self._body]), Status(StatusCode.ERROR, told, client_error=True))
            return
        if head.timeout is not None and head.timeout < LONGEST_TIMEOUT:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, head.timeout), self._expire)
        self._leave(GATEWAY, (head.parts, [self._body]))

    def cancel(self) -> None:
        """Nobody waits for the answer any more: stop what has not begun."""
        self._reply = None
        self._stop()

    def _leave(self, name: str, parcel: Parcel) -> None:
        """A node is done: its documents go on to those that need them."""
        graph = self._engine.graph
        for other in graph.next[name]:
            self._arrive(other, name, parcel)
        if name == graph.end:
            self._finish(parcel, self._error)

    def _arrive(self, name: str, source: str, parcel: Parcel) -> None:
        needs = self._engine.graph.needs[name]
        if len(needs) == 1:
            self._enter(name, parcel)
            return
        arrived = self._arrived.setdefault(name, {})
        arrived[source] = parcel
        if len(arrived) == len(needs):
            self._enter(name, _joined([arrived[n] for n in needs]))

    def _enter(self, name: str, parcel: Parcel) -> None:
        """All that a node needs is there: send it, unless the request is not for it."""
        if self._stopped:
            return
        target, engine = self._head.target, self._engine
        pool = engine.pools[name]
        if self._skips or (target and not engine.hits(target, pool.spec.part_of or name)):
            self._pass_by(name, parcel)
        elif pool.spec.polling == 'ANY':
            self._send(name, parcel, 0)
        else:
            self._send_to_each(name, parcel)

    def _pass_by(self, name: str, parcel: Parcel) -> None:
        """Go on without this node's work; only to join or to encode documents its process is needed all the same."""
        if _is_ready(parcel, self._accept(name)):
            self._leave(name, parcel)
        else:
            self._send(name, parcel, BYPASS)

    def _accept(self, name: str) -> str:
        return self._head.accept if name == self._engine.graph.end else ANY

    def _sent_head(self, name: str, parts: tuple[Part, ...], flags: int) -> Head:
        head = self._head
        left = head.timeout and max(0.0, head.timeout - (time.time() - self._start))
        return Head(
            head.request_id, head.endpoint, parts, self._accept(name), head.parameters, flags=flags, timeout=left,
            trace=head.trace,
        )  # fmt: skip

    def _send(self, name: str, parcel: Parcel, flags: int) -> None:
        def reply(answer: Head, body: Buffer) -> None:
            self._answered(name, parcel, answer, body, flags)

        ticket = self._engine.pools[name].request(self._sent_head(name, parcel[0], flags), parcel[1], reply)
        if not ticket.answered:
            self._tickets[name] = ticket

    def _send_to_each(self, name: str, parcel: Parcel) -> None:
        def done(outcomes: list[Outcome]) -> None:
            self._all_answered(name, parcel, outcomes)

        pool = self._engine.pools[name]
        group = Group(pool.size, pool.spec.polling == 'ALL_ASYNC', done)
        self._tickets[name] = group
        group.sent(pool.request_each(self._sent_head(name, parcel[0], 0), parcel[1], group.replies()))

    def _answered(self, name: str, sent: Parcel, answer: Head, body: Buffer, flags: int) -> None:
        self._tickets.pop(name, None)
        self._routes += answer.routes
        if self._stopped:
            return
        if answer.status is not None and answer.status.code >= StatusCode.ERROR:
            self._failed(name, sent, answer.status, flags)
        else:
            self._leave(name, sent if answer.flags & UNCHANGED else (answer.parts, [body]))

    def _all_answered(self, name: str, sent: Parcel, outcomes: list[Outcome]) -> None:
        """The replicas have answered, as many of them as had to: what they say is joined."""
        self._tickets.pop(name, None)
        for answer, _ in outcomes:
            self._routes += answer.routes
        if self._stopped:
            return
        for answer, _ in outcomes:
            if answer.status is not None and answer.status.code >= StatusCode.ERROR:
                self._failed(name, sent, answer.status)
                return
        if all(answer.flags & NOT_BOUND for answer, _ in outcomes):
            del outcomes[1:]  # it plays no part in this request, so there is nothing to multiply
        self._leave(
            name, _joined([sent if answer.flags & UNCHANGED else (answer.parts, [body]) for answer, body in outcomes])
        )

    def _failed(self, name: str, sent: Parcel, status: Status, flags: int = 0) -> None:
        """A node has failed: the request ends, or goes on without its work."""
        strategy = self._engine.pools[name].spec.on_error
        decisive = name in self._engine.graph.decisive
        if not decisive:
            _log.warning(
                'request %s, in a branch that its answer does not need: %s', self._head.request_id, status.description
            )
        if strategy == 'THROW_EARLY' or flags & BYPASS:
            if decisive:
                self._finish((self._head.parts, [self._body]), status)
            return
        if decisive:
            self._error = self._error or status
            self._skips = self._skips or strategy == 'SKIP_HANDLE'
        self._pass_by(name, sent)

    def _expire(self) -> None:
        """The deadline has passed."""
        where = ', '.join(map(repr, self._tickets)) or 'the gateway'
        told = f'the deadline of {self._head.timeout:g} s passed while the request was at {where}'
        self._finish((self._head.parts, [self._body]), Status(StatusCode.ERROR, told, timed_out=True))

    def _finish(self, parcel: Parcel, status: Status | None) -> None:
        """The outcome: the last node's documents; on an error those that the client sent.

        Branches whose output nobody takes may go on after it.
        """
        reply, self._reply = self._reply, None
        if status is not None and status is not self._error:
            self._stop()
        if self._timer is not None:
            self._timer.cancel()
        if reply is None:
            return
        head, (parts, body) = self._head, parcel
        gateway = Route(self._engine.name, self._engine.name, self._start, time.time())
        answer = Head(
            head.request_id, head.endpoint, parts if body_size(body) else (), parameters=head.parameters,
            target=head.target, status=status, routes=[gateway, *self._routes],
        )  # fmt: skip
        reply(answer, body[0] if len(body) == 1 else b''.join(body))

    def _stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
        tickets, self._tickets = self._tickets, {}
        for ticket in tickets.values():
            ticket.cancel()


def _joined(parcels: list[Parcel]) -> Parcel:
    if len(parcels) == 1:
        return parcels[0]
    return tuple(p for parts, _ in parcels for p in parts), [b for _, body in parcels for b in body]


def _is_ready(parcel: Parcel, accept: str) -> bool:
    """Whether documents can go on as they are; else it takes an Executor's process to join or to encode them."""
    parts, _ = parcel
    if len(parts) > 1:
        return False
    return accept == ANY or not parts or (parts[0].encoding == accept != JSON)
