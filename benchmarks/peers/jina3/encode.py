"""jina 3.34: a model; `dynamic_batching` is an option of the Executor."""

import os

import encoder
from docarray import BaseDoc, DocList
from docarray.documents import TextDoc
from docarray.typing import NdArray

from jina import Executor, Flow, requests

BATCH = int(os.environ['BATCH'])


class Embedded(BaseDoc):
    embedding: NdArray[256]


class Encoder(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.model = encoder.load()

    @requests(on='/encode')
    async def encode(self, docs: DocList[TextDoc], **kwargs) -> DocList[Embedded]:
        return DocList[Embedded](Embedded(embedding=row) for row in self.model.embed(docs.text))


if __name__ == '__main__':
    batching = {'/encode': {'preferred_batch_size': BATCH, 'timeout': 5}}
    flow = Flow(protocol='http', port=int(os.environ['PORT']))
    flow = flow.add(uses=Encoder, uses_dynamic_batching=batching) if BATCH > 1 else flow.add(uses=Encoder)
    with flow:
        flow.block()
