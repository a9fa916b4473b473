"""Clients and Flows of the 2.0.24 release, which runs as a black box in an interpreter of its own, with ours.

Set ``JINA2_PYTHON`` to a Python that has ``jina==2.0.24``; it may have scipy as well.

What the release does in its own way, and is not ours to change:

- its HTTP client raises at every status code that is not 200, so that an Executor's error never reaches ``on_error``;
  it sends no groundtruths;
- its HTTP server refuses groundtruths, ignores ``requestId`` and ``header``, adds ``mimeType`` and ``parentId`` to the
  tags, and gives a weight of 0 where there is none;
- its WebSocket and gRPC servers hold answers back until ``prefetch`` requests have come or the stream is ended.
"""

import json
import os
import subprocess
import time
from contextlib import contextmanager
from tempfile import gettempdir

import numpy as np
import pytest

from jina import Client, Document, Executor, Flow, requests
from jina.types.request import StatusCode
from jina.types.score import NamedScore
from jina.types.sparse import SparseArray, coordinates

PYTHON = os.environ.get('JINA2_PYTHON')
PROTOCOLS = ['grpc', 'http', 'websocket']

pytestmark = [
    pytest.mark.skipif(not PYTHON, reason='JINA2_PYTHON names no interpreter with jina 2.0.24'),
    pytest.mark.timeout(180),
]

SERVER = """
import json, sys
from jina import Document, DocumentArray, Executor, Flow, requests

class Echo(Executor):
    @requests(on='/same')
    def same(self, docs, **kwargs):
        pass

    @requests(on='/tag')
    def tag(self, docs, parameters, groundtruths=None, **kwargs):
        for doc in docs:
            doc.tags['got'] = dict(parameters)
            doc.tags['groundtruths'] = len(groundtruths or ())

    @requests(on='/count')
    def count(self, docs, **kwargs):
        return DocumentArray([Document(tags={'count': len(docs or ())})])

    @requests(on='/see')
    def see(self, docs, **kwargs):
        return DocumentArray([Document(text=json.dumps([doc.dict() for doc in docs]))])

    @requests(on='/fail')
    def fail(self, docs, **kwargs):
        if docs[0].text != 'good':
            raise ValueError('on purpose')

class Other(Executor):
    @requests(on='/tag')
    def tag(self, docs, **kwargs):
        for doc in docs:
            doc.tags['other'] = True

flow = Flow(protocol=sys.argv[1]).add(uses=Echo, name='echo').add(uses=Other, name='other')
with flow:
    print('port', flow.port_expose, flush=True)
    sys.stdin.read()
"""

CLIENT = """
import json, sys
import numpy as np
from google.protobuf.json_format import MessageToDict
from jina import Client, Document
from jina.types.score import NamedScore

protocol, port = sys.argv[1], int(sys.argv[2])
client = Client(host='127.0.0.1', port=port, protocol=protocol)

def shown(docs):
    return [MessageToDict(doc.proto, preserving_proto_field_name=True) for doc in docs]

def rich(name):
    doc = Document(id=name, text='text of ' + name, uri='a/b.txt', mime_type='text/x-own', modality='m', weight=0.5,
                   tags={'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True, {'y': 'z'}]}},
                   embedding=np.arange(6, dtype='f4').reshape(2, 3),
                   chunks=[Document(id=name + 'c', blob=np.arange(3), chunks=[Document(id=name + 'cc', text='deep')])],
                   matches=[Document(id=name + 'm', buffer=bytes(range(256)))])
    doc.scores['cosine'] = NamedScore(value=0.25, op_name='op', description='why', ref_id='ref')
    doc.evaluations['precision'] = 1.0
    doc.proto.location.extend([1, 2])
    doc.proto.offset = 3
    return doc

def sparse():
    doc = Document(id='s')
    parts = doc.proto.embedding.sparse
    for part, array in ((parts.indices, np.array([[0, 1], [1, 0]])), (parts.values, np.array([1.5, 2.0]))):
        part.buffer, part.dtype = array.tobytes(), array.dtype.str
        part.shape.extend(array.shape)
    parts.shape.extend([2, 3])
    return doc

def post(on, *args, **options):
    return client.post(on, *args, return_results=True, **options)

def texts(count):
    return [Document(text=str(i)) for i in range(count)]

def fail():
    failed, done = [], []
    try:
        client.post('/fail', [Document(text='good'), Document(text='bad')], request_size=1,
                    on_error=lambda r: failed.append(r), on_done=lambda r: done.append(r.docs[0].text))
    except Exception as error:
        return {'error': repr(error)}
    status = failed[0].status
    raised = status.exception
    return {'done': done, 'failures': len(failed), 'code': status.code, 'description': status.description,
            'exception': [raised.name, list(raised.args), raised.executor, ''.join(raised.stacks)],
            'docs': [doc.text for doc in failed[0].docs]}

out = {
    'sent': shown([rich('a'), rich('b')]),
    'received': [shown(r.docs) for r in post('/same', [rich('a'), rich('b')], request_size=1)],
    'seen': post('/see', rich('a'))[0].docs[0].text,
    'got': post('/tag', Document(), parameters={'k': 5, 's': 'a', 'l': [1, {'z': None}]})[0].docs[0].tags.dict(),
    'other': post('/tag', Document(), target_peapod='other')[0].docs[0].tags.dict(),
    'pairs': post('/tag', [(Document(), Document())])[0].docs[0].tags.dict(),
    'many': [r.docs[0].text for r in post('/same', texts(300), request_size=1)],
    'batches': [int(r.docs[0].tags['count']) for r in post('/count', texts(7), request_size=3)],
    'sparse': [shown([sparse()]), shown(post('/same', sparse())[0].docs)],
    'nothing': int(post('/count')[0].docs[0].tags['count']),
    'failed': fail(),
    'routes': [r.pod for r in post('/same', Document())[0].routes],
}
print(json.dumps(out))
"""


