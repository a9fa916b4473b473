"""One call of ``post`` over a link that is not real."""

import asyncio

import pytest

from jina import Document
from jina.clients.exchange import Call, Exchange, stream
from jina.excepts import BadClientInput, BadOption, ServerUnreachable
from jina.types.request import Status, StatusCode
from jina.wire.codecs import codec
from jina.wire.head import Head, Part

SECONDS = 20


class FakeLink:
    """Answers what it is sent, when it wants to.

    :param window: how many requests it admits at a time.
    :param hold: positions of requests that it does not answer by itself.
    """

    encoding = 'msgpack'

    def __init__(self, window=1000, hold=()):
        self.closed = False
        self.on_change = lambda: None
        self.heads, self.sizes, self.cancelled, self.most = [], [], [], 0
        self._window, self._hold, self._waiting = window, hold, {}

    def admits(self, size):
        return not self.closed and len(self._waiting) < self._window

    def request(self, head, body, reply):
        number = len(self.heads)
        self.heads.append(head)
        self.sizes.append(sum(map(len, body)))
        self._waiting[number] = (head, b''.join(body), reply)
        self.most = max(self.most, len(self._waiting))
        if number not in self._hold:
            asyncio.get_running_loop().call_soon(self.answer, number)
        return number

    def answer(self, number, status=None):
        if number in self._waiting:
            head, body, reply = self._waiting.pop(number)
            reply(Head(head.request_id, '', head.parts, parameters=head.parameters, status=status), body)
            self.on_change()

    def lose(self):
        self.closed = True
        waiting, self._waiting = self._waiting, {}
        for _, _, reply in waiting.values():
            reply(Head('', '', status=Status(StatusCode.ERROR, 'lost')), b'')
        self.on_change()

    def cancel(self, number):
        self.cancelled.append(number)

    async def drained(self):
        """At once."""

    async def close(self):
        self.lose()


def call(inputs=None, **options):
    defaults = {
        'on': '/x', 'on_done': None, 'on_error': None, 'on_always': None, 'parameters': {}, 'target_peapod': '',
        'request_size': 1, 'show_progress': False, 'continue_on_error': False, 'return_results': False,
    }  # fmt: skip
    return Call(inputs=inputs, **{**defaults, **options})


def docs(count):
    return [Document(text=str(n)) for n in range(count)]


def run(link, call, received=lambda *_: None, meanwhile=None):
    async def both():
        exchange = asyncio.ensure_future(Exchange(link, call, received).run())
        if meanwhile:
            await asyncio.sleep(0)
            await meanwhile()
        await asyncio.wait_for(exchange, SECONDS)

    asyncio.run(both())


def test_every_request_is_answered_and_told_with_its_position_and_count():
    got = []
    run(FakeLink(), call(docs(7), request_size=3), lambda p, r, n: got.append((p, [d.text for d in r.docs], n)))
    assert got == [(0, ['0', '1', '2'], 3), (1, ['3', '4', '5'], 3), (2, ['6'], 1)]


def test_requests_say_what_they_are():
    link = FakeLink()
    run(link, call([(Document(), Document()), Document()], request_size=5, parameters={'a': 1}, target_peapod='p.*'))
    [head] = link.heads
    assert (head.endpoint, head.target, head.accept) == ('/x', 'p.*', 'msgpack')
    assert head.parts == (Part('msgpack', link.sizes[0], 2, 1),)
    assert bytes(head.parameters) == b'\x81\xa1a\x01'
    assert head.request_id


def test_ids_differ():
    link = FakeLink()
    run(link, call(docs(20)))
    assert len({head.request_id for head in link.heads}) == 20


def test_no_documents_are_one_request_without_a_body():
    link, got = FakeLink(), []
    run(link, call(), lambda p, r, n: got.append(len(r.docs)))
    assert ([head.parts for head in link.heads], got) == ([()], [0])


@pytest.mark.parametrize('window', [1, 3])
def test_no_more_is_sent_than_the_link_admits(window):
    link, got = FakeLink(window), []
    run(link, call(docs(50)), lambda p, r, n: got.append(p))
    assert link.most == window
    assert got == list(range(50))


def test_async_inputs_are_sent_too():
    async def inputs():
        for doc in docs(5):
            await asyncio.sleep(0)
            yield doc

    got = []
    run(FakeLink(), call(inputs, request_size=2), lambda p, r, n: got.append(n))
    assert got == [2, 2, 1]


