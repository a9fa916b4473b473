"""What ``post`` promises, over every link to one and the same Flow."""

import asyncio
import contextlib
import threading
import time

import numpy as np
import psutil
import pytest
from ports import free_port

from jina import AsyncFlow, Client, Document, Executor, Flow, requests
from jina.excepts import BadClientCallback, BadClientInput, ServerUnreachable
from jina.types.request import StatusCode
from jina.types.score import NamedScore

PROTOCOLS = ['grpc', 'http', 'websocket']
LINKS = ['native', *PROTOCOLS]
SECONDS = 20


class Echo(Executor):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.second_is_here = None

    @requests(on='/tag')
    def tag(self, docs, parameters, groundtruths=None, **kwargs):
        for doc in docs or ():
            doc.tags['got'] = parameters
        for doc in groundtruths or ():
            doc.tags['is'] = 'groundtruth'

    @requests(on='/same')
    def same(self, docs, **kwargs):
        pass

    @requests(on='/count')
    def count(self, docs, **kwargs):
        return [Document(tags={'count': len(docs or ())})]

    @requests(on='/fail')
    def fail(self, docs, **kwargs):
        if docs and docs[0].text != 'good':
            raise ValueError('on purpose')

    @requests(on='/wait')
    async def wait_for_the_next(self, docs, **kwargs):
        import asyncio

        self.second_is_here = self.second_is_here or asyncio.Event()
        if docs[0].text == 'first':
            await self.second_is_here.wait()
            self.second_is_here = None
        else:
            self.second_is_here.set()

    @requests(on='/hold')
    async def hold(self, **kwargs):
        import asyncio

        await asyncio.Event().wait()


class Other(Executor):
    @requests(on='/tag')
    def tag(self, docs, **kwargs):
        for doc in docs or ():
            doc.tags['other'] = True


class Broken(Executor):
    @requests
    def fail(self, **kwargs):
        raise ValueError('on purpose')


def open_flow(**options):
    return Flow(protocol=PROTOCOLS, quiet=True, **options).add(name='echo', uses=Echo).add(name='other', uses=Other)


def address_of(flow, protocol):
    port = dict(zip(PROTOCOLS, flow.ports, strict=True))[protocol]
    return {'host': '127.0.0.1', 'port': port, 'protocol': protocol}


def poster_of(flow, link):
    """A context with what has ``post``."""
    return contextlib.nullcontext(flow) if link == 'native' else Client(**address_of(flow, link))


@pytest.fixture(scope='module')
def flow():
    with open_flow() as flow:
        yield flow


@pytest.fixture(params=LINKS)
def poster(flow, request):
    """What has ``post``."""
    with poster_of(flow, request.param) as poster:
        yield poster


@pytest.fixture(params=LINKS)
def asynchronous(request):
    """A function that gives what has an asynchronous ``post``, inside a running loop."""
    with AsyncFlow(protocol=PROTOCOLS, quiet=True).add(uses=Echo) as flow:
        if request.param == 'native':
            yield flow
        else:
            yield Client(**address_of(flow, request.param), asyncio=True)


def texts(count):
    return (Document(text=str(i)) for i in range(count))


def rich_document():
    return Document(
        id='1', text='hällo ☃', uri='a/b.txt', mime_type='text/x-own', modality='m', weight=0.5, location=[1, 2],
        tags={'n': 3, 'x': 0.5, 'deep': {'list': [1, 'a', None, True, {'y': 'z'}]}}, offset=3,
        embedding=np.arange(6, dtype='f4').reshape(2, 3),
        scores={'cosine': NamedScore(0.25, 'op', 'why', [NamedScore(2)], 'ref')}, evaluations={'precision': 1},
        chunks=[Document(id='c', blob=np.arange(3), chunks=[Document(id='cc', text='deep')])],
        matches=[Document(id='m', buffer=bytes(range(256)), scores={'s': 1})],
    )  # fmt: skip