def environment():
    return {name: value for name, value in os.environ.items() if not name.startswith('PYTHON')}


@contextmanager
def flow_of_jina2(protocol):
    """The port of a Flow of the release."""
    command = [PYTHON, '-W', 'ignore', '-c', SERVER, protocol]
    quiet = {**environment(), 'JINA_LOG_LEVEL': 'CRITICAL'}
    pipes = {'stdin': subprocess.PIPE, 'stdout': subprocess.PIPE, 'stderr': subprocess.DEVNULL}
    with subprocess.Popen(command, env=quiet, cwd=gettempdir(), text=True, **pipes) as process:
        try:
            for line in process.stdout:
                if line.startswith('port '):
                    break
            else:
                pytest.fail(f'the Flow of the release ended with {process.wait()}')
            yield int(line.split()[1])
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


class Echo(Executor):
    @requests(on='/same')
    def same(self, docs, **kwargs):
        assert docs is None or len(docs)  # looked at: so they are decoded, and encoded again

    @requests(on='/tag')
    def tag(self, docs, parameters, groundtruths=None, **kwargs):
        for doc in docs:
            doc.tags['got'] = parameters
            doc.tags['groundtruths'] = len(groundtruths or ())

    @requests(on='/count')
    def count(self, docs, **kwargs):
        return [Document(tags={'count': len(docs or ())})]

    @requests(on='/see')
    def see(self, docs, **kwargs):
        return [Document(text=docs[0].json())]

    @requests(on='/fail')
    def fail(self, docs, **kwargs):
        if docs[0].text != 'good':
            raise ValueError('on purpose')


class Other(Executor):
    @requests(on='/tag')
    def tag(self, docs, **kwargs):
        for doc in docs:
            doc.tags['other'] = True


def run_client(protocol, port):
    command = [PYTHON, '-W', 'ignore', '-c', CLIENT, protocol, str(port)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), cwd=gettempdir(), timeout=100)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.strip().splitlines()[-1])


