"""An HTTP door in this process, and a client for it."""

import asyncio
import http.client
import json
from contextlib import asynccontextmanager

from jina import Executor, requests
from jina.gateway.engine import Engine
from jina.gateway.http import HttpDoor
from jina.gateway.pool import Pool
from jina.graph import GATEWAY, Graph
from jina.spec import DoorSpec, ExecutorSpec, GatewaySpec, NodeSpec, WorkerSpec
from jina.worker import Worker


class Echo(Executor):
    """Puts what it is given into the tags."""

    @requests(on=['/echo', '/index', '/search', '/update', '/delete'])
    def echo(self, docs, parameters, **kwargs):
        for doc in docs or ():
            doc.tags['got'] = parameters
            doc.tags['was'] = doc.text

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError('on purpose')

    @requests(on='/where')
    def where(self, docs, **kwargs):
        docs[0].text = 'here'

    @requests(on='/new')
    def new(self, **kwargs):
        return []


class Blind(Executor):
    """Is bound to everything and looks at nothing."""

    @requests
    def f(self, **kwargs):
        pass


class Browser:
    """A client with one connection, which is kept."""

    def __init__(self, port):
        self.port = port
        self.connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)

    async def ask(self, method, path, body=None, headers=()):
        """(status, content type, body)"""

        def work():
            self.connection.request(method, path, body, dict(headers))
            response = self.connection.getresponse()
            return response.status, response.getheader('content-type'), response.read()

        return await asyncio.to_thread(work)

    async def post(self, path='/post', method='POST', **keys):
        """(status, the JSON of the answer)"""
        status, kind, body = await self.ask(method, path, json.dumps(keys))
        assert kind == 'application/json'
        return status, json.loads(body)

    async def docs(self, *args, **keys):
        status, answer = await self.post(*args, **keys)
        assert status == 200, answer
        return answer['data']['docs']


def web(**options):
    return GatewaySpec(listen='memory:unused', **options)


@asynccontextmanager
async def serving(*classes, extend=None, **options):
    """A chain of these Executors behind a door with these options."""
    workers, pools, needs = [], {}, {}
    for cls in classes:
        name = cls.__name__.lower()
        spec = ExecutorSpec(name=name, uses={'jtype': cls.__name__})
        workers.append(Worker(WorkerSpec(executor=spec, listen=f'memory:{name}'), lambda cls=cls: cls))
        await workers[-1].start(lambda doing: None)
        pools[name] = Pool(NodeSpec(name=name))
        await pools[name].connect(f'memory:{name}')
        needs[name] = [next(reversed(needs), GATEWAY)]
    door = HttpDoor(Engine(Graph(needs), pools), DoorSpec(protocol='http'), web(**options), extend)
    browser = Browser(door.bind())
    browser.workers, browser.pools, browser.door = workers, pools, door
    await door.serve()
    try:
        yield browser
    finally:
        browser.connection.close()
        await door.stop()
        for pool in pools.values():
            pool.close()
        for worker in workers:
            await worker.stop()
