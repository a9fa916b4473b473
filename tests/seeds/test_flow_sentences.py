"""What the Flow seed says between its code blocks."""

import asyncio
import gc
import inspect
import json
import os
import threading
from contextlib import closing
from urllib.request import Request, urlopen

import numpy as np
import psutil
import pytest
from programs import until

from jina import AsyncFlow, Client, Document, DocumentArray, Executor, Flow, requests
from jina.excepts import FlowBuildLevelError
from jina.types.document.generators import from_csv, from_files, from_ndarray, from_ndjson
from jina.types.request import Response


class Signs(Executor):
    """Leaves its name and its process on each document."""

    @requests
    def sign(self, docs, **kwargs):
        assert type(docs) is DocumentArray
        assert all(type(doc) is Document for doc in docs)
        for doc in docs:
            doc.text += f'{self.runtime_args.name},'
            doc.tags['pid'] = os.getpid()

    @requests(on='/count')
    def count(self, docs, **kwargs):
        return [Document(text=str(len(docs)))]


class Counts(Executor):
    """Counts up by a step that parameters change."""

    step, total = 1, 0

    @requests(on='/configure')
    def configure(self, parameters, **kwargs):
        self.step = parameters['step']

    @requests
    def count(self, docs, **kwargs):
        self.total += self.step
        return [Document(text=str(self.total))]


class Meets(Executor):
    """Goes on when as many have come as are expected."""

    barrier: threading.Barrier

    @requests
    def wait(self, docs, **kwargs):
        self.barrier.wait(20)


class Receives(Executor):
    """Replicas, of which only the first goes on by itself."""

    received: list
    go = threading.Event()

    @requests
    def receive(self, docs, **kwargs):
        self.received.append(self.runtime_args.replica_id)
        assert self.runtime_args.replica_id == 0 or self.go.wait(20)


class Follows(Executor):
    """What comes after the replicas."""

    calls: list

    @requests
    def follow(self, docs, **kwargs):
        self.calls.append(len(docs))


def texts(flow, inputs, on='/', **options):
    return [d.text for r in flow.post(on, inputs, return_results=True, **options) for d in r.docs]


def children():
    return set(psutil.Process().children(recursive=True))


@pytest.fixture(scope='module')
def flow():
    with Flow(prefetch=4).add(name='signs', uses=Signs).add(name='counts', uses=Counts) as flow:
        yield flow


# The three concepts


def test_documents_are_what_flows_and_executors_process_them(flow):
    [response] = flow.post('/', Document(), return_results=True, target_peapod='signs')
    assert type(response.docs[0]) is Document
    assert response.docs[0].text == 'signs,'


def test_a_service_for_several_clients_over_every_protocol_from_every_network():
    with Flow(protocol=['grpc', 'http', 'websocket'], host='0.0.0.0').add(uses=Signs) as f:
        grpc, http, websocket = f.ports
        clients = [
            Client(host=host, port_expose=port, protocol=protocol)
            for host in ('localhost', f.address_private)
            for protocol, port in (('grpc', grpc), ('http', http), ('websocket', websocket))
        ]
        for client in clients:  # all of them stay connected
            assert texts(client, Document(text='from: ')) == ['from: pod0,']
        body = {'data': [{'text': 'from: '}], 'execEndpoint': '/'}
        asked = Request(
            f'http://localhost:{http}/post', json.dumps(body).encode(), {'content-type': 'application/json'}
        )
        with urlopen(asked) as answer:
            assert json.load(answer)['data']['docs'][0]['text'] == 'from: pod0,'
        for client in clients:
            client.close()


# How it lives


@pytest.mark.parametrize('name', ['add', 'needs', '__enter__', '__exit__', 'plot', 'post', 'block'])
def test_common_methods(name):
    assert callable(getattr(Flow, name))


def test_it_is_opened_like_a_file():
    before, flow, seen = children(), Flow(), []

    def work():
        with flow as opened:
            seen.append((opened is flow, 'open' in repr(flow), len(children() - before)))
            raise LookupError

    with pytest.raises(LookupError):
        work()
    assert seen == [(True, True, 1)]
    assert 'closed' in repr(flow)
    assert children() == before


def test_nothing_runs_before_it_is_opened():
    before = children(), threading.active_count()
    Flow().add(uses=Signs).add(uses='Nobody').needs_all().plot()
    assert (children(), threading.active_count()) == before


def test_its_construction_changes_before_and_after_it_is_open():
    f = Flow().add(name='a', uses=Signs, runtime_backend='THREAD')
    with f:
        assert texts(f, Document()) == ['a,']
        for change in (f.add, f.needs_all, lambda: f.needs(['a']), f.inspect):
            with pytest.raises(FlowBuildLevelError, match='needs a closed Flow'):
                change()
        assert texts(f, Document()) == ['a,']
    f.add(name='b', uses=Signs, runtime_backend='THREAD')
    with f:
        assert texts(f, Document()) == ['a,b,']


