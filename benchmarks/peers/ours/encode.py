"""This project: a model; `batch` and `wait` let requests that are there at the same time share a call."""

import os

import encoder

from jina import Executor, Flow, requests

BATCH = int(os.environ['BATCH'])
OPTIONS = {'batch': BATCH, 'wait': 5} if BATCH > 1 else {}


class Encoder(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.model = encoder.load()

    @requests(on='/search', **OPTIONS)
    def encode(self, docs, **kwargs):
        docs.embeddings = self.model.embed(docs.get_attributes('text'))
        for doc in docs:
            doc.pop('text')


if __name__ == '__main__':
    with Flow(protocol='http', port_expose=int(os.environ['PORT'])).add(uses=Encoder) as flow:
        flow.block()
