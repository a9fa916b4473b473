"""Requests that share a call."""

import asyncio
import threading

import msgspec
import numpy as np
import pytest
import uvloop
from running import run

from jina import Document, Executor, requests
from jina.wire.codecs import codec
from jina.wire.head import Part, body_size

LONG = 60_000  # milliseconds: longer than any test


def texts(docs):
    return [doc.text for doc in docs]


def documents(*texts):
    return [Document(text=text) for text in texts]


def parameters(**values):
    return msgspec.Raw(msgspec.msgpack.encode(values))


class Busy(Executor):
    """Its first call lasts until it is let go; all are recorded."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.go = threading.Event()
        Busy.calls, Busy.made = [], self

    def work(self, docs):
        Busy.calls.append(texts(docs))
        if len(Busy.calls) == 1:
            self.go.wait(20)
        for doc in docs:
            doc.text = doc.text.upper()

    @requests(on='/x', batch=4)
    def x(self, docs, **kwargs):
        self.work(docs)

    @requests(batch=4)
    def default(self, docs, **kwargs):
        self.work(docs)

    @requests(on='/poison', batch=4)
    def poison(self, docs, **kwargs):
        for doc in docs:
            if doc.embedding is not None:
                np.negative(doc.embedding, out=doc.embedding)
        self.work(docs)
        if 'BAD' in texts(docs):
            raise ValueError('poison')


async def while_busy(ask, until, *sends, endpoint='/x'):
    """What is answered to requests that all arrive while the Executor is busy."""
    first = asyncio.ensure_future(ask.post(documents('first'), endpoint=endpoint))
    await until(lambda: Busy.calls)
    before = ask.worker._open
    waiting = [asyncio.ensure_future(send()) for send in sends]
    await until(lambda: ask.worker._open == before + len(sends))
    Busy.made.go.set()
    await first
    return await asyncio.gather(*waiting)


def test_those_that_arrive_while_the_executor_is_busy_share_its_next_calls(serve, until):
    async def check():
        async with serve(Busy) as ask:
            sends = [lambda t=t: ask.docs(documents(t)) for t in 'abcdef']
            assert [texts(docs) for docs in await while_busy(ask, until, *sends)] == [[t] for t in 'ABCDEF']
            assert Busy.calls == [['first'], ['a', 'b', 'c', 'd'], ['e', 'f']]

    run(check())


def test_nobody_waits_for_an_executor_that_is_idle(serve):
    async def check():
        async with serve(Busy) as ask:
            Busy.made.go.set()
            for text in 'abc':
                assert texts(await ask.docs(documents(text))) == [text.upper()]
            assert Busy.calls == [['a'], ['b'], ['c']]

    run(check())


@pytest.mark.parametrize('known', [True, False])
@pytest.mark.parametrize('encoding', ['msgpack', 'json', 'protobuf'])
def test_a_call_has_at_most_so_many_documents_and_no_request_is_cut(serve, until, known, encoding):
    async def check():
        async with serve(Busy) as ask:
            sends = [
                lambda t=t: ask.docs(documents(*t), known=known, encoding=encoding)
                for t in ('ab', 'cd', 'efg', 'h', 'ijklmno', 'p')
            ]
            answers = await while_busy(ask, until, *sends)
            assert [''.join(texts(docs)) for docs in answers] == ['AB', 'CD', 'EFG', 'H', 'IJKLMNO', 'P']
            assert [''.join(call) for call in Busy.calls[1:]] == ['abcd', 'efgh', 'ijklmno', 'p']

    run(check())


def test_only_requests_with_equal_parameters_share_a_call(serve, until):
    async def check():
        async with serve(Busy) as ask:
            sends = [lambda t=t: ask.docs(documents(t), parameters=parameters(a=int(t) % 2)) for t in '1234']
            assert [texts(docs) for docs in await while_busy(ask, until, *sends)] == [[t] for t in '1234']
            assert Busy.calls[1:] == [['1', '3'], ['2', '4']]

    run(check())


def test_only_requests_to_one_endpoint_share_a_call_and_all_others_are_one(serve, until):
    async def check():
        async with serve(Busy) as ask:
            sends = [
                lambda e=e, t=t: ask.docs(documents(t), endpoint=e)
                for e, t in (('/x', 'a'), ('/any', 'b'), ('/x', 'c'), ('/other', 'd'))
            ]
            await while_busy(ask, until, *sends)
            assert Busy.calls[1:] == [['a', 'c'], ['b', 'd']]

    run(check())


def test_a_poison_document_fails_its_own_request_only_and_the_others_begin_anew(serve, until, caplog):
    async def check():
        async with serve(Busy) as ask:
            sends = [
                lambda t=t: ask.post([Document(text=t, embedding=np.ones(4))], endpoint='/poison')
                for t in ('a', 'bad', 'c')
            ]
            a, bad, c = await while_busy(ask, until, *sends, endpoint='/poison')
            assert "Executor 'w' (Busy) failed on '/poison': ValueError: poison" in bad[0].status.description
            assert bad[0].status.exception.stacks
            for (head, body), text in ((a, 'A'), (c, 'C')):
                assert head.status is None
                [doc] = codec('msgpack').decode(body)[0]
                assert doc.text == text
                assert (doc.embedding == -1).all()  # not what the failed call left, negated once more
            assert Busy.calls[1:] == [['a', 'bad', 'c'], ['a'], ['bad'], ['c']]
            assert 'ValueError in a call for 3 requests: each is tried again alone' in caplog.text

    run(check())


def test_a_body_that_cannot_be_read_fails_its_own_request_only(serve, until):
    async def check():
        async with serve(Busy) as ask:
            sends = [
                lambda: ask.post(documents('a')),
                lambda: ask.send([b'\xff\xff\xff'], (Part('msgpack', 3, 1, 0),)),
                lambda: ask.post(documents('c')),
            ]
            a, bad, c = await while_busy(ask, until, *sends)
            assert bad[0].status.client_error
            assert 'BadDocument' in bad[0].status.description
            assert (a[0].status, c[0].status) == (None, None)
            assert Busy.calls[1:] == [['a', 'c']]

    run(check())


def test_parameters_that_are_no_mapping_fail_the_requests_that_have_them(serve, until):
    async def check():
        async with serve(Busy) as ask:
            raw = msgspec.Raw(msgspec.msgpack.encode([1]))
            sends = [lambda p=p: ask.status(documents('a'), parameters=p) for p in (raw, raw, parameters())]
            *bad, good = await while_busy(ask, until, *sends)
            for status in bad:
                assert 'Expected `object`, got `array`' in status.description
            assert good is None

    run(check())


def test_a_result_that_cannot_be_sent_fails_its_own_request_only(serve, until):
    class Odd(Busy):
        @requests(on='/x', batch=4)
        def x(self, docs, **kwargs):
            self.work(docs)
            for doc in docs:
                if doc.text == 'ODD':
                    doc.tags['odd'] = object()

    async def check():
        async with serve(Odd) as ask:
            sends = [lambda t=t: ask.status(documents(t)) for t in ('a', 'odd', 'c')]
            a, odd, c = await while_busy(ask, until, *sends)
            assert (a, c) == (None, None)
            assert 'object' in odd.description

    run(check())


def test_a_cancelled_request_leaves_the_batch(serve, until):
    async def check():
        async with serve(Busy) as ask:
            first = asyncio.ensure_future(ask.post(documents('first')))
            await until(lambda: Busy.calls)
            stream = ask.connection._next_stream
            gone = asyncio.ensure_future(ask.post(documents('gone')))
            await asyncio.sleep(0)
            ask.connection.cancel(stream)
            last = asyncio.ensure_future(ask.docs(documents('last')))
            await until(lambda: ask.worker._open == 3)
            Busy.made.go.set()
            await first
            assert texts(await last) == ['LAST']
            gone.cancel()
            assert Busy.calls == [['first'], ['last']]

    run(check())


def test_a_request_that_is_late_leaves_the_batch(serve, until):
    async def check():
        async with serve(Busy) as ask:
            sends = [lambda: ask.status(documents('late'), timeout=0.0), lambda: ask.status(documents('b'))]
            late, b = await while_busy(ask, until, *sends)
            assert late.timed_out
            assert 'did not begin: its deadline has passed' in late.description
            assert b is None
            assert Busy.calls[1:] == [['b']]

    run(check())


class Waiting(Executor):
    """Waits for others."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        Waiting.calls = []

    @requests(on='/x', batch=3, wait=LONG)
    def x(self, docs, **kwargs):
        Waiting.calls.append(texts(docs))

    @requests(on='/soon', batch=3, wait=5)
    def soon(self, docs, **kwargs):
        Waiting.calls.append(texts(docs))

    @requests(on='/async', batch=3, wait=LONG)
    async def a(self, docs, **kwargs):
        self.x(docs)