def test_the_context_ends_with_its_code():
    before = children()
    with Flow().add(uses=Signs) as f:
        assert len(children() - before) == 2
    assert children() == before
    with pytest.raises(FlowBuildLevelError, match='needs an open Flow'):
        f.post('/')


# add


def test_each_add_is_an_executor_of_its_own_a_process_or_a_thread():
    f = Flow().add(uses=Signs).add(uses=Signs).add(uses=Signs, runtime_backend='THREAD')
    with f:
        pids = [
            response.docs[0].tags['pid']
            for name in ('pod0', 'pod1', 'pod2')
            for response in f.post('/', Document(), target_peapod=name, return_results=True)
        ]
    assert f.num_pods == 4
    assert len(set(pids)) == 3
    assert pids[2] == os.getpid()


def test_uses_takes_a_class_its_name_and_yaml(tmp_path):
    (tmp_path / 'signs.yml').write_text('jtype: Signs')
    f = Flow()
    for uses in (Signs, 'Signs', 'jtype: Signs', {'jtype': 'Signs'}, str(tmp_path / 'signs.yml')):
        f.add(uses=uses, runtime_backend='THREAD')
    with f:
        assert texts(f, Document()) == ['pod0,pod1,pod2,pod3,pod4,']


def meeting(count):
    Meets.barrier = threading.Barrier(count)
    return {'uses': Meets, 'runtime_backend': 'THREAD'}


def test_branches_work_side_by_side_and_are_waited_for():
    options = meeting(3)
    f = Flow().add(name='p1', needs='gateway', **options).add(name='p2', needs='gateway', **options)
    with f.add(name='p3', needs='gateway', **options).needs(['p1', 'p2', 'p3'], name='r1', uses=Signs) as f:
        assert texts(f, Document()) == ['r1,'] * 3
        assert texts(f, Document(), on='/count') == ['3']


def test_orphans_are_those_whose_output_nobody_takes():
    f = Flow().add(name='a').add(name='b', needs='gateway').add(name='c', needs='a').needs_all(name='all')
    assert f['all'].needs == ['b', 'c']


def test_parallel_starts_as_many_as_it_says():
    with Flow().add(name='p1', uses=Signs, parallel=3, polling='ALL') as f:
        [response] = f.post('/', Document(), return_results=True)
        assert len({doc.tags['pid'] for doc in response.docs}) == 3


@pytest.fixture
def replicas():
    """Posts one request, in a thread, through three replicas of which two wait."""
    Receives.received, Follows.calls = [], []
    Receives.go.clear()
    threads = []

    def start(polling):
        f = Flow().add(name='p1', uses=Receives, parallel=3, polling=polling, runtime_backend='THREAD')
        f.add(name='p2', uses=Follows, runtime_backend='THREAD').start()
        threads.append(thread := threading.Thread(target=f.post, args=('/', Document())))
        thread.start()
        return f, thread

    yield start
    Receives.go.set()
    for thread in threads:
        thread.join()


def test_any_one_receives_and_what_follows_is_called_when_it_is_finished(replicas):
    Receives.go.set()
    f, thread = replicas('ANY')
    with closing(f):
        thread.join()
        assert (len(Receives.received), Follows.calls) == (1, [1])


def test_all_receive_and_what_follows_is_called_when_all_are_finished(replicas):
    f, thread = replicas('ALL')
    with closing(f):
        assert until(lambda: sorted(Receives.received) == [0, 1, 2])
        assert Follows.calls == []
        Receives.go.set()
        thread.join()
        assert Follows.calls == [3]


def test_all_receive_and_what_follows_is_called_when_one_is_finished(replicas):
    f, thread = replicas('ALL_ASYNC')
    with closing(f):
        thread.join()
        assert not Receives.go.is_set()
        assert until(lambda: sorted(Receives.received) == [0, 1, 2])
        assert Follows.calls == [1]
        Receives.go.set()
    assert Follows.calls == [1]


# post


def test_a_single_id_stands_for_its_document(flow):
    for inputs in ('an-id', lambda: 'an-id'):
        [response] = flow.delete(inputs, return_results=True, target_peapod='^$')
        assert [(doc.id, doc.content) for doc in response.docs] == [('an-id', None)]


def test_further_arguments_are_taken(flow):
    assert len(flow.post('/', Document(), return_results=True, timeout=30)) == 1
    with pytest.warns(UserWarning, match='time_out'):
        assert len(flow.post('/', Document(), return_results=True, time_out=30)) == 1


