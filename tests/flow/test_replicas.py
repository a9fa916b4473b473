"""Replicas, in real processes: who receives what, who takes the place of the dead, and how all are exchanged."""

import os
import signal
import threading
import time

import pytest
from ports import free_port
from programs import alive, interrupt, until, wait_line

from jina import Document, DocumentArray, Executor, Flow, requests
from jina.excepts import BadOption, FlowMissingPodError, RuntimeFailToStart


class Signs(Executor):
    """Adds what it is called with, which replica and which process it is."""

    def __init__(self, word='', **kwargs):
        super().__init__(**kwargs)
        if word == 'fail':
            raise RuntimeError('as asked for')
        self.word = word

    @requests
    def sign(self, docs, **kwargs):
        for doc in docs:
            doc.text += f'{self.word}{self.runtime_args.replica_id}'
            doc.tags['pid'] = os.getpid()

    @requests(on='/slow')
    def slow(self, docs, parameters, **kwargs):
        time.sleep(parameters['seconds'])
        self.sign(docs)

    @requests(on='/hold')
    def hold(self, docs, parameters, **kwargs):
        while self.runtime_args.replica_id == 0 and not os.path.exists(parameters['until']):
            time.sleep(0.01)
        self.sign(docs)

    @requests(on='/die')
    def die(self, parameters, **kwargs):
        if self.runtime_args.replica_id == parameters.get('who', self.runtime_args.replica_id):
            os._exit(7)

    @requests(on='/wrong')
    def wrong(self, **kwargs):
        raise ValueError('as asked for')


class Joins(Executor):
    @requests
    def join(self, docs, docs_matrix, **kwargs):
        sizes = [len(m) for m in docs_matrix] if docs_matrix else None
        return DocumentArray([Document(text=f'{sizes} {sorted(docs.get_attributes("text"))}')])


def texts(flow, on='/', inputs=None, **options):
    """The texts that come back for one request, or what failed."""
    [response] = flow.post(on, inputs or Document(), return_results=True, **options)
    return response.status.description or [doc.text for doc in response.docs]


def pids(flow, times=20):
    responses = flow.post('/', (Document() for _ in range(times)), request_size=1, return_results=True)
    return {doc.tags['pid'] for response in responses for doc in response.docs}


@pytest.mark.parametrize(
    ('polling', 'received'), [('ANY', "None ['0']"), ('ALL', "[1, 1, 1] ['0', '1', '2']"), ('ALL_ASYNC', None)]
)
def test_who_receives_a_request_and_what_follows_is_called_with(polling, received):
    with Flow().add(name='p1', uses=Signs, parallel=3, polling=polling).add(name='p2', uses=Joins) as f:
        [told] = texts(f)
        assert told in ([received] if received else [f"None ['{n}']" for n in range(3)])


def test_the_first_of_all_is_not_held_up_by_the_others(tmp_path):
    with Flow().add(uses=Signs, parallel=2, polling='ALL_ASYNC') as f:
        assert texts(f, '/hold', parameters={'until': str(tmp_path / 'told')}) == ['1']
        (tmp_path / 'told').touch()


@pytest.mark.parametrize('protocol', ['grpc', 'http', 'websocket'])
def test_the_answers_of_all_are_joined_for_every_kind_of_client(protocol):
    with Flow(protocol=protocol).add(uses=Signs, parallel=2, polling='ALL') as f:
        assert sorted(texts(f)) == ['0', '1']
        assert sorted(texts(f.client)) == ['0', '1']


def test_executors_before_and_after_the_replicas():
    flow = Flow().add(name='p', uses=Signs, replicas=2, polling='ALL', uses_before=Signs, uses_after=Joins)
    with flow.add(uses=Signs, uses_with={'word': 'end'}) as f:
        assert texts(f) == ["[1, 1] ['00', '01']end0"]
        assert texts(f, target_peapod='^p$') == ["[1, 1] ['00', '01']"]