class TestDocuments:
    def test_everything_in_them_comes_back(self, poster):
        [response] = poster.post('/same', rich_document(), return_results=True)
        [doc] = response.docs
        assert doc.dict() == rich_document().dict()
        assert (doc.embedding.dtype, doc.embedding.shape) == (np.dtype('f4'), (2, 3))
        assert type(doc.tags['n']) is int

    def test_groundtruths_travel_beside_them(self, poster):
        pairs = [(Document(text='a'), Document(text='A')), (Document(text='b'), Document(text='B'))]
        [response] = poster.post('/tag', pairs, return_results=True)
        assert [d.text for d in response.docs] == ['a', 'b']
        assert [(d.text, d.tags['is']) for d in response.groundtruths] == [('A', 'groundtruth'), ('B', 'groundtruth')]

    def test_parameters(self, poster):
        parameters = {'k': 5, 'x': 0.5, 'deep': {'list': [1, 'ä', None, True]}}
        [response] = poster.post('/tag', Document(), parameters=parameters, return_results=True)
        assert response.docs[0].tags['got'] == parameters
        assert type(response.docs[0].tags['got']['k']) is int

    def test_target_peapod(self, poster):
        [response] = poster.post('/tag', Document(), target_peapod='other', return_results=True)
        assert response.docs[0].tags == {'other': True}

    @pytest.mark.parametrize(('size', 'counts'), [(3, [3, 3, 1]), (0, [7]), (100, [7])])
    def test_request_size(self, poster, size, counts):
        responses = poster.post('/count', texts(7), request_size=size, return_results=True)
        assert [r.docs[0].tags['count'] for r in responses] == counts

    def test_no_documents(self, poster):
        [response] = poster.post('/count', return_results=True)
        assert response.docs[0].tags['count'] == 0
        [response] = poster.post('/same', return_results=True)
        assert len(response.docs) == 0

    def test_more_bytes_than_any_window_admits(self, poster):
        array = np.zeros(1 << 20)
        responses = poster.post(
            '/same', (Document(blob=array + i) for i in range(12)), request_size=1, return_results=True
        )
        assert [r.docs[0].blob[7] for r in responses] == list(range(12))

    def test_one_larger_than_any_window(self, poster):
        [response] = poster.post('/same', Document(buffer=b'x' * (65 << 20)), return_results=True)
        assert len(response.docs[0].buffer) == 65 << 20


class TestResponses:
    def test_they_come_in_the_order_of_the_requests(self, poster):
        responses = poster.post('/same', texts(500), request_size=1, return_results=True)
        assert [r.docs[0].text for r in responses] == [str(i) for i in range(500)]

    def test_callbacks_fire_as_they_arrive(self, poster):
        arrived = []
        inputs = [Document(text='first'), Document(text='second')]
        poster.post('/wait', inputs, request_size=1, on_done=lambda r: arrived.append(r.docs[0].text))
        assert arrived == ['second', 'first']

    def test_they_tell_who_worked_on_them(self, poster):
        [response] = poster.post('/tag', Document(), return_results=True)
        assert [r.pod for r in response.routes] == ['gateway', 'echo', 'other']
        assert all(0 < r.start <= r.end for r in response.routes)
        assert (response.header.exec_endpoint, bool(response.request_id)) == ('/tag', True)

    def test_an_error_comes_with_its_cause_and_the_documents_that_were_sent(self, poster):
        done, failed, always = [], [], []
        inputs = [Document(text='good'), Document(text='bad')]
        poster.post(
            '/fail', inputs, request_size=1, on_done=done.append, on_error=failed.append, on_always=always.append
        )
        assert [r.docs[0].text for r in done] == ['good']
        [response] = failed
        assert (response.status.code, response.docs[0].text) == (StatusCode.ERROR, 'bad')
        assert "'echo'" in response.status.description
        raised = response.status.exception
        assert (raised.name, raised.args, raised.executor) == ('ValueError', ('on purpose',), 'Echo')
        assert 'ValueError: on purpose\n' in raised.stacks
        assert len(always) == 2

    def test_a_deadline(self, poster):
        before = time.monotonic()
        [response] = poster.post('/hold', Document(text='a'), timeout=0.2, return_results=True)
        assert time.monotonic() - before < SECONDS
        assert (response.status.code, response.status.timed_out) == (StatusCode.ERROR, True)
        assert 'deadline of 0.2 s' in response.status.description
        assert len(poster.post('/same', Document(), return_results=True)) == 1

    def test_a_target_that_is_no_regex(self, poster):
        [response] = poster.post('/tag', Document(text='a'), target_peapod='(', return_results=True)
        assert 'no regular expression' in response.status.description


class Twice(Executor):
    @requests
    def name(self, docs, **kwargs):
        docs[0].tags['by'] = self.runtime_args.replica_id


@pytest.mark.parametrize('protocol', LINKS)
class TestSeveralAnswersAndErrorsInOne:
    def test_an_error_that_is_ignored_comes_with_what_the_others_made(self, protocol):
        flow = open_flow(on_error_strategy='IGNORE').add(uses=Broken, name='broken')
        with flow, poster_of(flow, protocol) as poster:
            [response] = poster.post('/tag', Document(text='a'), return_results=True)
            assert (response.status.code, response.status.exception.name) == (StatusCode.ERROR, 'ValueError')
            assert [(doc.text, doc.tags) for doc in response.docs] == [('a', {'got': {}, 'other': True})]

    def test_the_answers_of_all_replicas_are_one(self, protocol):
        flow = Flow(protocol=PROTOCOLS, quiet=True).add(uses=Twice, replicas=2, polling='ALL')
        with flow, poster_of(flow, protocol) as poster:
            pair = (Document(text='a'), Document(text='b'))
            [response] = poster.post('/', [pair], return_results=True)
            assert [(doc.text, doc.tags['by']) for doc in response.docs] == [('a', 0), ('a', 1)]
            assert [doc.text for doc in response.groundtruths] == ['b', 'b']
            assert response.status.code == StatusCode.SUCCESS


