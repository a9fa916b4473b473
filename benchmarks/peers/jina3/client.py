"""jina 3.34 from Python: a Flow in the program, asked by `f.post` or by a Client."""

import time

from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from docarray.typing import NdArray
from tasks import POOL, TEXT, Arrays, Texts, latencies, rate, repeated, serve

from jina import Client, Executor, Flow, requests


class ArrayDoc(BaseDoc):
    array: NdArray


class Upper(Executor):
    @requests
    async def upper(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        for doc in docs:
            doc.text = doc.text.upper()
        return docs


class Exclaim(Executor):
    @requests
    async def exclaim(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        for doc in docs:
            doc.text += '!'
        return docs


class PlusOne(Executor):
    @requests
    async def add(self, docs: DocList[ArrayDoc], **kwargs) -> DocList[ArrayDoc]:
        for doc in docs:
            doc.array = doc.array + 1
        return docs


def flow(stages):
    f = Flow().add(uses=Upper)
    for _ in range(stages - 1):
        f = f.add(uses=Exclaim)
    return f


def sender(f, client):
    return Client(host='localhost', port=f.port) if client else f


def ready(stages):
    start = time.perf_counter()
    with flow(stages):
        return {'seconds': time.perf_counter() - start}


def stream(stages, size, seconds, client=False):
    docs = [TextDoc(text=TEXT) for _ in range(POOL)]
    with flow(stages) as f:
        via = sender(f, client)

        def run(count):
            check = Texts(stages)
            via.post(
                '/',
                repeated(docs, count),
                request_size=size,
                return_type=DocList[TextDoc],
                on_done=lambda r: check(doc.text for doc in r.docs),
            )
            check.complete(count)

        return {'documents': rate(run, seconds, size)}


def latency(stages, seconds, client=False):
    doc = TextDoc(text=TEXT)
    with flow(stages) as f:
        via = sender(f, client)

        def call():
            docs = via.post('/', doc, return_type=DocList[TextDoc])
            return lambda: Texts(stages)([docs.text if isinstance(docs, TextDoc) else docs[0].text])

        return latencies(call, seconds)


def arrays(size, seconds):
    with Flow().add(uses=PlusOne) as f:

        def run(count):
            check = Arrays(size)
            f.post(
                '/',
                repeated([ArrayDoc(array=check.sent)], count),
                request_size=1,
                return_type=DocList[ArrayDoc],
                on_done=lambda r: check(r.docs[0].array),
            )
            check.complete(count)

        return {'megabytes': rate(run, seconds, 1) * size / 1e6}


def many(count):
    check = Texts(2)
    with flow(2) as f:
        start = time.perf_counter()
        f.post(
            '/',
            (TextDoc(text=TEXT) for _ in range(count)),
            request_size=100,
            return_type=DocList[TextDoc],
            on_done=lambda r: check(doc.text for doc in r.docs),
        )
        check.complete(count)
        return {'documents': count / (time.perf_counter() - start)}


if __name__ == '__main__':
    serve({'ready': ready, 'stream': stream, 'latency': latency, 'arrays': arrays, 'many': many})