@pytest.mark.parametrize('endpoint', ['/x', '/async'])
def test_the_first_waits_until_the_call_is_full(serve, until, endpoint):
    async def check():
        async with serve(Waiting) as ask:
            sent = [asyncio.ensure_future(ask.post(documents(t), endpoint=endpoint)) for t in 'ab']
            await until(lambda: ask.worker._open == 2)
            assert not Waiting.calls
            await ask.post(documents('c'), endpoint=endpoint)
            await asyncio.gather(*sent)
            assert Waiting.calls == [['a', 'b', 'c']]

    run(check())


def test_one_that_does_not_fit_sends_off_those_that_wait(serve, until):
    async def check():
        async with serve(Waiting) as ask:
            sent = [asyncio.ensure_future(ask.post(documents(*t), endpoint='/x')) for t in ('ab', 'cd')]
            await sent[0]
            assert Waiting.calls == [['a', 'b']]
            await ask.post(documents('e'), endpoint='/x')
            await sent[1]
            assert Waiting.calls == [['a', 'b'], ['c', 'd', 'e']]

    run(check())


def test_the_first_waits_so_long_at_most(serve):
    async def check():
        async with serve(Waiting) as ask:
            await ask.post(documents('a'), endpoint='/soon')
            assert Waiting.calls == [['a']]

    run(check())


