"""Ten thousand clients go away in the middle of their requests, at every door: nothing of them stays behind."""

import base64
import ctypes
import gc
import json
import os
import socket
import struct
import sys
import threading
import time
from collections import Counter

import grpc
import psutil
import pytest
from programs import until

from jina import Client, Document, Executor, requests
from jina.control import Connect, Start
from jina.gateway.call import Call
from jina.gateway.calls import CallStream
from jina.gateway.engine import Engine, Walk
from jina.gateway.frames import FramesStream
from jina.gateway.group import Group
from jina.gateway.pool import Ticket
from jina.gateway.shortway import ShortWay
from jina.gateway.websocket import _Messages
from jina.launch import launcher, stop_all, wait_ready
from jina.proto.jina_pb2 import RequestProto
from jina.spec import DoorSpec, ExecutorSpec, GatewaySpec, NodeSpec, WorkerSpec
from jina.transport.blocks import Blocks
from jina.transport.ring import Ring
from jina.wire.connection import ServerCall
from jina.wire.frames import Kind, frame_header
from jina.wire.head import MSGPACK, Head, encode_head
from jina.worker import Worker
from jina.worker.work import Work

CLIENTS, WAVES = 10_000, 25
LARGE = 3_000_000  # bytes of an answer: more than the system keeps for a client that does not read
ADMITTED = 1024  # requests that a worker may have without an answer
LAST = 2  # the thread of each of the two Executors keeps its last job until the next one comes
GROWTH = 32 << 20  # bytes, of both ends: the clients are in this process too
OF_A_CLIENT = (Walk, Ticket, Group, Call, ShortWay, CallStream, FramesStream, _Messages, ServerCall, Work)

RELEASE = threading.Event()
CALLS = Counter()


class Slow(Executor):
    @requests
    def wait(self, **kwargs):
        CALLS['slow'] += 1
        RELEASE.wait(60)


class Large(Executor):
    @requests
    def enlarge(self, docs, **kwargs):
        docs[0].text = 'x' * LARGE


class Site:
    """A gateway and its Executors in threads of this process, so that their objects can be counted."""

    def __init__(self, folder):
        self.folder = folder
        self.handles = []
        self.submitted = 0
        gateway = GatewaySpec(
            listen=f'unix:{folder}/gateway.sock',
            doors=[DoorSpec(protocol=p) for p in ('http', 'websocket', 'grpc')],
            nodes=[NodeSpec(name='slow', needs=['gateway']), NodeSpec(name='large', needs=['slow'])],
        )
        self.gateway = self._launch('gateway', 'gateway', gateway, None)
        workers = [self._worker('slow', Slow), self._worker('large', Large)]
        self._wait(workers)
        self.gateway.line.send(Connect({w.name: {0: w.ready.address} for w in workers}))
        self._wait([self.gateway])
        self.http, self.websocket, self.grpc = self.gateway.ready.ports
        self._count_requests()

    def _worker(self, name, cls):
        executor = ExecutorSpec(name=name, uses={'jtype': cls.__name__})
        spec = WorkerSpec(executor=executor, listen=f'unix:{self.folder}/{name}.sock')
        return self._launch('worker', name, spec, cls)

    def _launch(self, kind, name, spec, cls):
        handle = launcher('THREAD')(kind, name, Start(spec.to_dict(), path=list(sys.path)), cls, {})
        self.handles.append(handle)
        return handle

    def _wait(self, handles):
        wait_ready(handles, {h.name: time.monotonic() + 30 for h in handles})

    def _count_requests(self):
        [engine] = living(Engine)
        submit = engine.submit

        def counted(*args):
            self.submitted += 1
            return submit(*args)

        engine.submit = counted

    def ask(self, protocol, target):
        with Client(port_expose=getattr(self, protocol), protocol=protocol) as client:
            [response] = client.post('/', Document(text='hi'), target_peapod=target, return_results=True, timeout=20)
        return len(response.docs[0].text)

    def close(self):
        RELEASE.set()
        stop_all(self.handles)


def living(*kinds):
    return [o for o in gc.get_objects() if type(o) in kinds]


def count(*kinds):
    gc.collect()
    return Counter(type(o).__name__ for o in living(*kinds))


@pytest.fixture
def site(tmp_path_factory):
    RELEASE.clear()
    CALLS.clear()
    site = Site(tmp_path_factory.mktemp('s'))
    yield site
    site.close()


def tcp(port, receive=None):
    sock = socket.socket()
    if receive:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
    sock.connect(('127.0.0.1', port))
    return sock


def leave(sock, abruptly):
    """Close it; abruptly: with a reset instead of an end."""
    if abruptly:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    sock.close()


def http_request(target, size=0):
    body = json.dumps({'data': ['hi'], 'targetPeapod': target}).encode()
    return b'POST /search HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b' % (size or len(body), body)


def http_half(site):
    sock = tcp(site.http)
    sock.sendall(http_request('slow', size=100_000))
    return sock


def http_asked(site):
    sock = tcp(site.http)
    sock.sendall(http_request('slow'))
    return sock


def http_several(site):
    """Requests one after the other, without waiting for the answers."""
    sock = tcp(site.http)
    sock.sendall(3 * http_request('slow'))
    return sock


def http_unread(site):
    sock = tcp(site.http, receive=4096)
    sock.sendall(http_request('large'))
    assert sock.recv(10)
    return sock


def websocket(site, receive=None):
    sock = tcp(site.websocket, receive)
    key = base64.b64encode(os.urandom(16))
    sock.sendall(
        b'GET / HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n'
        b'sec-websocket-version: 13\r\nsec-websocket-key: %b\r\n\r\n' % key
    )
    answer = b''
    while b'\r\n\r\n' not in answer:
        answer += sock.recv(1000)
    return sock


