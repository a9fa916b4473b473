"""Programs and Executors that fork: what their children must not keep from ending, and what they find."""

import multiprocessing
import os
import signal
import socket
import time

import psutil
import pytest
from programs import alive, until, wait_line

from jina import Document, Executor, Flow, requests
from jina.forks import leave_to_parent

FORK = multiprocessing.get_context('fork')
LONG = 60  # seconds; nobody waits for it

pytestmark = pytest.mark.filterwarnings('ignore:This process .* is multi-threaded:DeprecationWarning')


class Forks(Executor):
    """Has a child that lives as long as it may."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.child = FORK.Process(target=time.sleep, args=(LONG,))
        self.child.start()

    @requests(on='/pids')
    def pids(self, docs, **kwargs):
        docs[0].tags = {'own': os.getpid(), 'child': self.child.pid}

    @requests(on='/terminate')
    def terminate(self, docs, **kwargs):
        self.child.terminate()
        self.child.join()
        docs[0].tags = {'code': self.child.exitcode}

    @requests(on='/die')
    def die(self, **kwargs):
        os.kill(os.getpid(), signal.SIGKILL)

    def close(self):
        self.child.kill()


def tags_of(flow, endpoint):
    [response] = flow.post(endpoint, Document(), return_results=True, timeout=20)
    assert response.status.code == 0, response.status.description
    return response.docs[0].tags


def test_that_an_executor_is_dead_is_known_although_its_child_lives():
    with Flow().add(name='forks', uses=Forks) as flow:
        before = tags_of(flow, '/pids')
        try:
            [response] = flow.post('/die', Document(), return_results=True, timeout=20)
            assert "'forks'" in response.status.description
            assert 'it was killed or it crashed' in response.status.description
            assert alive(before['child'])
            assert tags_of(flow, '/pids')['own'] != before['own']
        finally:
            os.kill(before['child'], signal.SIGKILL)


def test_a_child_of_an_executor_ends_when_it_is_told_to():
    with Flow().add(uses=Forks) as flow:
        assert tags_of(flow, '/terminate') == {'code': -signal.SIGTERM}


PROGRAM = """
import multiprocessing, os, signal, time, warnings
from jina import Flow

warnings.simplefilter('ignore')  # Python 3.12 warns of a fork beside threads
with Flow().add(replicas=2) as flow:
    child = multiprocessing.get_context('fork').Process(target=time.sleep, args=(60,))
    child.start()
    print(child.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_flow_ends_with_its_program_although_a_child_of_that_lives(place):
    with place.start(place.write('program.py', PROGRAM)) as program:
        child = int(wait_line(program.stdout, r'\d+').group())
        assert until(lambda: [p.pid for p in place.processes()] == [child])
        os.kill(child, signal.SIGKILL)
    place.assert_nothing_left()


def test_a_child_that_closes_a_flow_leaves_it_open():
    with Flow().add() as flow:
        child = FORK.Process(target=flow.close)
        child.start()
        child.join()
        assert child.exitcode == 0
        [response] = flow.post('/', Document(text='a'), return_results=True)
        assert response.docs[0].text == 'a'


class Socket:
    def __init__(self, sock):
        self.sock = sock
        leave_to_parent(self)

    def descriptors(self):
        return [self.sock.fileno()]


def test_a_child_keeps_the_number_but_not_the_connection():
    ours, theirs = socket.socketpair()
    holder = Socket(ours)
    child = FORK.Process(target=time.sleep, args=(LONG,))
    child.start()
    try:
        holder.sock.close()
        theirs.settimeout(20)
        assert theirs.recv(1) == b''
        assert psutil.Process(child.pid).is_running()
    finally:
        theirs.close()
        child.kill()
        child.join()
