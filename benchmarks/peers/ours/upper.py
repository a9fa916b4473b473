"""This project: a Flow with an HTTP gateway."""

import os

from jina import Executor, Flow, requests


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


if __name__ == '__main__':
    flow = Flow(protocol='http', port_expose=int(os.environ['PORT'])).add(uses=Upper)
    for _ in range(int(os.environ['STAGES']) - 1):
        flow.add(uses=Exclaim)
    with flow:
        flow.block()