class TestCalls:
    def test_a_callback_that_raises_ends_the_call_and_nothing_else(self, poster):
        def fail(response):
            raise ValueError('mine')

        with pytest.raises(BadClientCallback, match='mine'):
            poster.post('/same', texts(100), on_done=fail, request_size=1)
        assert len(poster.post('/same', texts(3), request_size=1, return_results=True)) == 3

    def test_inputs_that_raise(self, poster):
        def inputs():
            yield Document(text='a')
            raise ValueError('mine')

        answered = []
        with pytest.raises(BadClientInput, match='mine'):
            poster.post('/same', inputs, on_done=answered.append, request_size=1)
        assert len(answered) == 1

    def test_several_threads(self, poster):
        seen = []

        def call(name):
            for response in poster.post(
                '/same', [Document(text=f'{name}{i}') for i in range(20)], request_size=1, return_results=True
            ):
                seen.append(response.docs[0].text)

        threads = [threading.Thread(target=call, args=(name,)) for name in 'abcd']
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert sorted(seen) == sorted(f'{name}{i}' for name in 'abcd' for i in range(20))

    def test_a_progress_bar(self, poster, capfd):
        poster.post('/same', texts(10), show_progress=True, request_size=1)
        assert '10 documents' in capfd.readouterr().err

    def test_inside_a_running_loop(self, poster):
        async def main():
            return poster.post('/same', texts(3), return_results=True)

        assert len(asyncio.run(main())[0].docs) == 3

    def test_proxies_of_the_environment_are_not_asked(self, poster, flow, monkeypatch):
        for name in ('http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY', 'ws_proxy'):
            monkeypatch.setenv(name, 'http://127.0.0.1:9')
        for name in ('no_proxy', 'NO_PROXY'):
            monkeypatch.delenv(name, raising=False)
        if isinstance(poster, Client):
            poster = Client(poster.host, poster.port_expose, poster.protocol)
        assert len(poster.post('/same', Document(), return_results=True)) == 1
        if poster is not flow:
            poster.close()


class TestAsynchronous:
    def test_an_async_generator_in_order(self, asynchronous):
        async def inputs():
            for i in range(50):
                yield Document(text=str(i))
                if i % 7 == 0:
                    await asyncio.sleep(0)

        async def main():
            async with asyncio.timeout(SECONDS):
                return [r.docs[0].text async for r in asynchronous.post('/same', inputs, request_size=1)]

        assert asyncio.run(main()) == [str(i) for i in range(50)]

    def test_one_that_is_left_early(self, asynchronous):
        async def main():
            async with asyncio.timeout(SECONDS):
                responses = asynchronous.post('/same', texts(1000), request_size=1)
                async for response in responses:
                    assert response.docs[0].text == '0'
                    break
                await responses.aclose()
                return [r async for r in asynchronous.post('/same', Document())]

        assert len(asyncio.run(main())) == 1


@pytest.mark.parametrize('protocol', PROTOCOLS)
class TestServersThatGoAway:
    def test_nobody_is_there(self, protocol):
        port = free_port()
        scheme = 'ws' if protocol == 'websocket' else protocol
        with (
            Client('127.0.0.1', port, protocol) as client,
            pytest.raises(ServerUnreachable, match=f'{scheme}://127.0.0.1:{port}: .*[Rr]efuse'),
        ):
            client.post('/', Document())

    def test_there_is_no_such_host(self, protocol):
        with (
            Client('host.invalid', 1, protocol) as client,
            pytest.raises(ServerUnreachable, match='nothing answers at'),
        ):
            client.post('/', Document())

    def test_killed_in_mid_stream_and_back_again(self, protocol):
        answered = []
        with open_flow() as flow, Client(**address_of(flow, protocol)) as client:
            port = client.port_expose
            client.post('/same', Document(), on_done=answered.append)

            def inputs():
                yield from texts(3)
                [gateway] = [p for p in psutil.Process().children() if listens(p, port)]
                gateway.kill()
                yield from texts(3)

            with pytest.raises(ServerUnreachable):
                client.post('/hold', inputs, request_size=1)
        with Flow(protocol=protocol, port_expose=port, quiet=True).add(uses=Echo), client:
            client.post('/same', Document(), on_done=answered.append)
        assert len(answered) == 2

    def test_closed_while_requests_wait(self, protocol):
        outcome = []
        with open_flow() as flow, Client(**address_of(flow, protocol)) as client:

            def call():
                try:
                    client.post('/hold', texts(3), request_size=1, on_error=outcome.append)
                except ServerUnreachable as error:
                    outcome.append(error)

            thread = threading.Thread(target=call)
            thread.start()
            client_thread_has_asked(flow)
            flow.close()
            thread.join(SECONDS)
            assert not thread.is_alive()
        assert outcome


def listens(process, port):
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in process.net_connections())


def client_thread_has_asked(flow):
    """Wait for what shows that the requests are there: a later one is answered."""
    flow.post('/same', Document())
