"""One request through the graph.

The engine reads heads and moves bodies; it never looks into one. It works by callbacks, not by tasks: at this place a
task for each request would cost more than all the rest.
"""

import asyncio
import logging
import time
from collections.abc import Mapping

from msgspec import field

from jina.gateway.group import Group, Outcome
from jina.gateway.pool import Pool, Ticket
from jina.gateway.targets import BadTarget, Targets
from jina.graph import GATEWAY, Graph
from jina.types.request import Route, Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import ANY, BYPASS, JSON, NOT_BOUND, UNCHANGED, Body, Head, Part, body_size
from jina.wire.records import Record

Parcel = tuple[tuple[Part, ...], Body]
"""Documents between two Executors: what they consist of, and the bytes."""

LONGEST_TIMEOUT = 1e7  # seconds; what is longer, or no number, is no limit

_log = logging.getLogger('jina.gateway')


class Node:
    """A node of the graph, with all that a request has to know of it.

    :ivar followers: who needs its output.
    :ivar is_end: whether its output is the answer.
    :ivar decisive: whether there is no answer without it.
    """

    def __init__(self, graph: Graph, name: str, pool: Pool) -> None:
        self.name = name
        self.pool = pool
        self.target = pool.spec.part_of or name
        self.needs = graph.needs[name]
        self.followers: tuple[Node, ...] = ()
        self.is_end = name == graph.end
        self.decisive = name in graph.decisive
        self.on_error = pool.spec.on_error
        self.polling = pool.spec.polling


class Engine:
    """Takes requests from the doors and sees to it that each has exactly one outcome.

    :param graph: the way.
    :param pools: for each of its nodes, who works there.
    :ivar first: where requests go first.
    :ivar targets: which of them a request is for.
    """

    def __init__(self, graph: Graph, pools: Mapping[str, Pool], name: str = GATEWAY) -> None:
        self.graph = graph
        self.name = name
        nodes = {name: Node(graph, name, pools[name]) for name in graph.needs}
        for node in nodes.values():
            node.followers = tuple(nodes[name] for name in graph.next[node.name])
        self.first = tuple(nodes[name] for name in graph.next[GATEWAY])
        self.targets = Targets(node.target for node in nodes.values())

    def submit(self, head: Head, body: Buffer, reply: Reply) -> 'Walk':
        """Send a request through the graph.

        :param reply: called exactly once, unless the walk is cancelled: with the answer's head and body.
        """
        walk = Walk(self, head, body, reply, time.time())
        walk.start()
        return walk


class Visit(Ticket, kw_only=True):
    """A request at one node.

    :ivar parcel: the documents that it was sent.
    """

    walk: 'Walk'
    node: Node
    parcel: Parcel

    def reply(self, head: Head, body: Buffer) -> None:
        self.walk.answered(self, head, body)


