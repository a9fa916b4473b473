"""Which method is called, where, and with what."""

import asyncio
import logging
import threading

import pytest
from running import run

from jina import Document, DocumentArray, Executor, requests
from jina.types.request import StatusCode
from jina.wire.head import BYPASS, NO_PARAMETERS


class Upper(Executor):
    @requests(on='/x')
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()


class Recorder(Executor):
    """Keeps the arguments of its last call."""

    @requests
    def keep(self, **kwargs):
        Recorder.got = kwargs


def texts(docs):
    return [doc.text for doc in docs]


def test_documents_changed_in_place_are_the_answer(serve):
    async def check():
        async with serve(Upper) as ask:
            assert texts(await ask.docs([Document(text='a'), Document(text='b')])) == ['A', 'B']

    run(check())


@pytest.mark.parametrize('encoding', ['msgpack', 'json', 'protobuf'])
@pytest.mark.parametrize('accept', ['msgpack', 'json', 'protobuf'])
def test_any_encoding_comes_in_and_goes_out(serve, encoding, accept):
    async def check():
        async with serve(Upper) as ask:
            docs = await ask.docs([Document(text='a', tags={'n': 1})], encoding=encoding, known=False, accept=accept)
            assert texts(docs) == ['A']
            assert docs[0].tags == {'n': 1}

    run(check())


def test_the_route_names_the_worker_and_its_times(serve):
    async def check():
        async with serve(Upper) as ask:
            answer, _ = await ask.post([Document(text='a')])
            [route] = answer.routes
            assert (route.pod, route.pod_id, route.start <= route.end) == ('w', 'w/0', True)

    run(check())


def test_parameters_and_groundtruths_arrive(serve):
    async def check():
        async with serve(Recorder) as ask:
            await ask.post([Document(text='a')], groundtruths=[Document(text='g')], parameters=NO_PARAMETERS)
            got = Recorder.got
            assert texts(got['docs']) == ['a']
            assert texts(got['groundtruths']) == ['g']
            assert got['parameters'] == {}
            assert got['docs_matrix'] is None
            assert got['groundtruths_matrix'] is None

    run(check())


@pytest.mark.parametrize('branches', [[], [[]], [[], []]])
@pytest.mark.parametrize('known', [True, False])
def test_no_documents_are_none(serve, branches, known):
    async def check():
        async with serve(Recorder) as ask:
            await ask.post(*branches, known=known)
            assert Recorder.got['docs'] is None
            assert Recorder.got['groundtruths'] is None

    run(check())


def test_joined_branches_are_one_array_and_a_list_of_the_same_documents(serve):
    class Join(Executor):
        @requests
        def join(self, docs, docs_matrix, **kwargs):
            assert [texts(branch) for branch in docs_matrix] == [['a', 'b'], ['c']]
            assert isinstance(docs_matrix[0], DocumentArray)
            for doc in docs_matrix[1]:
                doc.text += '!'
            docs[0].text += '?'

    async def check():
        async with serve(Join) as ask:
            docs = await ask.docs([Document(text='a'), Document(text='b')], [Document(text='c')])
            assert texts(docs) == ['a?', 'b', 'c!']

    run(check())


def test_a_join_that_nobody_works_on_answers_all_documents(serve):
    async def check():
        async with serve(Executor) as ask:
            docs = await ask.docs([Document(text='a')], [Document(text='b')], encoding='json', accept='json')
            assert texts(docs) == ['a', 'b']

    run(check())


@pytest.mark.parametrize(
    ('returned', 'expected'),
    [
        (lambda docs: None, ['a', 'b']),
        (lambda docs: docs, ['a', 'b']),
        (lambda docs: DocumentArray([Document(text='new')]), ['new']),
        (lambda docs: [docs[1]], ['b']),
        (lambda docs: docs[0], ['a']),
        (lambda docs: docs[:1], ['a']),
        (lambda docs: (), []),
    ],
)
def test_what_a_method_returns_takes_the_place_of_docs(serve, returned, expected):
    class Returning(Executor):
        @requests
        def f(self, docs, **kwargs):
            return returned(docs)

    async def check():
        async with serve(Returning) as ask:
            assert texts(await ask.docs([Document(text='a'), Document(text='b')])) == expected

    run(check())


@pytest.mark.parametrize('returned', ['text', 5, {'a': 1}, [1], iter(())])
def test_any_other_result_is_an_error_that_names_executor_endpoint_and_type(serve, returned):
    class Returning(Executor):
        @requests
        def f(self, **kwargs):
            return returned

    async def check():
        async with serve(Returning) as ask:
            status = await ask.status([Document()])
            shown = type(returned[0] if isinstance(returned, list) else returned).__name__
            for part in ("'w'", 'Returning', "'/x'", shown):
                assert part in status.description

    run(check())


def test_a_request_that_bypasses_is_not_worked_on(serve):
    async def check():
        async with serve(Upper) as ask:
            assert texts(await ask.docs([Document(text='a')], flags=BYPASS, accept='json')) == ['a']

    run(check())


def test_sync_methods_have_one_thread_from_construction_to_close(serve):
    seen = []

    class Sync(Executor):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            seen.append(threading.get_ident())

        @requests
        def f(self, **kwargs):
            seen.append(threading.get_ident())

        def close(self):
            seen.append(threading.get_ident())

    async def check():
        async with serve(Sync) as ask:
            await asyncio.gather(*(ask.post([Document()]) for _ in range(10)))
        assert len(seen) == 12
        assert len(set(seen)) == 1

    run(check())
    assert set(seen) != {threading.get_ident()}


