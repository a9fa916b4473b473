"""A worker, and a connection to it by memory or by a real socket."""

import asyncio
from contextlib import asynccontextmanager

import pytest
import running

from jina.spec import ExecutorSpec, WorkerSpec
from jina.transport import connect
from jina.wire.codecs import codec
from jina.wire.connection import ClientConnection
from jina.wire.head import MSGPACK, UNCHANGED, Head, Part, body_size
from jina.worker import Worker

SECONDS = 20


class Asker:
    """The client's end."""

    def __init__(self, worker, connection):
        self.worker, self.connection = worker, connection

    def send(self, body, parts, endpoint='/x', **head):
        """A future of (head, body)."""
        outcome = asyncio.get_running_loop().create_future()
        self.connection.request(
            Head('id', endpoint, parts, **head), body, lambda h, b: outcome.set_result((h, bytes(b)))
        )
        return asyncio.wait_for(outcome, SECONDS)

    def post(self, *branches, groundtruths=(), encoding=MSGPACK, known=True, **head):
        """Send lists of Documents, one a branch."""
        parts, body = [], []
        for docs in branches:
            piece = codec(encoding).encode(docs, list(groundtruths))
            counts = (len(docs), len(groundtruths)) if known else ()
            parts.append(Part(encoding, body_size(piece), *counts))
            body += piece
        return self.send(body, tuple(parts), **head)

    async def docs(self, *branches, **head):
        """The Documents of the answer."""
        answer, body = await self.post(*branches, **head)
        assert answer.status is None, answer.status
        if answer.flags & UNCHANGED:
            return [doc for docs in branches for doc in docs]
        return codec(answer.parts[0].encoding).decode(body)[0]

    async def texts_or_status(self, docs, **head):
        """The texts of the answer's Documents, or its status."""
        answer, body = await self.post(docs, **head)
        if answer.status is not None:
            return answer.status
        if answer.flags & UNCHANGED:
            return [doc.text for doc in docs]
        return [doc.text for doc in codec(answer.parts[0].encoding).decode(body)[0]]

    async def broken(self, encoding, **head):
        """The status of the answer to bytes that are no Documents."""
        answer, _ = await self.send([b'\xff\xff\xff'], (Part(encoding, 3),), **head)
        return answer.status

    async def status(self, *branches, **head):
        """The status of the answer."""
        answer, _ = await self.post(*branches, **head)
        return answer.status


@pytest.fixture(params=['kept', 'lent'])
def hosted(request):
    """Whether the loop may be lent to the Executor's thread."""
    running.lends = request.param == 'lent'
    yield
    running.lends = False


@pytest.fixture
def serve(until, hosted):
    """``async with serve(MyExecutor) as ask``, in what :func:`running.run` runs"""

    @asynccontextmanager
    async def serving(cls, listen='memory:worker', name='w', batching=None, **uses):
        options = {'name': name, 'uses': {'jtype': cls.__name__, **uses}, 'batching': batching or {}}
        spec = ExecutorSpec.from_dict(options)
        worker = Worker(WorkerSpec(executor=spec, listen=listen), lambda: cls, running.host)
        greeted = asyncio.Event()
        connection = ClientConnection(greeted.set)
        try:
            ready = await worker.start(lambda doing: None)
            await connect(ready.address, connection)
            await greeted.wait()
            yield Asker(worker, connection)
        finally:
            async with asyncio.timeout(SECONDS):
                await worker.stop()
            await until(lambda: connection.channel is None or connection.closed)

    return serving
