"""The Client over gRPC: to a Flow, and to a server of another make that knows nothing but the contract."""

import contextlib
import itertools
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest
from ports import free_port

from jina import Client, Document, DocumentArray, Executor, Flow, requests
from jina.excepts import ServerUnreachable
from jina.proto.jina_pb2 import RequestProto
from jina.types.request import StatusCode

LARGE = 1 << 18  # numbers: a megabyte as float32


class Twice(Executor):
    @requests
    def twice(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.embedding = doc.embedding * 2
            doc.tags['seen'] = parameters

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError('no')


@pytest.fixture(scope='module')
def flow():
    with Flow(quiet=True).add(uses=Twice, quiet_error=True, quiet=True) as flow:
        yield flow


@pytest.fixture
def client(flow):
    with Client(port_expose=flow.port_expose) as client:
        yield client


def vectors(count, size=4):
    return DocumentArray(Document(embedding=np.full(size, n, np.float32)) for n in range(count))


def test_many_small_requests_in_order(client):
    responses = client.post('/', vectors(2000), request_size=1, return_results=True)
    assert [response.docs[0].embedding[0] for response in responses] == [2 * n for n in range(2000)]


def test_large_arrays_that_may_be_changed(client):
    [response] = client.post('/', vectors(3, LARGE), parameters={'n': [1, 2.5]}, return_results=True)
    last = response.docs[2]
    assert last.embedding.shape == (LARGE,)
    assert (last.embedding == 4).all()
    last.embedding[0] = 7
    assert last.tags['seen'] == {'n': [1, 2.5]}


def test_more_than_the_window_of_bytes(client):
    responses = client.post('/', vectors(100, LARGE), request_size=1, return_results=True)
    assert [response.docs[0].embedding[-1] for response in responses] == [2 * n for n in range(100)]


def test_an_error_arrives_with_its_cause(client):
    failed = []
    client.post('/fail', vectors(2), on_error=failed.append)
    [response] = failed
    assert response.status.code == StatusCode.ERROR
    assert response.status.exception.name == 'ValueError'
    client.post('/', vectors(1))


def test_clients_in_several_threads(client):
    with ThreadPoolExecutor(4) as pool:
        counts = pool.map(
            lambda n: len(client.post('/', vectors(n), request_size=1, return_results=True)), range(1, 41)
        )
    assert list(counts) == list(range(1, 41))


@contextlib.contextmanager
def foreign_server(port=0, ahead=0):
    """It has the method of the contract, on threads, and answers with the texts in capitals.

    :param ahead: how many requests it takes before it answers the first, if the stream does not end before.
    """

    def call(requests, context):
        for request in itertools.chain(list(itertools.islice(requests, ahead)), requests):
            for doc in request.data.docs:
                doc.text = doc.text.upper()
            yield request

    handler = grpc.stream_stream_rpc_method_handler(call, RequestProto.FromString, RequestProto.SerializeToString)
    with ThreadPoolExecutor(8) as pool:
        server = grpc.server(pool, [grpc.method_handlers_generic_handler('jina.JinaRPC', {'Call': handler})])
        port = server.add_insecure_port(f'127.0.0.1:{port}')
        server.start()
        try:
            yield port
        finally:
            server.stop(0).wait()


@pytest.mark.parametrize('ahead', [0, 50, 1000])
@pytest.mark.parametrize('count', [1, 200])
def test_a_server_of_another_make(ahead, count):
    with foreign_server(ahead=ahead) as port, Client(port_expose=port) as client:
        for _ in range(2):
            docs = [Document(text=f'text {n}') for n in range(count)]
            responses = client.post('/', docs, request_size=1, return_results=True)
            assert [response.docs[0].text for response in responses] == [f'TEXT {n}' for n in range(count)]


def test_a_server_that_went_away():
    with Client(port_expose=free_port()) as client:
        with foreign_server(client.port_expose):
            client.post('/', Document(text='a'))
        with pytest.raises(ServerUnreachable):
            client.post('/', Document(text='a'))
        with foreign_server(client.port_expose):
            client.post('/', Document(text='a'))