def rich(name='a'):
    return Document(
        id=name, text='text of ' + name, uri='a/b.txt', mime_type='text/x-own', modality='m', weight=0.5,
        tags={'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True, {'y': 'z'}]}}, location=[1, 2], offset=3,
        embedding=np.arange(6, dtype='f4').reshape(2, 3),
        scores={'cosine': NamedScore(0.25, 'op', 'why', ref_id='ref')}, evaluations={'precision': 1},
        chunks=[Document(id=name + 'c', blob=np.arange(3), chunks=[Document(id=name + 'cc', text='deep')])],
        matches=[Document(id=name + 'm', buffer=bytes(range(256)))],
    )  # fmt: skip


@pytest.fixture(scope='module', params=PROTOCOLS)
def got(request):
    """What the client of the release got from our Flow."""
    with Flow(protocol=request.param, quiet=True).add(uses=Echo, name='echo').add(uses=Other, name='other') as flow:
        return {**run_client(request.param, flow.port_expose), 'protocol': request.param}


class TestClientOfJina2:
    """It posts to our Flow."""

    def test_every_field_comes_back(self, got):
        received = sorted((docs for docs in got['received']), key=lambda docs: docs[0]['id'])
        assert [doc for docs in received for doc in docs] == got['sent']

    def test_every_field_is_seen(self, got):
        assert json.loads(got['seen']) == got['sent'][0]

    def test_sparse_arrays(self, got):
        arrays = [coordinates(Document(doc).embedding) for [doc] in got['sparse']]
        assert [array.toarray().tolist() for array in arrays] == [[[0, 1.5, 0], [2, 0, 0]]] * 2

    def test_parameters(self, got):
        assert got['got']['got'] == {'k': 5, 's': 'a', 'l': [1, {'z': None}]}

    def test_target_peapod(self, got):
        assert got['other'] == {'other': True}

    def test_groundtruths(self, got):
        assert got['pairs']['groundtruths'] == (0 if got['protocol'] == 'http' else 1)

    def test_several_requests(self, got):
        assert sorted(got['many'], key=int) == [str(i) for i in range(300)]
        assert sorted(got['batches']) == [1, 3, 3]

    def test_no_documents(self, got):
        assert got['nothing'] == 0

    def test_an_executor_that_raises(self, got):
        failed = got['failed']
        if got['protocol'] == 'http':  # where it raises at every status code that is not 200
            assert 'on purpose' in failed['error']
            return
        assert (failed['done'], failed['failures'], failed['code']) == (['good'], 1, StatusCode.ERROR)
        assert "'echo'" in failed['description']
        assert failed['docs'] == ['bad']
        name, args, executor, stacks = failed['exception']
        assert (name, args, executor) == ('ValueError', ['on purpose'], 'Echo')
        assert 'ValueError: on purpose' in stacks

    def test_who_worked_on_it(self, got):
        assert got['routes'] == ['gateway', 'echo', 'other']


def without_additions(shown):
    """A Document's dict without what the HTTP server of the release adds to all of them."""
    tags = {k: v for k, v in shown.get('tags', {}).items() if k not in ('mimeType', 'parentId')}
    sides = {name: [without_additions(d) for d in shown[name]] for name in ('chunks', 'matches') if name in shown}
    rest = {k: v for k, v in shown.items() if k != 'tags' and (k, v) != ('weight', 0)}
    return {**rest, **sides, **({'tags': tags} if tags else {})}


@pytest.fixture(scope='module', params=['grpc', 'http', 'websocket'])
def client(request):
    """Our client of a Flow of the release."""
    with flow_of_jina2(request.param) as port, Client('127.0.0.1', port, request.param) as client:
        yield client


class TestFlowOfJina2:
    """Our client posts to it."""

    def test_every_field_comes_back(self, client):
        responses = client.post('/same', [rich('a'), rich('b')], request_size=1, return_results=True)
        received = [without_additions(doc.dict()) for response in responses for doc in response.docs]
        assert received == [rich('a').dict(), rich('b').dict()]
        assert responses[0].docs[0].embedding.dtype == np.dtype('f4')

    def test_every_field_is_seen(self, client):
        [response] = client.post('/see', rich(), return_results=True)
        [seen] = json.loads(response.docs[0].text)
        assert without_additions(seen) == rich().dict()

    def test_sparse_arrays(self, client):
        array = SparseArray(np.array([[0, 1], [1, 0]]), np.array([1.5, 2.0]), (2, 3))
        [response] = client.post('/same', Document(embedding=array), return_results=True)
        assert coordinates(response.docs[0].embedding).toarray().tolist() == [[0, 1.5, 0], [2, 0, 0]]

    def test_parameters(self, client):
        parameters = {'k': 5, 's': 'a', 'l': [1, {'z': None}]}
        [response] = client.post('/tag', Document(), parameters=parameters, return_results=True)
        assert response.docs[0].tags['got'] == parameters
        assert response.parameters == parameters

    def test_target_peapod(self, client):
        [response] = client.post('/tag', Document(), target_peapod='other', return_results=True)
        assert without_additions({'tags': response.docs[0].tags})['tags'] == {'other': True}

    def test_groundtruths(self, client):
        [response] = client.post('/tag', [(Document(text='a'), Document(text='b'))], return_results=True)
        if client.protocol == 'http':
            assert 'answers 422' in response.status.description
            return
        assert response.docs[0].tags['groundtruths'] == 1
        assert [doc.text for doc in response.groundtruths] == ['b']

    def test_several_requests(self, client):
        responses = client.post(
            '/same', (Document(text=str(i)) for i in range(300)), request_size=1, return_results=True
        )
        assert [r.docs[0].text for r in responses] == [str(i) for i in range(300)]
        responses = client.post('/count', [Document() for _ in range(7)], request_size=3, return_results=True)
        assert [r.docs[0].tags['count'] for r in responses] == [3, 3, 1]

    def test_inputs_that_take_their_time(self, client):
        def inputs():
            for number in range(3):
                yield Document(text=str(number))
                time.sleep(0.05)

        responses = client.post('/same', inputs, request_size=1, return_results=True)
        assert [r.docs[0].text for r in responses] == ['0', '1', '2']

    def test_large_arrays(self, client):
        array = np.arange(1 << 17, dtype='f8')
        inputs = (Document(blob=array + i) for i in range(100))  # more than the window has bytes for
        responses = client.post('/same', inputs, request_size=1, return_results=True)
        assert [r.docs[0].blob[0] for r in responses] == list(range(100))

    def test_no_documents(self, client):
        [response] = client.post('/count', return_results=True)
        assert response.docs[0].tags['count'] == 0

    def test_an_executor_that_raises(self, client):
        failed, done = [], []
        inputs = [Document(text='good'), Document(text='bad')]
        client.post('/fail', inputs, request_size=1, on_error=failed.append, on_done=done.append)
        assert [r.docs[0].text for r in done] == ['good']
        [response] = failed
        assert (response.status.code, response.docs[0].text) == (StatusCode.ERROR, 'bad')
        assert 'on purpose' in response.status.description
        raised = response.status.exception
        assert (raised.name, raised.args, raised.executor) == ('ValueError', ('on purpose',), 'Echo')

    def test_who_worked_on_it(self, client):
        [response] = client.post('/same', Document(), return_results=True)
        assert [r.pod.split('/')[0] for r in response.routes] == ['gateway', 'echo', 'other']
        assert all(0 < r.start <= r.end for r in response.routes)