def test_parameters_that_cannot_be_sent_are_named():
    with pytest.raises(BadOption, match='it holds a object; it takes numbers'):
        run(FakeLink(), call(parameters={'a': object()}))


def test_inputs_that_fail_end_the_call_when_what_was_sent_is_answered():
    link, got = FakeLink(), []

    def inputs():
        yield from docs(3)
        yield 'no document'

    with pytest.raises(BadClientInput, match='at position 3'):
        run(link, call(inputs), lambda p, r, n: got.append(p))
    assert got == [0, 1, 2]


def test_what_a_callback_raises_ends_the_call_and_cancels_the_rest():
    link = FakeLink(hold={1, 2})

    def received(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(link, call(docs(3)), received)
    assert link.cancelled == [1, 2]


def test_a_lost_link_ends_the_call_and_tells_why():
    link = FakeLink(hold=range(10))

    async def lose():
        link.lose()

    with pytest.raises(
        ServerUnreachable, match='connection to the server was lost: lost; requests without an answer: 5'
    ):
        run(link, call(docs(5)), meanwhile=lose)


def test_a_link_lost_while_it_admits_nothing_ends_the_call():
    link = FakeLink(window=2, hold=range(10))

    async def lose():
        link.lose()

    with pytest.raises(ServerUnreachable):
        run(link, call(docs(5)), meanwhile=lose)


class Refusing(FakeLink):
    def request(self, head, body, reply):
        raise ValueError('larger than a frame')


def test_a_request_that_the_link_refuses_ends_the_call():
    with pytest.raises(ValueError, match='larger than a frame'):
        run(Refusing(), call(docs(2)))


def test_documents_that_have_no_encoding_are_bad_inputs():
    with pytest.raises(BadClientInput):
        run(FakeLink(), call(Document(tags={'a': object()})))


async def endless():
    while True:
        yield Document()
        await asyncio.sleep(0)


async def one_then_nothing():
    yield Document()
    await asyncio.Event().wait()


@pytest.mark.parametrize('inputs', [endless, one_then_nothing])
def test_an_error_ends_the_reading_of_async_inputs(inputs):
    def received(*_):
        raise ValueError('in a callback')

    with pytest.raises(ValueError, match='in a callback'):
        run(FakeLink(), call(inputs), received)


def streamed(link, call, use):
    async def consume():
        responses = stream(link, call, lambda *_: None)
        try:
            return await asyncio.wait_for(use(responses), SECONDS)
        finally:
            await asyncio.wait_for(responses.aclose(), SECONDS)

    return asyncio.run(consume())


async def texts(responses):
    return [response.docs[0].text async for response in responses]


def test_streamed_responses_come_in_the_order_of_their_requests(until):
    link = FakeLink(hold={0, 2})

    async def use(responses):
        reading = asyncio.ensure_future(texts(responses))
        await until(lambda: len(link.heads) >= 5)
        link.answer(2)
        link.answer(0)
        return await reading

    assert streamed(link, call(docs(5)), use) == list('01234')


def test_streamed_errors_come_after_the_responses_before_them():
    def inputs():
        yield from docs(2)
        raise KeyError('disk')

    async def use(responses):
        got = [next_ async for next_ in _until_error(responses)]
        assert [r.docs[0].text for r in got[:-1]] == ['0', '1']
        assert isinstance(got[-1], BadClientInput)

    streamed(FakeLink(), call(inputs), use)


async def _until_error(responses):
    try:
        async for response in responses:
            yield response
    except BadClientInput as error:
        yield error


async def first(responses):
    return await anext(responses)


def test_a_stream_may_be_left_early():
    link = FakeLink()
    streamed(link, call(docs(5000)), first)
    assert len(link.heads) < 5000


def test_a_stream_left_early_does_not_wait_for_answers():
    async def inputs():
        yield Document()
        yield Document()
        await asyncio.Event().wait()

    link = FakeLink(hold={1})
    streamed(link, call(inputs), first)
    assert link.cancelled == [1]


def test_a_slow_reader_slows_the_stream_down():
    link = FakeLink()

    async def use(responses):
        await anext(responses)
        for _ in range(20_000):
            await asyncio.sleep(0)
        return len(link.heads)

    assert streamed(link, call(docs(10_000)), use) < 5000


def test_bodies_are_those_of_the_codec_of_the_link():
    sent = [Document(text='a', tags={'n': 1})]
    link = FakeLink()
    run(link, call(sent))
    assert link.sizes == [len(b''.join(codec('msgpack').encode(sent)))]
