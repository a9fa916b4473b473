"""What `post` is given is checked before anything is sent, and means the same over every link."""

import functools
import sys

import numpy as np
import pytest

from jina import Client, Document, Executor, Flow, requests
from jina.clients.poster import Poster
from jina.excepts import BadClientInput, BadOption, ServerUnreachable

PROTOCOLS = ['grpc', 'http', 'websocket']
CYCLE = {}
CYCLE['a'] = [CYCLE]


class Shows(Executor):
    @requests
    def show(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.tags['got'] = repr(parameters)


@pytest.fixture(scope='module')
def flow():
    with Flow(protocol=PROTOCOLS).add(uses=Shows) as flow:
        yield flow


@pytest.fixture(params=['native', *PROTOCOLS])
def poster(request, flow):
    if request.param == 'native':
        yield flow
        return
    with Client(port=flow.ports[PROTOCOLS.index(request.param)], protocol=request.param) as client:
        yield client


async def awaited(response): ...


class Awaited:
    async def __call__(self, response): ...

    async def method(self, response): ...


async def no_link():
    raise ServerUnreachable('something was to be sent')


@pytest.mark.parametrize('asynchronous', [False, True])
@pytest.mark.parametrize(
    ('options', 'told'),
    [
        ({'target_peapod': 3}, r'post\(target_peapod=3\): it is a string'),
        ({'target_peapod': b'a'}, r"post\(target_peapod=b'a'\): it is a string"),
        ({'target_peapod': '\ud800'}, r"post\(target_peapod='\\ud800'\): it cannot be sent"),
        ({'on': '/\ud800'}, r"post\(on='/\\ud800'\): it cannot be sent"),
        ({'on_done': awaited}, r'post\(on_done=awaited\): nobody awaits an `async def`'),
        ({'on_error': Awaited()}, r'post\(on_error=.*Awaited.*\): nobody awaits'),
        ({'on_always': Awaited().method}, r'post\(on_always=method\): nobody awaits'),
        ({'on_done': functools.partial(awaited)}, r'post\(on_done=.*partial.*\): nobody awaits'),
        ({'on_done': 3}, r'post\(on_done=3\): it is a function that takes a Response'),
    ],
)
def test_a_wrong_argument_is_told_before_anything_is_sent(options, told, asynchronous):
    with pytest.raises(BadOption, match=told):
        Poster(no_link, asynchronous).post(**{'on': '/', 'inputs': Document(), **options})


@pytest.mark.parametrize('callback', [print, lambda response: None, Document, functools.partial(print, end='')])
def test_a_callback_may_be_whatever_can_be_called(callback):
    with pytest.raises(ServerUnreachable):
        Poster(no_link, False).post('/', on_done=callback)


@pytest.mark.parametrize(
    ('parameters', 'got'),
    [
        ({1: 2, 'n': {2: [{3: 4}]}}, {'1': 2, 'n': {'2': [{'3': 4}]}}),
        ({'a': np.float32(0.5), 'b': np.arange(2), 'c': (1, None)}, {'a': 0.5, 'b': [0, 1], 'c': [1, None]}),
    ],
)
def test_parameters_arrive_alike(poster, parameters, got):
    [response] = poster.post('/', Document(), parameters=parameters, return_results=True)
    assert response.docs[0].tags['got'] == repr(got)


@pytest.mark.parametrize('parameters', [CYCLE, {None: 1}, {(1, 2): 3}, {'a': {b'b': 1}}, {'a': '\ud800'}])
def test_parameters_that_cannot_be_sent(poster, parameters):
    with pytest.raises(BadOption, match=r'parameters=.* cannot be sent: '):
        poster.post('/', Document(), parameters=parameters)


def nested(depth):
    top = doc = Document()
    for _ in range(depth):
        doc.chunks.append(Document())
        doc = doc.chunks[0]
    return top


def cyclic():
    doc = Document()
    doc.chunks.append(doc)
    return doc


NOT_SO_DEEP = pytest.mark.skipif(sys.version_info >= (3, 13), reason='C code may go deeper there: it can be sent')


@pytest.mark.parametrize('make', [cyclic, pytest.param(lambda: nested(900), marks=NOT_SO_DEEP)])
def test_a_document_that_has_no_end(poster, make):
    answered = []
    with pytest.raises(BadClientInput, match=r'a Document among 1 of one request cannot be sent: .*recursion'):
        poster.post('/', [Document(), make()], request_size=1, on_done=answered.append)
    assert len(answered) == 1, 'what came before it is answered'


class NoIterator:
    def __iter__(self):
        raise LookupError('no disk')


class NoLength(list):
    def __len__(self):
        raise LookupError('no disk')


def no_function():
    raise LookupError('no disk')


@pytest.mark.parametrize('inputs', [NoIterator(), NoLength(), no_function])
def test_inputs_that_raise(poster, inputs):
    with pytest.raises(BadClientInput, match='inputs raised LookupError after 0 Documents or more: no disk') as caught:
        poster.post('/', inputs)
    assert isinstance(caught.value.__cause__, LookupError)


class UnknownLength:
    def __iter__(self):
        return iter([Document(), Document()])

    def __len__(self):
        raise TypeError('nobody knows')


def test_inputs_may_have_no_length(poster):
    [response] = poster.post('/', UnknownLength(), return_results=True)
    assert len(response.docs) == 2
