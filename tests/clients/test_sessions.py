"""Blocking calls: each on a loop of its own, in the caller's thread."""

import asyncio
import threading

import pytest

from jina import Document
from jina.clients.poster import Poster
from jina.excepts import BadClientCallback, BadClientInput, BadOption, ServerUnreachable
from jina.types.request import Status, StatusCode
from jina.wire.head import Head


class EchoLink:
    """Answers every request on the next turn of its loop; an endpoint ``/fail`` with an error."""

    encoding = 'msgpack'
    made = 0

    def __init__(self):
        EchoLink.made += 1
        self.loop, self.closed, self.on_change = asyncio.get_running_loop(), False, lambda: None

    def admits(self, size):
        return True

    def request(self, head, body, reply):
        status = Status(StatusCode.ERROR, 'on purpose') if head.endpoint == '/fail' else None
        answer = Head(head.request_id, '', head.parts, status=status)
        self.loop.call_soon(lambda: (reply(answer, b''.join(body)), self.on_change()))
        return 0

    def cancel(self, number):
        """Nothing to stop."""

    async def drained(self):
        """At once."""

    async def close(self):
        self.closed = True


async def open_echo():
    return EchoLink()


@pytest.fixture
def poster():
    EchoLink.made = 0
    poster = Poster(open_echo, asynchronous=False)
    yield poster
    poster._sessions.close()


def texts(responses):
    return [doc.text for response in responses for doc in response.docs]


def post(poster, text='x', **options):
    return texts(poster.post('/x', Document(text=text), return_results=True, **options))


def test_results_come_back_and_only_if_wanted(poster):
    assert post(poster, 'a') == ['a']
    assert poster.post('/x', Document()) is None


def test_sugar_names_the_endpoint(poster):
    for name in ('index', 'search', 'update', 'delete'):
        [response] = getattr(poster, name)(Document(), return_results=True)
        assert response.header.exec_endpoint == f'/{name}'


def test_one_link_serves_one_call_after_another(poster):
    for n in range(5):
        assert post(poster, str(n)) == [str(n)]
    assert EchoLink.made == 1


def test_threads_post_at_the_same_time_over_links_of_their_own(poster):
    meeting, got = threading.Barrier(4, timeout=20), []

    def work(n):
        got.append(post(poster, str(n), on_done=lambda r: meeting.wait()))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [['0'], ['1'], ['2'], ['3']]
    assert EchoLink.made == 4


def test_a_call_may_be_made_inside_a_running_loop(poster):
    async def notebook():
        return post(poster, 'a') + post(poster, 'b')

    assert asyncio.run(notebook()) == ['a', 'b']


def test_a_call_may_be_made_inside_a_callback(poster):
    inner = []
    poster.post('/x', Document(), on_done=lambda r: inner.append(post(poster, 'inner')))
    assert inner == [['inner']]


@pytest.mark.parametrize('error', [KeyboardInterrupt, SystemExit])
def test_an_interrupt_in_a_callback_leaves_the_next_post_working(poster, error):
    def interrupted(response):
        raise error

    for _ in range(2):
        with pytest.raises(error):
            poster.post('/x', Document(), on_done=interrupted)
    assert post(poster, 'a') == ['a']


def test_a_callback_that_raises_ends_the_call_and_is_named(poster):
    def my_callback(response):
        raise KeyError('oops')

    with pytest.raises(BadClientCallback, match="on_done=my_callback raised KeyError: 'oops'") as raised:
        poster.post('/x', Document(), on_done=my_callback)
    assert isinstance(raised.value.__cause__, KeyError)


def test_or_does_not_if_the_call_shall_go_on(poster):
    seen = []

    def on_done(response):
        seen.append(1)
        raise KeyError('oops')

    poster.post('/x', [Document(), Document()], on_done=on_done, request_size=1, continue_on_error=True)
    assert len(seen) == 2


def test_callbacks_are_told_of_success_and_failure(poster):
    told = []
    callbacks = {name: lambda r, name=name: told.append(name) for name in ('on_done', 'on_error', 'on_always')}
    poster.post('/x', Document(), **callbacks)
    assert told == ['on_done', 'on_always']
    told.clear()
    poster.post('/fail', Document(), **callbacks)
    assert told == ['on_error', 'on_always']


def test_a_server_that_is_not_there_is_told_and_looked_for_again():
    async def nobody():
        raise ServerUnreachable('nobody there')

    poster = Poster(nobody, asynchronous=False)
    for _ in range(2):
        with pytest.raises(ConnectionError, match='nobody there'):
            poster.post('/x')


def test_async_inputs_are_refused_with_where_to_go(poster):
    async def inputs():
        yield Document()

    with pytest.raises(BadClientInput, match='use AsyncFlow'):
        poster.post('/x', inputs)


@pytest.mark.parametrize('on', [5, b'/x', ['/x']])
def test_an_endpoint_that_is_no_text_is_refused(poster, on):
    with pytest.raises(BadOption, match='the endpoint is a string'):
        poster.post(on)


def test_an_asynchronous_post_is_a_stream():
    async def check():
        poster = Poster(open_echo, asynchronous=True)

        async def inputs():
            for text in 'abc':
                yield Document(text=text)

        return [r async for r in poster.post('/x', inputs, request_size=1)]

    assert texts(asyncio.run(check())) == ['a', 'b', 'c']


def test_a_closed_poster_can_be_used_again(poster):
    post(poster)
    poster._sessions.close()
    assert post(poster, 'again') == ['again']
