"""Who gives a request a deadline does not wait past it, whoever it is that hangs."""

import gc
import os
import signal
import threading
import time
from contextlib import contextmanager, nullcontext

import psutil
import pytest
from programs import until

from jina import Client, Document, Executor, Flow, requests
from jina.excepts import ServerUnreachable
from jina.worker.work import Work

TIMEOUT = 0.3
ENOUGH = 10  # seconds on a busy machine for what takes TIMEOUT and a moment; what hangs does so for longer
DOORS = ['grpc', 'http', 'websocket']
CLIENTS = ['native', *DOORS]
WINDOWS = {'native': 256, 'grpc': 256, 'http': 32, 'websocket': 64}  # requests of one client
LARGE = 20_000_000  # bytes: more than fits into the buffers of a connection

WAITS = threading.Event()
GO_ON = threading.Event()
CALLS = []


class Hangs(Executor):
    """Does nothing else while it hangs."""

    @requests
    def echo(self, docs, **kwargs):
        CALLS.append(docs[0].text if docs else '')

    @requests(on='/hang')
    def hang(self, **kwargs):
        WAITS.set()
        GO_ON.wait(30)


@pytest.fixture
def flow():
    with Flow(protocol=DOORS).add(name='p', uses=Hangs, runtime_backend='THREAD') as flow:
        yield flow


@contextmanager
def client_of(flow, protocol, known=True):
    """One of the Flow; where ``known``, it is connected already."""
    with nullcontext(flow) if protocol == 'native' else client_at(flow, protocol) as client:
        if known:
            client.post('/', Document())
        yield client


def client_at(flow, protocol):
    return Client(port_expose=flow.ports[DOORS.index(protocol)], protocol=protocol)


@contextmanager
def hung_executor(flow):
    WAITS.clear()
    GO_ON.clear()
    CALLS.clear()
    thread = threading.Thread(target=lambda: flow.post('/hang', Document()))
    thread.start()
    try:
        assert WAITS.wait(10)
        yield
    finally:
        GO_ON.set()
        thread.join()


@contextmanager
def hung_gateway(flow):
    gateway = psutil.Process(int(flow._running._gateway.where.split()[1]))
    gateway.suspend()
    try:
        yield
    finally:
        gateway.resume()


def waiting_works():
    """What the worker has to do after what it is at."""
    return [o for o in gc.get_objects() if type(o) is Work and o.call.head.endpoint == '/']


def late(server, inputs=None, **options):
    """What each request ends with, and how long all took."""
    told = []
    before = time.monotonic()
    inputs = inputs or Document(text='late')
    server.post(
        '/', inputs, on_always=lambda r: told.append(r.status.description), on_error=id, timeout=TIMEOUT, **options
    )
    return told, time.monotonic() - before


def answer(server):
    """What a request without a deadline ends with."""
    [response] = server.post('/', Document(text='next'), return_results=True)
    return response.status.description


@pytest.mark.parametrize('protocol', CLIENTS)
def test_a_hung_executor(flow, protocol):
    with client_of(flow, protocol) as client:
        with hung_executor(flow):
            told, seconds = late(client)
            assert seconds < ENOUGH
            assert told[0].startswith(f'the deadline of {TIMEOUT} s passed')
            assert until(lambda: all(work.call.cancelled for work in waiting_works()))
        assert answer(client) == ''
        assert 'late' not in CALLS


@pytest.mark.parametrize('protocol', CLIENTS)
def test_more_requests_than_a_hung_executor_and_the_window_admit(flow, protocol):
    count = 2000
    with client_of(flow, protocol) as client, hung_executor(flow):
        stop = time.monotonic() + 2 * TIMEOUT

        def inputs():
            while len(told) < count and time.monotonic() < stop:
                yield Document(text='late')

        told = []
        client.post('/', inputs, on_always=lambda r: told.append(r), on_error=id, timeout=TIMEOUT, request_size=1)
        assert time.monotonic() < stop + ENOUGH
        assert all('deadline' in r.status.description for r in told)


@pytest.mark.parametrize('protocol', CLIENTS)
@pytest.mark.parametrize('known', [True, False], ids=['connected', 'new'])
def test_a_hung_gateway(flow, protocol, known):
    with client_of(flow, protocol, known) as client:
        with hung_gateway(flow):
            before = time.monotonic()
            try:
                told, _ = late(client)
            except ServerUnreachable as error:
                assert not known
                told = [str(error)]
            assert time.monotonic() - before < ENOUGH
            assert f'{TIMEOUT} s' in told[0]
        assert answer(client) == ''


@pytest.mark.parametrize('protocol', CLIENTS)
def test_more_requests_than_the_window_of_a_hung_gateway_admits(flow, protocol):
    with client_of(flow, protocol) as client, hung_gateway(flow):
        count = WINDOWS[protocol] + 2
        told, seconds = late(client, (Document() for _ in range(count)), request_size=1)
        assert seconds < 2 * TIMEOUT + ENOUGH
        assert len(told) == count
        assert all('deadline' in each for each in told)


@pytest.mark.parametrize('protocol', CLIENTS)
def test_a_hung_gateway_that_reads_nothing_of_a_large_request(flow, protocol):
    with client_of(flow, protocol) as client, hung_gateway(flow):
        told, seconds = late(client, Document(text='x' * LARGE))
        assert seconds < ENOUGH
        assert 'deadline' in told[0]


class Reborn(Executor):
    """Starts once, and then hangs in its ``__init__``."""

    def __init__(self, file='', **kwargs):
        super().__init__(**kwargs)
        if os.path.exists(file):
            time.sleep(30)
        open(file, 'w').close()

    @requests(on='/die')
    def die(self, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize('protocol', CLIENTS)
def test_a_replica_that_is_being_started_again(tmp_path, protocol):
    with Flow(protocol=DOORS).add(uses=Reborn, uses_with={'file': str(tmp_path / 'born')}) as flow:
        with client_of(flow, protocol) as client:
            client.post('/die', Document(), on_error=id)
            told, seconds = late(client)
        assert seconds < ENOUGH
        assert 'deadline' in told[0]