def test_a_request_whose_deadline_would_pass_takes_those_that_wait_along(serve, until):
    async def check():
        async with serve(Waiting) as ask:
            first = asyncio.ensure_future(ask.post(documents('a')))
            assert await ask.status(documents('b'), timeout=10) is None
            await first
            assert Waiting.calls == [['a', 'b']]

    run(check())


def test_the_end_of_the_worker_does_not_wait_for_others(serve, until):
    async def check():
        async with serve(Waiting) as ask:
            first = asyncio.ensure_future(ask.post(documents('a')))
            await until(lambda: ask.worker._open == 1)
            await ask.worker.stop()
            answer, _ = await first
            assert answer.status is None

    run(check())


def test_parameters_that_nobody_sends_again_are_forgotten(serve):
    async def check():
        async with serve(Waiting) as ask:
            for n in range(5):
                await ask.post(documents('a'), endpoint='/soon', parameters=parameters(n=n))
            assert [batcher._open for batcher in ask.worker._batchers.values()] == [{}, {}, {}]

    run(check())


def test_async_calls_take_what_arrives_together_and_do_not_wait_for_each_other(serve, until):
    class Meeting(Executor):
        calls = ()

        @requests(batch=2)
        async def f(self, docs, **kwargs):
            Meeting.calls += (texts(docs),)
            await until(lambda: len(self.calls) == 2)

    async def check():
        async with serve(Meeting) as ask:
            answers = await asyncio.gather(*(ask.docs(documents(t)) for t in 'abcd'))
            assert [texts(docs) for docs in answers] == [['a'], ['b'], ['c'], ['d']]
            assert Meeting.calls == (['a', 'b'], ['c', 'd'])

    run(check())


def test_async_requests_of_a_failed_call_are_tried_again_alone(serve):
    class Failing(Executor):
        @requests(batch=3, wait=LONG)
        async def f(self, docs, **kwargs):
            if 'bad' in texts(docs):
                raise ValueError('poison')
            docs[0].text += '!'

    async def check():
        async with serve(Failing) as ask:
            a, bad, c = await asyncio.gather(*(ask.post(documents(t)) for t in ('a', 'bad', 'c')))
            assert 'ValueError: poison' in bad[0].status.description
            assert [texts(codec('msgpack').decode(body)[0]) for _, body in (a, c)] == [['a!'], ['c!']]

    run(check())


@pytest.mark.parametrize(
    ('returned', 'expected'),
    [
        (lambda docs: None, ['ab', 'c']),
        (lambda docs: docs, ['ab', 'c']),
        (lambda docs: [Document(text=doc.text + '!') for doc in docs], ['a!b!', 'c!']),
        (lambda docs: docs[::-1], ['ba', 'c']),
        (lambda docs: docs.reverse(), ['ba', 'c']),
        (lambda docs: [doc for doc in docs if doc.text != 'a'], ['b', 'c']),
        (lambda docs: docs[2], ['', 'c']),
        (lambda docs: docs.clear(), ['', '']),
    ],
)
def test_what_a_shared_call_leaves_is_split_again(serve, returned, expected):
    class Returning(Executor):
        @requests(batch=3, wait=LONG)
        def f(self, docs, **kwargs):
            return returned(docs)

    async def check():
        async with serve(Returning) as ask:
            answers = await asyncio.gather(*(ask.docs(documents(*t)) for t in ('ab', 'c')))
            assert [''.join(texts(docs)) for docs in answers] == expected

    run(check())