def test_generators_of_documents_are_inputs(flow, tmp_path):
    for name in 'ab':
        (tmp_path / f'{name}.txt').write_text(name)
    inputs = [
        from_csv(['text\n', 'one\n', 'two\n']),
        from_ndjson(['{"text": "one"}', '{"text": "two"}']),
        from_ndarray(np.arange(6).reshape(2, 3)),
        from_files(str(tmp_path / '*.txt'), read_mode='r'),
    ]
    for generator in inputs:
        assert iter(generator) is generator
        [response] = flow.post('/', generator, return_results=True, target_peapod='^$')
        assert len(response.docs) == 2
        assert all(doc.content is not None for doc in response.docs)


def test_a_response_has_many_attributes(flow):
    seen = []
    flow.post('/', [Document(), Document()], seen.append, parameters={'a': 1}, target_peapod='signs')
    [response] = seen
    assert type(response) is Response
    assert type(response.docs) is DocumentArray
    assert [doc.text for doc in response.docs] == ['signs,'] * 2
    for name in ('request_id', 'header', 'parameters', 'routes', 'status', 'groundtruths', 'data'):
        assert getattr(response, name) is not None


def test_a_callback_is_called_as_its_response_comes(flow):
    seen = []

    def inputs():
        for number in range(100):
            yield Document()
            if number == 99:
                assert until(lambda: seen)  # the first are back before the last is sent

    flow.post('/', inputs, seen.append, request_size=1)
    assert len(seen) == 100


def test_parameters_alone_control_an_executor():
    with Flow().add(uses=Counts, runtime_backend='THREAD') as f:
        assert texts(f, Document()) == ['1']
        f.post('/configure', parameters={'step': 10})
        assert texts(f, Document()) == ['11']


def test_ten_requests_of_ten(flow):
    counted = texts(flow, (Document() for _ in range(100)), on='/count', request_size=10, target_peapod='signs')
    assert counted == ['10'] * 10


def responses_alive():
    return sum(type(thing) is Response for thing in gc.get_objects())


def test_results_are_held_and_given_at_the_end_while_callbacks_stream(flow):
    most, before = [], responses_alive()

    def seen(response):
        if len(most) % 125 == 124:
            gc.collect()
            alive.append(responses_alive() - before)
        most.append(1)

    alive = []
    flow.post('/', (Document() for _ in range(500)), seen, request_size=1)
    assert max(alive) < 100
    alive = []
    results = flow.post('/', (Document() for _ in range(500)), seen, request_size=1, return_results=True)
    assert len(results) == 500
    assert alive[-1] > 400


# AsyncFlow


def run(program):
    return asyncio.run(asyncio.wait_for(program, 30))


def test_a_flow_works_on_several_requests_of_one_post_at_a_time():
    with Flow().add(**meeting(2), replicas=2) as f:
        assert len(texts(f, [Document(), Document()], request_size=1)) == 2


def test_an_async_flow_runs_on_the_loop_of_the_program():
    loops = []

    async def inputs():
        loops.append(asyncio.get_running_loop())
        yield Document()

    async def program():
        with AsyncFlow().add() as f:
            async for _ in f.post('/', inputs, lambda r: loops.append(asyncio.get_running_loop())):
                loops.append(asyncio.get_running_loop())
        return asyncio.get_running_loop()

    mine = run(program())
    assert loops == [mine] * 3


def test_async_generators_go_in_and_come_out():
    async def program():
        queue = asyncio.Queue()

        async def database():  # some other asynchronous library
            for number in range(10):
                await queue.put(Document(text=str(number)))
            await queue.put(None)

        async def inputs():
            while doc := await queue.get():
                yield doc

        with AsyncFlow() as f:
            other = asyncio.create_task(database())
            posted = f.post('/', inputs, request_size=5)
            assert inspect.isasyncgen(posted)
            shown = [response.docs.get_attributes('text') async for response in posted]
            await other
        return shown

    assert run(program()) == [list('01234'), list('56789')]


# Joining


class Merges(Executor):
    """Joins what two branches found out about the same documents."""

    @requests
    def merge(self, docs, docs_matrix, **kwargs):
        left, right = docs_matrix
        for doc in left:
            doc.text += right[doc.id].text
        return left

    @requests(on='/count')
    def count(self, docs, **kwargs):
        return [Document(text=str(len(docs)))]


@pytest.fixture(scope='module')
def joining():
    signs = {'uses': Signs, 'uses_requests': {'/count': 'sign'}, 'runtime_backend': 'THREAD'}
    f = Flow().add(name='a', **signs).add(name='b', needs='gateway', **signs)
    with f.add(uses=Merges, needs=['a', 'b'], runtime_backend='THREAD') as f:
        yield f


def test_documents_of_several_branches_are_one_array(joining):
    assert texts(joining, [Document() for _ in range(3)], on='/count') == ['6']


def test_branches_are_joined_document_by_document(joining):
    docs = [Document(id=str(number)) for number in range(3)]
    [response] = joining.post('/', docs, return_results=True)
    assert [(doc.id, doc.text) for doc in response.docs] == [(n, 'a,b,') for n in '012']