class Walk(Record):
    """One request on its way."""

    _engine: Engine
    _head: Head
    _body: Buffer
    _reply: Reply | None
    _start: float
    _stopped: bool = False
    _skips: bool = False
    _meant: frozenset[str] | None = None  # the Executors that are to work on it; None: all
    _error: Status | None = None
    _unreadable: bool = False  # an Executor has said that of the client's documents, or of what became of them
    _routes: list[Route] = field(default_factory=list)
    _arrived: dict[str, dict[str, Parcel]] = field(default_factory=dict)
    _open: dict[str, Visit | Group] = field(default_factory=dict)  # by the name of the node
    _timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Begin where requests come from."""
        head, engine = self._head, self._engine
        parcel: Parcel = (head.parts, [self._body])
        if head.target and (wrong := self._aim()):
            self._finish(parcel, wrong)
            return
        if head.timeout is not None and head.timeout < LONGEST_TIMEOUT:
            self._timer = asyncio.get_running_loop().call_later(max(0.0, head.timeout), self._expire)
        for node in engine.first:
            self._arrive(node, GATEWAY, parcel)
        if engine.graph.end == GATEWAY:
            self._finish(parcel, None)

    def cancel(self) -> None:
        """Nobody waits for the answer any more: stop what has not begun."""
        self._reply = None
        self._stop()

    def _aim(self) -> Status | None:
        """Find out which Executors it is for.

        :return: what is wrong with its target, if anything is.
        """
        try:
            self._meant = self._engine.targets.named(self._head.target)
        except BadTarget as error:
            return Status(StatusCode.ERROR, str(error), client_error=True)
        return None

    def _leave(self, node: Node, parcel: Parcel) -> None:
        """A node is done: its documents go on to those that need them."""
        for other in node.followers:
            self._arrive(other, node.name, parcel)
        if node.is_end:
            self._finish(parcel, self._error)

    def _arrive(self, node: Node, source: str, parcel: Parcel) -> None:
        """Documents for a node: when it has all that it needs, it is sent them, unless the request is not for it."""
        if self._stopped:
            return
        if len(node.needs) > 1:
            arrived = self._arrived.setdefault(node.name, {})
            arrived[source] = parcel
            if len(arrived) < len(node.needs):
                return
            parcel = _joined([arrived[name] for name in node.needs])
        if self._skips or (self._meant is not None and node.target not in self._meant):
            self._pass_by(node, parcel)
        elif node.polling == 'ANY':
            self._send(node, parcel, 0)
        else:
            self._send_to_each(node, parcel)

    def _pass_by(self, node: Node, parcel: Parcel) -> None:
        """Go on without this node's work; only to join or to encode documents its process is needed all the same."""
        if _is_ready(parcel, self._accept(node)):
            self._leave(node, parcel)
        else:
            self._send(node, parcel, BYPASS)

    def _accept(self, node: Node) -> str:
        return self._head.accept if node.is_end else ANY

    def _sent_head(self, node: Node, parts: tuple[Part, ...], flags: int) -> Head:
        head = self._head
        left = head.timeout and max(0.0, head.timeout - (time.time() - self._start))
        return Head(
            head.request_id, head.endpoint, parts, self._accept(node), head.parameters, flags=flags, timeout=left,
            trace=head.trace,
        )  # fmt: skip

    def _send(self, node: Node, parcel: Parcel, flags: int) -> None:
        head = self._sent_head(node, parcel[0], flags)
        visit = Visit(node.pool, head, parcel[1], walk=self, node=node, parcel=parcel)
        self._open[node.name] = visit
        node.pool.request(visit)

    def _send_to_each(self, node: Node, parcel: Parcel) -> None:
        def done(outcomes: list[Outcome]) -> None:
            self._all_answered(node, parcel, outcomes)

        head = self._sent_head(node, parcel[0], 0)
        group = Group(node.pool, head, parcel[1], node.polling == 'ALL_ASYNC', done)
        self._open[node.name] = group
        group.send()

    def answered(self, visit: Visit, answer: Head, body: Buffer) -> None:
        """What the node says."""
        node, sent, status = visit.node, visit.parcel, answer.status
        self._open.pop(node.name, None)
        self._routes += answer.routes
        if self._stopped:
            return
        if status is not None and status.code >= StatusCode.ERROR:
            self._failed(node, sent, status, visit.head.flags)
        else:
            self._leave(node, sent if answer.flags & UNCHANGED else (answer.parts, [body]))

    def _all_answered(self, node: Node, sent: Parcel, outcomes: list[Outcome]) -> None:
        """The replicas have answered, as many of them as had to: what they say is joined."""
        self._open.pop(node.name, None)
        for answer, _ in outcomes:
            self._routes += answer.routes
        if self._stopped:
            return
        for answer, _ in outcomes:
            if answer.status is not None and answer.status.code >= StatusCode.ERROR:
                self._failed(node, sent, answer.status)
                return
        if all(answer.flags & NOT_BOUND for answer, _ in outcomes):
            del outcomes[1:]  # it plays no part in this request, so there is nothing to multiply
        self._leave(
            node,
            _joined([sent if answer.flags & UNCHANGED else (answer.parts, [body]) for answer, body in outcomes]),
        )

    def _failed(self, node: Node, sent: Parcel, status: Status, flags: int = 0) -> None:
        """A node has failed: the request ends, or goes on without its work."""
        decisive = node.decisive
        self._unreadable = self._unreadable or (decisive and status.client_error)
        if not decisive:
            _log.warning(
                'request %s, in a branch that its answer does not need: %s', self._head.request_id, status.description
            )
        if node.on_error == 'THROW_EARLY' or flags & BYPASS:
            if decisive:
                self._finish((self._head.parts, [self._body]), status)
            return
        if decisive:
            self._error = self._error or status
            self._skips = self._skips or node.on_error == 'SKIP_HANDLE'
        self._pass_by(node, sent)

    def _expire(self) -> None:
        """The deadline has passed."""
        where = ', '.join(map(repr, self._open)) or 'the gateway'
        told = f'the deadline of {self._head.timeout:g} s passed while the request was at {where}'
        self._finish((self._head.parts, [self._body]), Status(StatusCode.ERROR, told, timed_out=True))

    def _finish(self, parcel: Parcel, status: Status | None) -> None:
        """The outcome: the last node's documents; on an error those that the client sent, if they can be read.

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
        if self._unreadable and any(piece is self._body for piece in body):
            parts, body = (), []  # nor could the client, whose parser may end the whole stream over it
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
        tickets, self._open = self._open, {}
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
