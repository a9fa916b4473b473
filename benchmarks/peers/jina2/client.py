"""jina 2.0.24 from Python: a Flow in the program, asked by `f.post` or by a Client."""

import time

from tasks import POOL, TEXT, Arrays, Texts, latencies, rate, repeated, serve

from jina import Client, Document, Executor, Flow, requests


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


def flow(stages):
    f = Flow().add(uses=Upper)
    for _ in range(stages - 1):
        f = f.add(uses=Exclaim)
    return f


def sender(f, client):
    return Client(host='localhost', port=f.port_expose) if client else f


def ready(stages):
    start = time.perf_counter()
    with flow(stages):
        return {'seconds': time.perf_counter() - start}


def stream(stages, size, seconds, client=False):
    docs = [Document(text=TEXT) for _ in range(POOL)]
    with flow(stages) as f:
        via = sender(f, client)

        def run(count):
            check = Texts(stages)
            via.post('/', repeated(docs, count), request_size=size, on_done=lambda r: check(d.text for d in r.docs))
            check.complete(count)

        return {'documents': rate(run, seconds, size)}


def latency(stages, seconds, client=False):
    doc, answers = Document(text=TEXT), []
    with flow(stages) as f:
        via = sender(f, client)

        def call():
            via.post('/', doc, on_done=answers.append)
            return lambda: Texts(stages)([answers.pop().docs[0].text])

        return latencies(call, seconds)


def arrays(size, seconds):
    with Flow().add(uses=PlusOne) as f:

        def run(count):
            check = Arrays(size)
            doc = Document(blob=check.sent)
            f.post('/', repeated([doc], count), request_size=1, on_done=lambda r: check(r.docs[0].blob))
            check.complete(count)

        return {'megabytes': rate(run, seconds, 1) * size / 1e6}


def many(count):
    check = Texts(2)
    with flow(2) as f:
        start = time.perf_counter()
        docs = (Document(text=TEXT) for _ in range(count))
        f.post('/', docs, request_size=100, on_done=lambda r: check(d.text for d in r.docs))
        check.complete(count)
        return {'documents': count / (time.perf_counter() - start)}


if __name__ == '__main__':
    serve({'ready': ready, 'stream': stream, 'latency': latency, 'arrays': arrays, 'many': many})
