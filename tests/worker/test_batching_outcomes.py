"""Whatever requests share calls: each has one outcome, with its own documents in their order."""

import asyncio
import itertools

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import run

from jina import Document, DocumentArray, Executor, requests

names = itertools.count()


class Asked(msgspec.Struct):
    """One request.

    :ivar texts: of its documents; ``bad`` is poison.
    :ivar broken: its body cannot be read.
    """

    texts: list[str]
    a: int
    encoding: str
    known: bool
    endpoint: str
    broken: bool
    late: bool
    cancelled: bool


def mostly_not():
    return st.sampled_from([False] * 5 + [True])


asked = st.builds(
    Asked,
    texts=st.lists(st.sampled_from('abcdefg') | st.just('bad'), max_size=5),
    a=st.integers(0, 1),
    encoding=st.sampled_from(['msgpack', 'json', 'protobuf']),
    known=st.booleans(),
    endpoint=st.sampled_from(['/in-place', '/new', '/order', '/async']),
    broken=mostly_not(),
    late=mostly_not(),
    cancelled=mostly_not(),
)


def work(docs, parameters):
    for doc in docs or ():
        doc.text += str(parameters['a'])
        if doc.text.startswith('bad'):
            raise ValueError('poison')


class Working(Executor):
    """Fails on poison when it has begun to change the documents."""

    @requests(on='/in-place')
    def in_place(self, docs, parameters, **kwargs):
        work(docs, parameters)

    @requests(on='/new')
    def new(self, docs, parameters, **kwargs):
        work(docs, parameters)
        return [Document(text=doc.text) for doc in docs or ()]

    @requests(on='/order')
    def order(self, docs, parameters, **kwargs):
        work(docs, parameters)
        return DocumentArray(sorted(docs or (), key=lambda doc: doc.text))

    @requests(on='/async')
    async def later(self, docs, parameters, **kwargs):
        await asyncio.sleep(0)
        work(docs, parameters)


def send(ask, one):
    raw = msgspec.Raw(msgspec.msgpack.encode({'a': one.a}))
    head = {'endpoint': one.endpoint, 'parameters': raw, 'timeout': 0.0 if one.late else None}
    stream = ask.connection._next_stream
    if one.broken:
        sent = ask.broken(one.encoding, **head)
    else:
        docs = [Document(text=text) for text in one.texts]
        sent = ask.texts_or_status(docs, encoding=one.encoding, known=one.known, **head)
    return stream, asyncio.ensure_future(sent)


def check(one, outcome):
    """Whether this is what the request has to come to."""
    if one.late:
        return outcome.timed_out
    if one.broken:
        return outcome.client_error
    if 'bad' in one.texts:
        return 'poison' in outcome.description
    expected = [f'{text}{one.a}' for text in one.texts]
    return outcome == (sorted(expected) if one.endpoint == '/order' else expected)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(asked, min_size=1, max_size=12), st.integers(2, 6), st.sampled_from([0, 0.5, 2]))
def test_each_request_has_one_outcome_and_its_own_documents(serve, until, several, batch, wait):
    batching = {e: {'batch': batch, 'wait': wait} for e in ('/in-place', '/new', '/order', '/async')}

    async def outcomes():
        async with serve(Working, f'memory:{next(names)}', batching=batching) as ask:
            sent = []
            for one in several:
                sent.append(send(ask, one))
                await asyncio.sleep(0)
            for (stream, outcome), one in zip(sent, several, strict=True):
                if one.cancelled and not outcome.done():
                    outcome.cancel()
                    ask.connection.cancel(stream)
            for (_, outcome), one in zip(sent, several, strict=True):
                if not one.cancelled:
                    assert check(one, await outcome), one
            await until(lambda: ask.worker._open == 0 and ask.connection.in_flight == 0)

    run(outcomes())