def test_async_methods_run_at_the_same_time_on_the_loop(serve, until):
    class Meeting(Executor):
        """Answers when three are there."""

        here = 0

        @requests
        async def f(self, docs, **kwargs):
            self.here += 1
            await until(lambda: self.here >= 3)
            docs[0].text = str(threading.get_ident())

    async def check():
        async with serve(Meeting) as ask:
            answers = await asyncio.gather(*(ask.docs([Document()]) for _ in range(3)))
            assert {docs[0].text for docs in answers} == {str(threading.get_ident())}

    run(check())


def test_sync_requests_are_answered_in_order(serve):
    async def check():
        async with serve(Upper) as ask:
            answers = await asyncio.gather(*(ask.docs([Document(text=f'x{n}')]) for n in range(300)))
            assert [docs[0].text for docs in answers] == [f'X{n}' for n in range(300)]

    run(check())


def test_an_error_tells_who_where_what_and_the_traceback_of_the_users_code(serve):
    class Failing(Executor):
        @requests(on='/x')
        def f(self, **kwargs):
            self.helper()

        def helper(self):
            raise KeyError('what', 5)

    async def check():
        async with serve(Failing) as ask:
            status = await ask.status([Document()])
            assert status.code == StatusCode.ERROR
            assert not status.client_error
            assert status.description.startswith("Executor 'w' (Failing) failed on '/x': KeyError:")
            raised = status.exception
            assert (raised.name, raised.args, raised.executor) == ('KeyError', ('what', '5'), 'Failing')
            frames = [line for line in raised.stacks if line.startswith('  File')]
            assert 'in f' in frames[0]
            assert 'in helper' in frames[1]

    run(check())


def test_an_async_error_too(serve):
    class Failing(Executor):
        @requests
        async def f(self, **kwargs):
            raise ValueError('async')

    async def check():
        async with serve(Failing) as ask:
            status = await ask.status([Document()])
            assert 'ValueError: async' in status.description
            assert 'in f' in status.exception.stacks[1]

    run(check())


def test_a_worker_lives_on_after_an_error(serve):
    class Fragile(Executor):
        @requests
        def f(self, docs, **kwargs):
            if docs[0].text == 'bad':
                raise ValueError(docs[0].text)

    async def check():
        async with serve(Fragile) as ask:
            assert (await ask.status([Document(text='bad')])).code == StatusCode.ERROR
            assert texts(await ask.docs([Document(text='good')])) == ['good']

    run(check())


class NotEvenText(Exception):
    def __str__(self):
        raise ValueError('no text')


class EndsWhenAskedForText(Exception):
    def __str__(self):
        raise SystemExit('no text')


class SyncRaising(Executor):
    @requests
    def f(self, **kwargs):
        raise RAISED[-1]


class AsyncRaising(Executor):
    @requests
    async def f(self, **kwargs):
        raise RAISED[-1]


RAISED = []


@pytest.mark.parametrize(
    ('cls', 'error'),
    [
        (SyncRaising, SystemExit(1)),
        (SyncRaising, KeyboardInterrupt()),
        (SyncRaising, asyncio.CancelledError()),
        (AsyncRaising, asyncio.CancelledError()),
        pytest.param(SyncRaising, NotEvenText()),
        pytest.param(AsyncRaising, NotEvenText()),
        pytest.param(SyncRaising, EndsWhenAskedForText()),
        pytest.param(AsyncRaising, EndsWhenAskedForText()),
        pytest.param(SyncRaising, ValueError('the file \udcff')),
        pytest.param(AsyncRaising, ValueError('the file \udcff')),
    ],
    ids=lambda value: getattr(value, '__name__', type(value).__name__),
)
@pytest.mark.filterwarnings('ignore::pytest.PytestUnhandledThreadExceptionWarning')
def test_whatever_is_raised_the_request_is_answered_and_the_next_one_too(serve, cls, error):
    async def check():
        RAISED.append(error)
        async with serve(cls) as ask:
            for _ in range(2):
                assert (await ask.status([Document()])).exception.name == type(error).__name__

    run(check())


class FailingHandler(logging.Handler):
    def emit(self, record):
        raise RuntimeError('the disk is full')


@pytest.mark.parametrize('cls', [SyncRaising, AsyncRaising])
def test_a_failing_log_does_not_keep_an_answer(serve, cls):
    async def check():
        RAISED.append(ValueError('x'))
        async with serve(cls) as ask:
            for _ in range(2):
                assert (await ask.status([Document()])).exception.name == 'ValueError'

    handler = FailingHandler()
    logging.getLogger('jina').addHandler(handler)
    try:
        run(check())
    finally:
        logging.getLogger('jina').removeHandler(handler)


def test_an_error_with_a_huge_text_is_answered(serve, tmp_path):
    async def check():
        RAISED.append(ValueError('x' * (40 << 20)))
        async with serve(SyncRaising, f'unix:{tmp_path}/s') as ask:
            assert (await ask.status([Document()])).exception.name == 'ValueError'

    run(check())


def test_a_cancelled_request_that_has_not_begun_does_not_begin(serve, until):
    calls, go = [], threading.Event()

    class Slow(Executor):
        @requests
        def f(self, docs, **kwargs):
            calls.append(docs[0].text)
            go.wait(20)

    async def check():
        async with serve(Slow) as ask:
            first = asyncio.ensure_future(ask.post([Document(text='first')]))
            await until(lambda: calls)
            stream = ask.connection._next_stream
            second = asyncio.ensure_future(ask.post([Document(text='second')]))
            await asyncio.sleep(0)
            ask.connection.cancel(stream)
            third = asyncio.ensure_future(ask.post([Document(text='third')]))
            await until(lambda: ask.worker._open >= 3)
            go.set()
            await asyncio.gather(first, third)
            second.cancel()
            assert calls == ['first', 'third']

    run(check())
