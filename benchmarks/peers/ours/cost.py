"""This project: what a request costs, as the work grows: documents, stages, replicas, payload."""

import time

import numpy as np
from tasks import TEXT, expected, latencies, serve

from jina import Document, DocumentArray, Executor, Flow, requests

DOCUMENTS = (1, 10, 100, 1_000, 10_000)
STAGES = (1, 2, 4, 8, 16)
REPLICAS = (1, 2, 4, 8)
PAYLOADS = tuple(10**power for power in range(2, 9))
WAIT_SECONDS = 0.01


class Upper(Executor):
    @requests
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()


class Exclaim(Executor):
    @requests
    def exclaim(self, docs, **kwargs):
        for doc in docs:
            doc.text += '!'


class PlusOne(Executor):
    @requests
    def add(self, docs, **kwargs):
        for doc in docs:
            doc.blob = doc.blob + 1


class Waits(Executor):
    """As one that asks a database: it takes time, but no processor."""

    @requests
    def wait(self, docs, **kwargs):
        time.sleep(WAIT_SECONDS)


def call(f, docs, check):
    """One request; what it returns is checked later."""
    answers = f.post('/', docs, request_size=max(len(docs), 1), return_results=True)
    return lambda: check([doc for answer in answers for doc in answer.docs])


def texts(count, stages):
    def check(docs):
        assert [doc.text for doc in docs] == [expected(stages)] * count, docs[:3]

    return check


def documents(seconds):
    points = []
    with Flow().add(uses=Upper) as f:
        for count in DOCUMENTS:
            docs = DocumentArray(Document(text=TEXT) for _ in range(count))
            points.append((count, latencies(lambda: call(f, docs, texts(count, 1)), seconds)['p50']))  # noqa: B023
    return {'points': points}


def stages(seconds):
    points, docs = [], DocumentArray([Document(text=TEXT)])
    for count in STAGES:
        flow = Flow().add(uses=Upper)
        for _ in range(count - 1):
            flow.add(uses=Exclaim)
        with flow as f:
            points.append((count, latencies(lambda: call(f, docs, texts(1, count)), seconds)['p50']))  # noqa: B023
    return {'points': points}


def payload(seconds):
    points = []
    with Flow().add(uses=PlusOne) as f:
        for size in PAYLOADS:
            sent = np.arange(size, dtype='uint8')
            docs, expected = DocumentArray([Document(blob=sent)]), sent + np.uint8(1)

            def check(docs, expected=expected):
                assert np.array_equal(docs[0].blob, expected)

            points.append((size, latencies(lambda: call(f, docs, check), seconds)['p50']))  # noqa: B023
    return {'points': points}


def replicas(seconds):
    points = []
    for count in REPLICAS:
        number = max(count, round(seconds * count / WAIT_SECONDS))
        with Flow().add(uses=Waits, replicas=count) as f:
            answers = []
            f.post('/', (Document(text=TEXT) for _ in range(count)), request_size=1)
            start = time.perf_counter()
            f.post('/', (Document(text=TEXT) for _ in range(number)), request_size=1, on_done=answers.append)
            points.append((count, number / (time.perf_counter() - start)))
            assert len(answers) == number, len(answers)
    return {'points': points}


if __name__ == '__main__':
    serve({'documents': documents, 'stages': stages, 'payload': payload, 'replicas': replicas})