def test_each_replica_has_a_workspace_of_its_own(tmp_path):
    class Keeps(Executor):
        @requests
        def where(self, **kwargs):
            return DocumentArray([Document(text=self.workspace)])

    with Flow(workspace=str(tmp_path)).add(name='keeps', uses=Keeps, replicas=2, polling='ALL') as f:
        assert texts(f) == [str(tmp_path / 'keeps' / str(n)) for n in range(2)]


def test_threads_can_be_replicas_too():
    with Flow().add(uses=Signs, replicas=3, polling='ALL', runtime_backend='THREAD') as f:
        assert texts(f) == ['0', '1', '2']


def test_a_dead_replica_is_replaced_and_meanwhile_the_others_serve():
    with Flow().add(name='p', uses=Signs, replicas=2) as f:
        before = pids(f)
        assert len(before) == 2
        assert "Executor 'p'" in texts(f, '/die')
        assert texts(f) in (['0'], ['1'])
        assert until(lambda: len(pids(f)) == 2)
        assert len(pids(f) - before) == 1


def test_a_flow_may_be_closed_while_one_takes_its_place():
    for _ in range(3):
        with Flow().add(name='p', uses=Signs) as f:
            [pid] = pids(f)
            os.kill(pid, signal.SIGKILL)
            assert until(lambda pid=pid: not alive(pid))
            before = time.monotonic()
        assert time.monotonic() - before < 4


def test_every_request_has_one_outcome_while_replicas_die():
    with Flow().add(name='p', uses=Signs, replicas=2) as f:
        victims = list(pids(f))
        done = []
        inputs = (Document(text=f'{n} ') for n in range(3000))

        def receive(response):
            done.append(response.status.code)
            if len(done) in (200, 1500) and victims:
                os.kill(victims.pop(), signal.SIGKILL)

        f.post('/', inputs, on_always=receive, on_error=lambda r: None, request_size=1)
        assert len(done) == 3000
        assert 0 < done.count(0) < 3000 + 1
        assert not any(alive(pid) for pid in victims)


def test_requests_to_the_only_one_wait_until_another_has_taken_its_place():
    with Flow().add(name='p', uses=Signs) as f:
        [before] = pids(f)
        os.kill(before, signal.SIGKILL)
        assert until(lambda: 'went away' not in texts(f))  # what reached it before its end was known
        [after] = pids(f)
        assert after != before


def test_one_that_dies_again_and_again_is_given_up_and_the_answer_says_so():
    with Flow().add(name='p', uses=Signs, restarts=1) as f:
        assert 'went away while it worked on this request' in texts(f, '/die')
        assert 'went away while it worked on this request' in texts(f, '/die')
        assert "Executor 'p' is no longer running" in texts(f)
        assert 'exited with code 7; it was started again 1 times in a row, no more' in texts(f)


def test_one_that_is_not_to_be_started_again(caplog):
    with Flow().add(name='p', uses=Signs, restarts=0) as f:
        assert 'went away' in texts(f, '/die')
        assert 'exited with code 7; it is not started again' in texts(f)


def test_a_rolling_update_changes_arguments_and_loses_no_request():
    with Flow().add(name='p', uses=Signs, replicas=2, uses_with={'word': 'old'}) as f:
        before = pids(f)
        seen, stop = [], threading.Event()

        def stream():
            while not stop.is_set():
                yield Document()

        def post():
            f.post('/', stream, on_always=lambda r: seen.append((r.status.code, r.docs[0].text)), request_size=1)

        thread = threading.Thread(target=post)
        thread.start()
        try:
            assert until(lambda: seen)
            f.rolling_update('p', uses_with={'word': 'new'})
            count = len(seen)
            assert until(lambda: len(seen) > count + 500)
        finally:
            stop.set()
            thread.join()
        assert {code for code, _ in seen} == {0}
        assert {text for _, text in seen[-100:]} <= {'new0', 'new1'}
        assert not before & pids(f)
        assert not any(alive(pid) for pid in before)
        assert f['p'].uses_with == {'word': 'new'}


