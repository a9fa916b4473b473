"""The Executor's thread runs the loop while calls are short; what that must not change."""

import asyncio
import os
import signal
import threading

from jina import Document, Executor, Flow, requests
from jina.types.request import StatusCode


class Both(Executor):
    """Has short calls, one that waits for a file, and one that is async."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.thread = threading.get_ident()

    @requests
    def short(self, docs, **kwargs):
        for doc in docs:
            doc.tags = {'pid': os.getpid(), 'own thread': threading.get_ident() == self.thread}

    @requests(on='/loop')
    async def where(self, docs, **kwargs):
        docs[0].tags['own thread'] = threading.get_ident() == self.thread

    @requests(on='/wait')
    def wait(self, parameters, **kwargs):
        with open(parameters['pipe'], 'rb') as pipe:
            pipe.read()

    @requests(on='/own-loop')
    def own_loop(self, docs, **kwargs):
        async def text():
            await asyncio.sleep(0)
            return 'from a loop of its own'

        docs[0].text = asyncio.run(text())

    @requests(on='/flow')
    def flow(self, docs, **kwargs):
        with Flow(quiet=True).add(uses=Both, runtime_backend='THREAD') as inner:
            docs[0].text = str(inner.post('/own-loop', Document(), return_results=True)[0].docs[0].text)

    def close(self):
        if path := os.environ.get('CLOSED'):
            with open(path, 'a') as file:
                file.write('closed\n')


def ask(flow, endpoint, **parameters):
    response = flow.post(endpoint, Document(), parameters=parameters, return_results=True)[0]
    assert response.status.code == StatusCode.SUCCESS, response.status
    return response.docs[0]


def is_driven(flow):
    """Whether the Executor's thread runs the loop."""
    ask(flow, '/')
    return ask(flow, '/loop').tags['own thread']


def driven(flow, tries=200):
    return any(is_driven(flow) for _ in range(tries))


def test_while_calls_are_short_the_executors_thread_runs_the_loop():
    with Flow(quiet=True).add(uses=Both) as flow:
        assert driven(flow)
        assert ask(flow, '/').tags['own thread']


def test_a_call_that_is_long_keeps_no_async_one_waiting(tmp_path):
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    with Flow(quiet=True).add(uses=Both) as flow:
        assert driven(flow)
        long = threading.Thread(target=ask, args=(flow, '/wait'), kwargs={'pipe': str(pipe)})
        long.start()
        with open(pipe, 'wb'):  # it has begun
            assert not ask(flow, '/loop').tags['own thread']
            assert long.is_alive()
        long.join()
        assert driven(flow)  # and then it has the loop again


def test_a_call_may_run_a_loop_of_its_own():
    with Flow(quiet=True).add(uses=Both) as flow:
        assert driven(flow)
        assert ask(flow, '/own-loop').text == 'from a loop of its own'


def test_a_call_may_open_a_flow():
    with Flow(quiet=True).add(uses=Both) as flow:
        assert driven(flow)
        assert ask(flow, '/flow').text == 'from a loop of its own'


def test_sigterm_ends_it_and_closes_the_executor_once(tmp_path, until):
    closed = tmp_path / 'closed'
    with Flow(quiet=True).add(uses=Both, restarts=0, env={'CLOSED': str(closed)}) as flow:
        assert driven(flow)
        os.kill(int(ask(flow, '/').tags['pid']), signal.SIGTERM)
        asyncio.run(until(closed.exists))
    assert closed.read_text() == 'closed\n'


def test_large_answers_leave_before_the_next_call_changes_them():
    class Counts(Executor):
        def __init__(self, **kwargs):
            import numpy as np

            super().__init__(**kwargs)
            self.kept = np.zeros(1 << 20, dtype=np.uint8)

        @requests
        def count(self, docs, **kwargs):
            self.kept += 1
            docs[0].blob = self.kept

    seen = []
    with Flow(quiet=True).add(uses=Counts) as flow:
        inputs = [Document() for _ in range(200)]
        flow.post(
            '/', inputs, request_size=1, on_done=lambda r: seen.append((r.docs[0].blob.min(), r.docs[0].blob.max()))
        )
    assert sorted(seen) == [(n, n) for n in range(1, 201)]
