"""One request through the graph.

The engine reads heads and moves bodies; it never looks into one. It works by callbacks, not by tasks: at this place a
task for each request would cost more than all the rest.
"""

import re
import time
from collections.abc import Mapping

from jina.gateway.pool import Pool, Ticket
from jina.graph import GATEWAY, Graph
from jina.types.request import Route, Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import ANY, BYPASS, JSON, UNCHANGED, Body, Head, Part, body_size

Parcel = tuple[tuple[Part, ...], Body]
"""Documents between two Executors: what they consist of, and the bytes."""


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
        '_head',
        '_reply',
        '_routes',
        '_start',
        '_stopped',
        '_tickets',
    )

    def __init__(self, engine: Engine, head: Head, body: Buffer, reply: Reply) -> None:
        self._engine = engine
        self._head = head
        self._body = body
        self._reply: Reply | None = reply
        self._stopped = False
        self._start = time.time()
        self._routes: list[Route] = []
        self._arrived: dict[str, dict[str, Parcel]] = {}
        self._tickets: dict[str, Ticket] = {}

    def start(self) -> None:
        """Begin where requests come from."""
        try:
            self._engine.hits(self._head.target, '')
        except (re.error, OverflowError, RecursionError) as error:
            told = f'target_peapod={self._head.target!r} is no regular expression: {error}'
            self._finish((self._head.parts, []), Status(StatusCode.ERROR, told, client_error=True))
            return
        self._leave(GATEWAY, (self._head.parts, [self._body]))

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
            self._finish(parcel, None)

    def _arrive(self, name: str, source: str, parcel: Parcel) -> None:
        needs = self._engine.graph.needs[name]
        if len(needs) == 1:
            self._enter(name, parcel)
            return
        arrived = self._arrived.setdefault(name, {})
        arrived[source] = parcel
        if len(arrived) == len(needs):
            parcels = [arrived[n] for n in needs]
            self._enter(
                name,
                (tuple(p for parts, _ in parcels for p in parts), [b for _, body in parcels for b in body]),
            )

    def _enter(self, name: str, parcel: Parcel) -> None:
        """All that a node needs is there: send it."""
        if self._stopped:
            return
        head, engine = self._head, self._engine
        flags = 0 if not head.target or engine.hits(head.target, name) else BYPASS
        accept = head.accept if name == engine.graph.end else ANY
        if flags & BYPASS and _is_ready(parcel, accept):
            self._leave(name, parcel)
            return
        sent = Head(
            head.request_id, head.endpoint, parcel[0], accept, head.parameters, flags=flags, timeout=head.timeout,
            trace=head.trace,
        )  # fmt: skip

        def reply(answer: Head, body: Buffer) -> None:
            self._answered(name, parcel, answer, body)

        ticket = engine.pools[name].request(sent, parcel[1], reply)
        if not ticket.answered:
            self._tickets[name] = ticket

    def _answered(self, name: str, sent: Parcel, answer: Head, body: Buffer) -> None:
        self._tickets.pop(name, None)
        self._routes += answer.routes
        if self._stopped:
            return
        if answer.status is not None and answer.status.code >= StatusCode.ERROR:
            self._finish((self._head.parts, [self._body]), answer.status)
        else:
            self._leave(name, sent if answer.flags & UNCHANGED else (answer.parts, [body]))

    def _finish(self, parcel: Parcel, status: Status | None) -> None:
        """The outcome: the last node's documents; on an error those that the client sent.

        Branches whose output nobody takes may go on after it.
        """
        reply, self._reply = self._reply, None
        if status is not None:
            self._stop()
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
        tickets, self._tickets = self._tickets, {}
        for ticket in tickets.values():
            ticket.cancel()


def _is_ready(parcel: Parcel, accept: str) -> bool:
    """Whether documents can go on as they are; else it takes an Executor's process to join or to encode them."""
    parts, _ = parcel
    if len(parts) > 1:
        return False
    return accept == ANY or not parts or (parts[0].encoding == accept != JSON)
