"""A million Documents through an Executor that is slower than their source: nobody's memory grows with their number."""

import time

import psutil
import pytest

from jina import Client, Document, Executor, Flow, requests

MANY, A_REQUEST = 1_000_000, 500
SECONDS = 0.004  # that each request takes: more than it takes to send it
GROWTH = 16 << 20  # bytes; a request holds some 40 KB


class Slow(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.seen = 0

    @requests
    def look(self, docs, **kwargs):
        self.seen += sum(len(doc.text) for doc in docs)
        time.sleep(SECONDS)

    @requests(on='/seen')
    def tell(self, docs, **kwargs):
        docs[0].tags = {'seen': self.seen}


@pytest.fixture(scope='module')
def flow():
    with Flow().add(uses=Slow) as flow:
        yield flow


def memory(process):
    """Bytes that the process alone has."""
    return process.memory_full_info().uss


class Watched:
    """Takes the responses, and measures after a tenth, a half, and all of them."""

    def __init__(self, total):
        self.processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        self.marks = [total // 10, total // 2, total]
        self.figures = []
        self.received = 0

    def __call__(self, response):
        assert response.status.code == 0
        self.received += A_REQUEST
        if self.received in self.marks:
            self.figures.append([memory(p) for p in self.processes])

    @property
    def growth(self):
        """The most that any of the processes grew by."""
        tenth, *later = self.figures
        return max(after - before for figures in later for before, after in zip(tenth, figures, strict=True))


def seen(flow):
    [response] = flow.post('/seen', Document(), return_results=True)
    return response.docs[0].tags['seen']


@pytest.mark.timeout(120)
@pytest.mark.parametrize('protocol', ['native', 'grpc'])
def test_memory_is_constant_while_a_million_documents_stream(flow, protocol):
    total = MANY if protocol == 'native' else MANY // 5
    watched, before = Watched(total), seen(flow)
    documents = (Document(text=f'{n:050}') for n in range(total))
    if protocol == 'native':
        flow.post('/', documents, watched, request_size=A_REQUEST)
    else:
        with Client(port_expose=flow.port_expose) as client:
            client.post('/', documents, watched, request_size=A_REQUEST)
    assert watched.received == total
    assert seen(flow) - before == 50 * total
    assert watched.growth < GROWTH
