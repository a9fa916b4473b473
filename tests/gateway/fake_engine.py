"""An engine that can be looked into, for doors."""

import asyncio
from functools import partial

from jina.graph import GATEWAY, Graph
from jina.types.request import ExceptionInfo, Route, Status, StatusCode
from jina.wire.head import Head

FAILED = Status(StatusCode.ERROR, 'it failed', ExceptionInfo('ValueError', ('bad',), ('line',), 'MyExecutor'))


class FakeWalk:
    def __init__(self, head, body, reply):
        self.head, self.body, self._reply = head, body, reply
        self.cancelled = asyncio.Event()

    def cancel(self):
        self.cancelled.set()

    def answer(self, status=None):
        routes = [Route('gateway', 'gateway/1', 1.5, 2.5), Route('pod0', 'pod0/1', 1.75, 0.0)]
        head = self.head
        answer = Head(
            head.request_id, head.endpoint, head.parts, parameters=head.parameters, target=head.target, status=status,
            routes=routes,
        )  # fmt: skip
        self._reply(answer, self.body)


class FakeEngine:
    """Answers with what it was sent; what goes to ``/hold`` when told to, to ``/later`` soon, else at once."""

    name = 'gateway'

    def __init__(self, needs=None):
        self.graph = Graph({'pod0': [GATEWAY]} if needs is None else needs)
        self.open = 0
        self.most = 0
        self.held = asyncio.Queue()

    def submit(self, head, body, reply):
        self.open += 1
        self.most = max(self.most, self.open)
        walk = FakeWalk(head, body, partial(self._finish, reply))
        if head.endpoint == '/hold':
            self.held.put_nowait(walk)
        elif head.endpoint == '/later':
            asyncio.get_running_loop().call_soon(walk.answer)
        else:
            walk.answer(FAILED if head.endpoint == '/fail' else None)
        return walk

    def _finish(self, reply, head, body):
        self.open -= 1
        reply(head, body)