@pytest.mark.parametrize('sent', [['abc'], ['ab', 'c']])
@pytest.mark.parametrize('result', [[Document()], 'text'])
def test_any_other_result_is_an_error_of_each_request_even_of_one_alone(serve, sent, result):
    class Returning(Executor):
        @requests(batch=3, wait=LONG)
        def f(self, docs, **kwargs):
            return result

    async def check():
        async with serve(Returning) as ask:
            for status in await asyncio.gather(*(ask.status(documents(*t)) for t in sent)):
                told = (
                    'returned str'
                    if result == 'text'
                    else f'returned 1 Documents in a call with 3 of {len(sent)} requests'
                )
                for part in ("Executor 'w' (Returning) failed on '/x'", told):
                    assert part in status.description

    run(check())


class Grouping(Executor):
    """Records documents and groundtruths."""

    @requests(batch=8, wait=5)
    def f(self, docs, groundtruths, docs_matrix, groundtruths_matrix, **kwargs):
        self.calls.append((texts(docs or ()), texts(groundtruths or ()), docs_matrix and len(docs_matrix)))
        assert groundtruths_matrix is None or docs_matrix


def grouped(serve, *sends):
    Grouping.calls = []

    async def check():
        async with serve(Grouping) as ask:
            for head, _ in await asyncio.gather(*(send(ask) for send in sends)):
                assert head.status is None

    run(check())
    return Grouping.calls


@pytest.mark.parametrize('known', [True, False])
def test_groundtruths_stand_beside_their_documents(serve, known):
    def send(docs, truths):
        return lambda ask: ask.post(documents(*docs), groundtruths=documents(*truths), known=known)

    calls = grouped(serve, send('ab', '12'), send('c', '3'), send('de', '4'), send('f', ''), send('g', ''))
    assert sorted(calls) == [
        (['a', 'b', 'c'], ['1', '2', '3'], None), (['d', 'e'], ['4'], None), (['f', 'g'], [], None),
    ]  # fmt: skip


@pytest.mark.parametrize('known', [True, False])
def test_joins_and_requests_without_documents_go_alone(serve, known):
    calls = grouped(
        serve,
        lambda ask: ask.post(documents('a'), documents('b'), known=known),
        lambda ask: ask.post([], known=known),
        lambda ask: ask.post(known=known),
        lambda ask: ask.post(documents('c'), known=known),
    )
    assert sorted(calls) == [([], [], None), ([], [], None), (['a', 'b'], [], 2), (['c'], [], None)]


def test_answers_name_their_own_route_and_time(serve):
    async def check():
        async with serve(Waiting) as ask:
            answers = await asyncio.gather(*(ask.post(documents(t)) for t in 'abc'))
            for [route] in (head.routes for head, _ in answers):
                assert (route.pod, route.pod_id, route.start <= route.end) == ('w', 'w/0', True)

    run(check())


class Reusing(Executor):
    """Gives away the same memory again and again."""

    memory = np.zeros(1_000_000)

    @requests(on='/sync', batch=2)
    def f(self, docs, **kwargs):
        number = docs[0].tags['n']
        self.memory[:] = number
        for doc in docs:
            doc.embedding, doc.tags['n'] = self.memory, number

    @requests(on='/async', batch=2)
    async def g(self, docs, **kwargs):
        self.f(docs)


@pytest.mark.parametrize('endpoint', ['/sync', '/async'])
def test_large_answers_arrive_intact_though_their_memory_is_used_again(serve, tmp_path, endpoint):
    async def check():
        async with serve(Reusing, f'unix:{tmp_path}/s') as ask:
            sends = (ask.docs([Document(tags={'n': n})], endpoint=endpoint) for n in range(8))
            for [doc] in await asyncio.gather(*sends):
                assert (doc.embedding == doc.tags['n']).all()

    uvloop.run(check())


def test_what_the_spec_says_goes_before_what_the_decorator_says(serve, until):
    async def check():
        batching = {'/x': {'batch': 1}, '/default': {'batch': 2}}
        async with serve(Busy, batching=batching) as ask:
            sends = [lambda e=e, t=t: ask.docs(documents(t), endpoint=e) for e in ('/x', '/any') for t in 'abc']
            await while_busy(ask, until, *sends)
            assert sorted(Busy.calls[1:]) == [['a'], ['a', 'b'], ['b'], ['c'], ['c']]

    run(check())


def test_sizes_of_bodies_are_those_that_were_sent(serve):
    async def check():
        async with serve(Waiting) as ask:
            for head, body in await asyncio.gather(*(ask.post(documents(*t)) for t in ('ab', 'c'))):
                assert head.parts[0].size == body_size([body])
                assert head.parts[0].count == len(codec('msgpack').decode(body)[0])

    run(check())
