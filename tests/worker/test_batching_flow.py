"""Requests of many clients that share calls, in a Flow."""

import json
import os
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from jina import Document, DocumentArray, Executor, Flow, requests
from jina.excepts import RuntimeFailToStart

CLIENTS = 32
LONG = 60_000  # milliseconds: a call begins when it is full, and no sooner


class Counting(Executor):
    """Tells each Document how many shared its call, and where."""

    @requests(on='/count', batch=CLIENTS, wait=LONG)
    def count(self, docs, **kwargs):
        for doc in docs:
            doc.text = f'{doc.text.upper()} of {len(docs)}'
            doc.tags['where'] = os.getpid()

    @requests(on='/poison')
    def poison(self, docs, **kwargs):
        for doc in docs:
            doc.text += '!'
            if doc.text == 'bad!':
                raise ValueError('poison')


class Joined(Executor):
    @requests
    def join(self, docs, docs_matrix, **kwargs):
        return DocumentArray([Document(text=' + '.join(branch[0].text for branch in docs_matrix))])


def at_once(post):
    """What is answered to each of the clients; its text is its number."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        return list(pool.map(post, map(str, range(CLIENTS))))


def test_clients_over_http_share_a_call():
    with Flow(protocol='http', quiet=True).add(uses=Counting) as flow:
        url = f'http://127.0.0.1:{flow.port_expose}/post'

        def post(text):
            data = json.dumps({'data': [{'text': text}], 'execEndpoint': '/count'}).encode()
            request = urllib.request.Request(url, data, {'Content-Type': 'application/json'})
            with urllib.request.urlopen(request, timeout=30) as response:
                return [doc['text'] for doc in json.load(response)['data']['docs']]

        assert at_once(post) == [[f'{n} of {CLIENTS}'] for n in range(CLIENTS)]


@pytest.mark.parametrize('backend', ['PROCESS', 'THREAD'])
def test_threads_that_post_share_a_call(backend):
    with Flow(quiet=True).add(uses=Counting, runtime_backend=backend) as flow:

        def post(text):
            [answer] = flow.post('/count', Document(text=text), return_results=True)
            return [doc.text for doc in answer.docs]

        assert at_once(post) == [[f'{n} of {CLIENTS}'] for n in range(CLIENTS)]


def test_replicas_that_all_receive_a_request_have_batches_of_their_own():
    with Flow(quiet=True).add(uses=Counting, replicas=2, polling='ALL') as flow:
        docs = [Document(text=str(n)) for n in range(CLIENTS)]
        answers = flow.post('/count', docs, request_size=1, return_results=True)
        for n, answer in enumerate(answers):
            assert [doc.text for doc in answer.docs] == [f'{n} of {CLIENTS}'] * 2
            assert len({doc.tags['where'] for doc in answer.docs}) == 2


def test_branches_share_calls_and_what_joins_them_does_not():
    flow = Flow(quiet=True).add(name='a', uses=Counting).add(name='b', uses=Counting, needs='gateway')
    with flow.add(name='j', uses=Joined, needs=['a', 'b'], batching={'/default': {'batch': 9}}) as flow:
        docs = [Document(text=str(n)) for n in range(CLIENTS)]
        answers = flow.post('/count', docs, request_size=1, return_results=True)
        texts = [doc.text for answer in answers for doc in answer.docs]
        assert texts == [f'{n} of {CLIENTS} + {n} of {CLIENTS}' for n in range(CLIENTS)]


def test_config_has_requests_share_calls_and_a_poison_document_fails_only_its_own():
    done, failed = [], []
    batching = {'/poison': {'batch': 4, 'wait': LONG}}
    with Flow(quiet=True).add(uses=Counting, uses_before='BaseExecutor', batching=batching) as flow:
        flow.post(
            '/poison',
            [Document(text=text) for text in ('a', 'b', 'bad', 'c', 'd', 'e', 'f', 'g')],
            request_size=1,
            on_done=done.append,
            on_error=failed.append,
        )
    assert sorted(response.docs[0].text for response in done) == ['a!', 'b!', 'c!', 'd!', 'e!', 'f!', 'g!']
    [response] = failed
    assert 'ValueError: poison' in response.status.description
    assert response.docs[0].text == 'bad'


def test_an_endpoint_that_does_not_exist_is_told_when_the_flow_starts():
    with pytest.raises(RuntimeFailToStart, match=r"Counting binds nothing to '/cuont'.*did you mean '/count'"):
        Flow(quiet=True).add(uses=Counting, batching={'/cuont': {'batch': 4}}).start()
