"""From the start of a worker to its end."""

import asyncio
import threading

import pytest
from running import run

from jina import Document, Executor, requests
from jina.excepts import ExecutorFailToLoad
from jina.spec import ExecutorSpec, WorkerSpec
from jina.worker import Worker


def worker(uses, cls=None, listen='memory:life', **options):
    return Worker(
        WorkerSpec(executor=ExecutorSpec(name='w', uses=uses, **options), listen=listen), (lambda: cls) if cls else None
    )


async def failure(worker, kind=ExecutorFailToLoad):
    """What its start raises."""
    with pytest.raises(kind) as raised:
        await worker.start(lambda doing: None)
    await worker.stop()
    worker._thread.stop()  # until it is ended by stop()
    return raised.value


class Kept(Executor):
    def __init__(self, a=0, **kwargs):
        super().__init__(**kwargs)
        Kept.made = self
        self.a = a

    closed = 0

    def close(self):
        Kept.closed += 1


def test_the_executor_is_made_as_its_spec_says_and_knows_where_it_runs(serve, tmp_path):
    async def check():
        w = Worker(
            WorkerSpec(
                executor=ExecutorSpec(
                    name='w', uses={'jtype': 'Kept', 'with': {'a': 5}, 'metas': {'x': 'y'}}, workspace=str(tmp_path)
                ),
                listen='memory:life',
                replica_id=3,
            ),
            lambda: Kept,
        )
        doing = []
        ready = await w.start(doing.append)
        assert ready.address == 'memory:life'
        assert doing == ['importing Kept', 'running Kept.__init__()']
        assert (Kept.made.a, Kept.made.metas.x) == (5, 'y')
        assert Kept.made.runtime_args == {
            'name': 'w', 'workspace': str(tmp_path), 'replica_id': 3, 'shard_id': 3, 'pea_id': 3,
        }  # fmt: skip
        assert Kept.made.workspace == str(tmp_path / 'w' / '3')
        await w.stop()

    run(check())


def test_close_is_called_once(serve):
    async def check():
        Kept.closed = 0
        async with serve(Kept) as ask:
            await ask.post([Document()])
        await ask.worker.stop()
        assert Kept.closed == 1

    run(check())


def test_a_close_that_raises_does_not_keep_the_worker_from_ending(serve):
    class Bad(Executor):
        def close(self):
            raise ValueError('in close')

    async def check():
        async with serve(Bad) as ask:
            await ask.post([Document()])

    run(check())


def test_what_is_under_way_is_answered_before_the_end(serve, until):
    began, go, closed = threading.Event(), threading.Event(), []

    class Slow(Executor):
        @requests
        def f(self, **kwargs):
            began.set()
            go.wait(20)

        def close(self):
            closed.append(go.is_set())

    async def check():
        async with serve(Slow) as ask:
            waiting = asyncio.ensure_future(ask.post([Document()]))
            await until(began.is_set)
            stopping = asyncio.ensure_future(ask.worker.stop())
            await asyncio.sleep(0)
            go.set()
            await stopping
            answer, _ = await waiting
            assert answer.status is None
            assert closed == [True]

    run(check())


def test_a_class_that_cannot_be_found_is_named():
    error = run(failure(worker({'jtype': 'NoSuchThing'})))
    assert "there is no Executor class 'NoSuchThing'" in str(error)


class Broken(Executor):
    def __init__(self, **kwargs):
        raise ValueError('no model')


def test_an_init_that_raises_is_told_with_its_arguments():
    error = run(failure(worker({'jtype': 'Broken', 'with': {'a': 1}}, Broken)))
    assert str(error) == 'Broken.__init__() raised ValueError: no model (called with a=1)'


def test_an_executor_that_was_not_made_leaves_no_thread(until):

    async def check():
        w = worker({'jtype': 'Broken'}, Broken)
        try:
            with pytest.raises(ExecutorFailToLoad):
                await w.start(lambda doing: None)
            await w.stop()
            await until(lambda: not [t for t in threading.enumerate() if t.name == 'executor-w'])
        finally:
            w._thread.stop()

    run(check())


def test_requests_that_name_no_method_are_refused():
    error = run(failure(worker({'jtype': 'Kept', 'requests': {'/x': 'nope'}}, Kept)))
    assert "Kept has no method 'nope', which its `requests` bind to '/x'" in str(error)


def test_an_address_that_is_taken_is_an_oserror_and_closes_the_executor(serve):
    async def check():
        Kept.closed = 0
        async with serve(Kept, 'memory:life'):
            await failure(worker({'jtype': 'Kept'}, Kept), OSError)
            assert Kept.closed == 1

    run(check())


def test_arguments_given_in_python_arrive_as_they_are(serve, monkeypatch):
    monkeypatch.setenv('SOMETHING', 'else')

    async def check():
        async with serve(Kept, **{'with': {'a': '$SOMETHING'}}):
            assert Kept.made.a == '$SOMETHING'

    run(check())