def test_a_rolling_update_lets_the_old_one_end_what_it_has_begun():
    with Flow().add(name='p', uses=Signs, uses_with={'word': 'old'}) as f:
        told = []
        thread = threading.Thread(target=lambda: told.append(texts(f, '/slow', parameters={'seconds': 1.5})))
        thread.start()
        f.rolling_update('p', uses_with={'word': 'new'})
        thread.join()
        assert told[0] in (['old0'], ['new0'])
        assert texts(f) == ['new0']


def test_a_rolling_update_that_fails_leaves_the_old_ones_at_work():
    with Flow().add(name='p', uses=Signs, replicas=2) as f:
        before = pids(f)
        with pytest.raises(RuntimeFailToStart, match='as asked for'):
            f.rolling_update('p', uses_with={'word': 'fail'})
        assert pids(f) == before
        assert f['p'].uses_with == {}


def test_who_can_be_updated():
    flow = Flow().add(name='p', uses=Signs)
    with pytest.raises(Exception, match='needs an open Flow'):
        flow.rolling_update('p')
    with flow as f, pytest.raises(FlowMissingPodError, match="no Executor 'q'"):
        f.rolling_update('q')


def test_what_becomes_of_a_request_on_which_an_executor_fails():
    for strategy, result in (('IGNORE', 'endb0'), ('SKIP_HANDLE', ''), ('THROW_EARLY', '')):
        flow = Flow(on_error_strategy=strategy).add(name='a', uses=Signs)
        with flow.add(name='b', uses=Signs, uses_with={'word': 'endb'}, uses_requests={'/wrong': 'sign'}) as f:
            [response] = f.post('/wrong', Document(), return_results=True)
            assert "Executor 'a' (Signs) failed on '/wrong': ValueError: as asked for" in response.status.description
            assert response.docs[0].text == result


def test_one_that_only_looks_changes_nothing():
    with Flow().add(uses=Signs).inspect(uses=Signs).add(uses=Signs) as f:
        assert texts(f) == ['00']
        assert texts(f, '/die', target_peapod='inspect0', timeout=5) == ['']


def test_an_external_executor_is_neither_started_nor_ended(place):
    place.write(
        'execs.py',
        """
        from jina import Executor, requests
        class Far(Executor):
            @requests
            def foo(self, docs, **kwargs):
                docs[0].text += 'far'
        """,
    )
    command = ['-m', 'jina', 'executor', '--uses', 'Far', '--py-modules', 'execs.py', '--listen']
    address = f'127.0.0.1:{free_port()}'
    with place.start(*command, f'tcp:{address}') as far:
        wait_line(far.stderr, 'ready')
        for _ in range(2):
            with Flow().add(name='far', external=True, host=address).add(uses=Signs) as f:
                assert texts(f) == ['far0']
        with Flow().add(name='far', external=True, host=address) as f, pytest.raises(BadOption, match='is external'):
            f.rolling_update('far')
        interrupt(far)


def test_a_deadline_holds_whatever_the_executor_does(tmp_path):
    with Flow().add(name='p', uses=Signs) as f:
        told = texts(f, '/hold', parameters={'until': str(tmp_path / 'told')}, timeout=0.3)
        assert told == "the deadline of 0.3 s passed while the request was at 'p'"
        (tmp_path / 'told').touch()


def test_the_protocol_can_be_switched_while_it_is_open():
    with Flow(protocol='http').add(uses=Signs) as f:
        port = f.port_expose
        f.protocol = 'grpc'
        assert (f.protocol, f.port_expose) == ('grpc', port)
        assert texts(f.client) == ['0']
        f.protocol = ['GRPC', 'http']
        assert f.ports[0] == port
        assert texts(f.client) == ['0']
        assert texts(f) == ['0']


def test_how_many_there_are_is_told_before_it_is_open():
    flow = Flow(workspace='x').add(replicas=3, uses_before=Signs).add(external=True, host='there:1').build()
    assert (flow.num_pods, flow.num_peas, flow.workspace) == (3, 5, 'x')


def test_join_is_another_name_of_needs():
    flow = Flow().add(name='a', needs='gateway').add(name='b', needs='gateway').join(['a', 'b'])
    assert flow['joiner'].needs == ['a', 'b']