def message(target):
    """A text message, masked with zeros."""
    body = json.dumps({'data': ['hi'], 'exec_endpoint': '/', 'target_peapod': target}).encode()
    assert len(body) < 126
    return bytes([0x81, 0x80 | len(body), 0, 0, 0, 0]) + body


def websocket_idle(site):
    return websocket(site)


def websocket_half(site):
    sock = websocket(site)
    sock.sendall(message('slow')[:-10])
    return sock


def websocket_asked(site):
    sock = websocket(site)
    sock.sendall(2 * message('slow'))
    return sock


def websocket_unread(site):
    sock = websocket(site, receive=4096)
    sock.sendall(message('large'))
    assert sock.recv(10)
    return sock


def native(site):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(f'{site.folder}/gateway.sock')
    return sock


def frame(target, stream=0):
    head = encode_head(Head('1', '/', (), MSGPACK, target=target))
    return frame_header(Kind.REQUEST, stream, len(head), 0) + head


def native_half(site):
    sock = native(site)
    sock.sendall(frame('slow')[:-3])
    return sock


def native_asked(site):
    sock = native(site)
    sock.sendall(frame('slow') + frame('slow', stream=1))
    return sock


def native_taken_back(site):
    """It says itself that the answer is no longer wanted."""
    sock = native(site)
    sock.sendall(frame('slow') + frame_header(Kind.CANCEL, 0, 0, 0))
    return sock


class GrpcCall:
    """A stream that stays open until it is left."""

    def __init__(self, site, method, first):
        self._channel = grpc.insecure_channel(f'127.0.0.1:{site.grpc}', [('grpc.use_local_subchannel_pool', 1)])
        self._over = threading.Event()
        self._call = self._channel.stream_stream(f'/jina.JinaRPC/{method}')(self._requests(first))

    def _requests(self, first):
        yield first
        self._over.wait()

    def leave(self, abruptly):
        if not abruptly:
            self._call.cancel()
        self._over.set()
        self._channel.close()


def proto(target):
    request = RequestProto(request_id='1')
    request.header.exec_endpoint, request.header.target_peapod = '/', target
    request.data.docs.add(text='hi')
    return request.SerializeToString()


def grpc_call(site):
    return GrpcCall(site, 'Call', proto('slow'))


def grpc_call_unread(site):
    return GrpcCall(site, 'Call', proto('large'))


def grpc_frames(site):
    return GrpcCall(site, 'Frames', frame('slow'))


def grpc_frames_half(site):
    return GrpcCall(site, 'Frames', frame('slow')[:-3])


SHARES = {  # kind → (how many of a hundred, requests that each of them makes)
    http_half: (12, 0),
    http_asked: (17, 1),
    http_several: (6, 1),
    http_unread: (1, 1),
    websocket_idle: (4, 0),
    websocket_half: (5, 0),
    websocket_asked: (12, 2),
    websocket_unread: (1, 1),
    native_half: (12, 0),
    native_asked: (12, 2),
    native_taken_back: (12, 1),
    grpc_call: (2, 1),
    grpc_call_unread: (1, 1),
    grpc_frames: (2, 1),
    grpc_frames_half: (1, 0),
}


def wave(site, size, patient):
    """So many clients come, ask, and go; where ``patient``, not before the gateway has all their requests."""
    expected = site.submitted
    clients = []
    for kind, (share, requests_) in SHARES.items():
        for _ in range(size * share // 100):
            clients.append(kind(site))
            expected += requests_
    if patient:
        assert until(lambda: site.submitted >= expected)
    for number, client in enumerate(clients):
        if isinstance(client, GrpcCall):
            client.leave(abruptly=number % 2)
        else:
            leave(client, abruptly=number % 2)
    return len(clients)


def open_files():
    return len(os.listdir('/proc/self/fd'))


def memory():
    """Bytes; what is only kept for later, by the project or the allocator, is given back first."""
    gc.collect()
    for keeper in living(Blocks, Ring):
        keeper.trim(used_since=time.monotonic())
    if trim := getattr(ctypes.CDLL(None), 'malloc_trim', None):
        trim(0)
    return psutil.Process().memory_info().rss


def are_gone():
    """Nothing of a client is left in the gateway; the worker may have what its window admits."""
    left = count(*OF_A_CLIENT)
    return not set(left) - {'Work', 'ServerCall'} and left['ServerCall'] == left['Work'] <= ADMITTED + LAST


@pytest.mark.timeout(240)
def test_10000_clients_that_disconnect_leave_nothing(site):
    assert sum(share for share, _ in SHARES.values()) == 100
    wave(site, CLIENTS // WAVES, patient=True)
    assert until(are_gone), count(*OF_A_CLIENT)
    files, after_one, seen = open_files(), memory(), 0
    for number in range(WAVES):
        seen += wave(site, CLIENTS // WAVES, patient=number % 2)
        assert until(lambda: not living(ShortWay, CallStream, FramesStream, _Messages))  # without the collector
    assert seen == CLIENTS
    assert until(are_gone), count(*OF_A_CLIENT)
    assert until(lambda: open_files() <= files), (open_files(), files)
    assert memory() - after_one < GROWTH
    assert CALLS['slow'] == 1  # what had not begun when its client went away has not begun since
    RELEASE.set()
    assert until(lambda: len(living(Work, ServerCall)) <= 2 * LAST), count(*OF_A_CLIENT)
    assert set(count(*OF_A_CLIENT)) <= {'Work', 'ServerCall'}
    assert all(not worker._open for worker in living(Worker))
    for protocol in ('http', 'websocket', 'grpc'):
        assert site.ask(protocol, 'large') == LARGE
        assert site.ask(protocol, 'slow') == 2
