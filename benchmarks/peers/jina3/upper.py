"""jina 3.34: a Flow with an HTTP gateway; `async def` is the faster form of its endpoints."""

import os

from docarray import DocList
from docarray.documents import TextDoc

from jina import Executor, Flow, requests


class Upper(Executor):
    @requests(on='/upper')
    async def upper(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        for doc in docs:
            doc.text = doc.text.upper()
        return docs


class Exclaim(Executor):
    @requests(on='/upper')
    async def exclaim(self, docs: DocList[TextDoc], **kwargs) -> DocList[TextDoc]:
        for doc in docs:
            doc.text += '!'
        return docs


if __name__ == '__main__':
    flow = Flow(protocol='http', port=int(os.environ['PORT'])).add(uses=Upper)
    for _ in range(int(os.environ['STAGES']) - 1):
        flow = flow.add(uses=Exclaim)
    with flow:
        flow.block()
