"""Flows that are opened and closed again and again, several at a time, leave the process as it was."""

import gc
import itertools
import os
import re
import threading
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from programs import until

from jina import Client, Document, Executor, Flow, requests
from jina.excepts import ServerUnreachable

CYCLES, AT_ONCE = 200, 8
MARK = 'JINA_TEST_ENDURANCE'

WAITING = {}  # number → (its Executor waits, it may go on)


class Marks(Executor):
    @requests
    def mark(self, docs, **kwargs):
        for doc in docs:
            doc.text += 'x'

    @requests(on='/wait')
    def wait(self, parameters, **kwargs):
        waits, leave = WAITING[parameters['number']]
        waits.set()
        leave.wait(20)


def bare(number):
    """Only a gateway."""
    with Flow(quiet=True) as f:
        assert text(f) == ''


def process(number):
    with Flow(quiet=True, protocol='http').add(uses=Marks) as f:
        assert text(f) == 'x'


def replicas(number):
    with Flow(quiet=True, protocol='websocket').add(uses=Marks, replicas=3, runtime_backend='THREAD') as f:
        assert text(f) == text(f.client) == 'x'


def doors(number):
    protocol = ('grpc', 'http', 'websocket')[number % 3]
    with Flow(quiet=True, protocol=['grpc', 'http', 'websocket']).add(uses=Marks, runtime_backend='THREAD') as f:
        port = f.ports[f._spec.protocols.index(protocol)]
        with Client(port_expose=port, protocol=protocol) as client:
            assert text(client) == 'x'


def closed_meanwhile(number):
    """Closed while a request is under way; who sent it learns of that."""
    flow = Flow(quiet=True).add(uses=Marks, runtime_backend='THREAD')
    waits, leave = WAITING[number] = threading.Event(), threading.Event()
    outcome = []

    def post():
        try:
            flow.post('/wait', Document(), parameters={'number': number})
        except ServerUnreachable as error:
            outcome.append(error)
        finally:
            leave.set()

    with flow:
        posting = threading.Thread(target=post)
        posting.start()
        assert waits.wait(20)
    posting.join(20)
    assert len(outcome) == 1


KINDS = (bare, replicas, doors, closed_meanwhile, process)


def text(server):
    [response] = server.post('/', Document(), return_results=True)
    return response.docs[0].text


def cycles(first):
    for number in range(first, first + CYCLES // AT_ONCE):
        KINDS[number % len(KINDS)](number)


def held(temp, mark):
    """What this process and those that it started have of the system, by kind."""
    gc.collect()
    return {
        'files': Counter(re.sub(r'\d+', '', target) for target in open_files()),
        'threads': {t.name for t in threading.enumerate()},
        'native threads': len(os.listdir('/proc/self/task')),
        'processes': [str(p) for p in psutil.process_iter() if is_marked(p, mark)],
        'sockets': [line for line in Path('/proc/net/unix').read_text().splitlines() if str(temp) in line],
        'ports': listening(),
        'folders': sorted(temp.glob('jina-*')),
        'shared memory': sorted(p.name for p in Path('/dev/shm').iterdir() if p.name.startswith(('jina', 'psm_'))),
    }


def open_files():
    for number in os.listdir('/proc/self/fd'):
        try:
            target = os.readlink(f'/proc/self/fd/{number}')
        except OSError:  # that of the listing itself
            continue
        yield target


def is_marked(process, mark):
    try:
        return process.pid != os.getpid() and process.environ().get(MARK) == mark
    except psutil.Error:
        return False


def listening():
    return sorted(c.laddr.port for c in psutil.Process().net_connections('tcp') if c.status == psutil.CONN_LISTEN)


def more(now, before):
    """What there is now that was not there before."""
    return {kind: (before[kind], now[kind]) for kind in now if not is_less_or_same(now[kind], before[kind])}


def is_less_or_same(now, before):
    return now <= before if not isinstance(now, list) else now == before


@pytest.mark.timeout(240)
def test_200_cycles_eight_flows_at_a_time_leave_nothing(own_tempdir, monkeypatch):
    mark = uuid.uuid4().hex
    monkeypatch.setenv(MARK, mark)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(lambda n: KINDS[n % len(KINDS)](n), range(AT_ONCE)))
    before = held(own_tempdir, mark)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(cycles, itertools.islice(itertools.count(0, CYCLES // AT_ONCE), AT_ONCE)))
    until(lambda: not more(held(own_tempdir, mark), before))
    assert more(held(own_tempdir, mark), before) == {}
