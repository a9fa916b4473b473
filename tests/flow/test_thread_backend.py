"""The same jobs with Executors in threads of the calling process."""

import os
import threading

import pytest
from programs import start_timeout

from jina import Document, Executor, Flow, requests
from jina.excepts import RuntimeFailToStart
from jina.types.request import StatusCode

RELEASE = threading.Event()


class Inside(Executor):
    closed = 0
    threads = ()

    def __init__(self, bar=1, **kwargs):
        super().__init__(**kwargs)
        self.bar = bar
        self.born = threading.get_ident()

    @requests
    def foo(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags = {'pid': os.getpid(), 'bar': self.bar, 'same thread': threading.get_ident() == self.born}

    @requests(on='/async')
    async def bar_(self, docs, **kwargs):
        return [Document(text='async')]

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError('no good')

    def close(self):
        type(self).closed += 1


class Waits(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        RELEASE.wait()


class Raises(Executor):
    def __init__(self, **kwargs):
        raise ValueError('no model')


def add(flow, uses=Inside, **options):
    return flow.add(uses=uses, runtime_backend='THREAD', **options)


@pytest.fixture(scope='module')
def flow():
    with add(add(Flow(), uses_with={'bar': 5}), name='last') as flow:
        yield flow


def test_runs_in_this_process_always_in_one_thread(flow):
    for _ in range(3):
        [response] = flow.post('/', Document(), target_peapod='pod0', return_results=True)
        assert response.docs[0].tags == {'pid': os.getpid(), 'bar': 5, 'same thread': True}


def test_async_methods(flow):
    [response] = flow.post('/async', Document(), return_results=True)
    assert response.docs[0].text == 'async'


def test_a_handler_that_raises(flow):
    [response] = flow.post('/fail', Document(text='x'), return_results=True)
    assert response.status.code == StatusCode.ERROR
    assert "Executor 'pod0' (Inside) failed on '/fail': ValueError: no good" in response.status.description
    assert response.docs[0].text == 'x'


def test_the_documents_are_not_shared_with_the_caller(flow):
    sent = Document()
    flow.post('/', sent)
    assert not sent.tags


def test_joins_with_executors_in_processes(flow):
    with add(Flow(), name='a').add(name='b', needs='gateway').add(needs=['a', 'b']) as mixed:
        [response] = mixed.post('/', Document(), return_results=True)
        assert [bool(d.tags) for d in response.docs] == [True, False]


def test_close_is_called_once_and_threads_end():
    before = set(threading.enumerate())
    Inside.closed = 0
    with add(Flow()) as flow:
        flow.post('/', Document())
        assert Inside.closed == 0
    assert Inside.closed == 1
    for thread in set(threading.enumerate()) - before:
        thread.join(20)
        assert not thread.is_alive(), thread.name


def test_init_that_raises():
    with pytest.raises(RuntimeFailToStart, match=r"'pod0' \(thread\) could not start.*ValueError: no model"):
        add(Flow(), Raises).start()


def test_init_that_hangs():
    try:
        error = start_timeout(lambda ms: add(Flow(), Waits, timeout_ready=ms), 'running Waits.__init__()')
        assert str(error).startswith("'pod0' (thread) ")
    finally:
        RELEASE.set()


def test_in_a_script(place):
    printed = place.script("""
        from jina import Document, Executor, Flow, requests

        class Counts(Executor):
            count = 0

            @requests
            def foo(self, docs, **kwargs):
                Counts.count += len(docs)

        with Flow().add(uses=Counts, runtime_backend='THREAD') as f:
            f.post('/', (Document() for _ in range(1000)), request_size=10)
        print(Counts.count)
        """)
    assert printed == '1000\n'
