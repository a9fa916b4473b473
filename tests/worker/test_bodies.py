"""When bodies are decoded and encoded, and whose memory they are."""

import asyncio

import numpy as np
import pytest
import uvloop
from running import run

from jina import Document, DocumentArray, Executor, requests
from jina.wire.codecs import codec
from jina.wire.head import ANY, NOT_BOUND, UNCHANGED, Part


class Blind(Executor):
    """Is bound, but never looks."""

    @requests
    def f(self, docs, **kwargs):
        assert docs is not None


class Looking(Executor):
    @requests(on='/x')
    def f(self, docs, **kwargs):
        len(docs)


@pytest.mark.parametrize(
    ('cls', 'endpoint', 'flags'), [(Blind, '/x', 0), (Executor, '/x', NOT_BOUND), (Looking, '/other', NOT_BOUND)]
)
def test_documents_nobody_looks_at_are_neither_decoded_nor_sent_back(serve, cls, endpoint, flags):
    async def check():
        async with serve(cls) as ask:
            parts = (Part('msgpack', 5, 3, 0),)
            answer, body = await ask.send([b'never'], parts, endpoint)
            assert answer.status is None
            assert answer.flags == UNCHANGED | flags
            assert answer.parts == parts
            assert body == b''

    run(check())


@pytest.mark.parametrize('encoding', ['msgpack', 'json', 'protobuf'])
@pytest.mark.parametrize('count', [(), (1, 0)])
def test_a_body_that_cannot_be_read_is_the_clients_error(serve, encoding, count):
    async def check():
        async with serve(Looking) as ask:
            answer, _ = await ask.send([b'\xff\xff\xff'], (Part(encoding, 3, *count),))
            assert answer.status.client_error
            assert "Executor 'w' (Looking) failed on '/x': BadDocument" in answer.status.description

    run(check())


def test_an_encoding_that_does_not_exist_is_an_error(serve):
    async def check():
        async with serve(Looking) as ask:
            answer, _ = await ask.send([b'abc'], (Part('klingon', 3, 1, 0),))
            assert "there is no encoding 'klingon'" in answer.status.description

    run(check())


def test_json_that_nobody_is_bound_to_passes_undecoded(serve):
    async def check():
        async with serve(Executor) as ask:
            answer, _ = await ask.send([b'{"docs": 5}'], (Part('json', 11),), accept=ANY)
            assert answer.flags == UNCHANGED | NOT_BOUND

    run(check())


def test_the_answer_tells_its_encoding_and_counts(serve):
    async def check():
        async with serve(Looking) as ask:
            answer, body = await ask.post([Document(), Document()], groundtruths=[Document()])
            assert answer.parts == (Part('msgpack', len(body), 2, 1),)
            answer, body = await ask.post([Document()], accept='json')
            assert answer.parts == (Part('json', len(body), 1, 0),)

    run(check())


def test_what_has_no_form_in_the_encoding_asked_for_is_an_error(serve):
    class Odd(Executor):
        @requests
        def f(self, docs, **kwargs):
            docs[0].tags['odd'] = {1, 2, object()}

    async def check():
        async with serve(Odd) as ask:
            for accept in ('msgpack', 'json', 'protobuf'):
                status = await ask.status([Document(tags={'a': 1})], accept=accept)
                assert "Executor 'w' (Odd) failed on '/x'" in status.description

    run(check())


class Reusing(Executor):
    """Gives away the same memory again and again."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.memory = np.zeros(1_000_000)

    @requests(on='/sync')
    def f(self, docs, **kwargs):
        self.memory[:] = int(docs[0].text)
        docs[0].embedding = self.memory

    @requests(on='/async')
    async def g(self, docs, **kwargs):
        self.f(docs)


@pytest.mark.parametrize('endpoint', ['/sync', pytest.param('/async')])
def test_large_answers_arrive_intact_though_their_memory_is_used_again(serve, tmp_path, endpoint):
    async def check():
        async with serve(Reusing, f'unix:{tmp_path}/s') as ask:
            answers = await asyncio.gather(*(ask.docs([Document(text=str(n))], endpoint=endpoint) for n in range(8)))
            for n, [doc] in enumerate(answers):
                assert (doc.embedding == n).all()

    uvloop.run(check())  # which keeps views of what it sends, where asyncio of Python 3.11 copies


def test_large_arrays_come_in_as_memory_that_may_be_changed(serve, tmp_path):
    class Negate(Executor):
        @requests
        def f(self, docs, **kwargs):
            for doc in docs:
                np.negative(doc.blob, out=doc.blob)

    async def check():
        async with serve(Negate, f'unix:{tmp_path}/s') as ask:
            docs = await ask.docs([Document(blob=np.ones(100_000)), Document(blob=np.ones(3))])
            assert all((doc.blob == -1).all() for doc in docs)

    run(check())


def test_documents_kept_by_an_executor_stay_what_they_were(serve, tmp_path):
    class Index(Executor):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.kept = DocumentArray()

        @requests(on='/index')
        def index(self, docs, **kwargs):
            self.kept.extend(docs)

        @requests(on='/all')
        def all(self, **kwargs):
            return self.kept

    async def check():
        async with serve(Index, f'unix:{tmp_path}/s') as ask:
            for n in range(50):
                await ask.post([Document(id=str(n), embedding=np.full(1000, n))], endpoint='/index')
            docs = await ask.docs(endpoint='/all')
            assert [doc.id for doc in docs] == [str(n) for n in range(50)]
            assert all((doc.embedding == n).all() for n, doc in enumerate(docs))

    run(check())


def test_a_client_that_goes_away_during_a_large_answer_does_not_stop_the_worker(serve, tmp_path):
    async def check():
        async with serve(Reusing, f'unix:{tmp_path}/s') as ask:
            waiting = asyncio.ensure_future(ask.post([Document(text='1')], endpoint='/sync'))
            await asyncio.sleep(0)
            ask.connection.channel.close()
            answer, _ = await waiting
            assert answer.status.description == 'the connection was closed'

    run(check())


def test_what_comes_while_a_large_answer_leaves_is_done_after_it(serve, until, tmp_path):
    class Enlarge(Executor):
        @requests
        def enlarge(self, docs, **kwargs):
            docs[0].text = 'x' * 3_000_000

    async def check():
        async with serve(Enlarge, f'unix:{tmp_path}/s') as ask:
            reading = ask.connection.channel._transport
            reading.pause_reading()
            first = asyncio.ensure_future(ask.post([Document()]))
            [sending] = ask.worker._listener._channels
            await until(lambda: sending._paused)
            second = asyncio.ensure_future(ask.post([Document()]))
            await until(lambda: ask.worker._thread._jobs.qsize())
            reading.resume_reading()
            for outcome in (first, second):
                answer, _ = await outcome
                assert answer.status is None

    run(check())


def test_bytes_on_the_wire_are_those_of_the_codec(serve):
    async def check():
        async with serve(Looking) as ask:
            docs = [Document(text='a', embedding=np.arange(3))]
            _, body = await ask.post(docs)
            assert body == b''.join(codec('msgpack').encode(docs))

    run(check())
