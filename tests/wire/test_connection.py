import pytest

from jina.excepts import WireError
from jina.types.request import StatusCode
from jina.wire.connection import ClientConnection, ServerConnection
from jina.wire.frames import Kind
from jina.wire.head import Head, Hello, encode_head


class Line:
    """Carries frames from one connection to the other, when told to."""

    def __init__(self):
        self.frames = []

    def send(self, kind, stream, head, body):
        self.frames.append((kind, stream, bytes(head), b''.join(body)))


class Pair:
    """Two connections, joined."""

    def __init__(self, count=3, size=100):
        self.changes, self.calls, self.outcomes = 0, [], []
        self.client = ClientConnection(self._changed)
        self.server = ServerConnection(Hello(count, size, 'x', 1), self.calls.append)
        self.up, self.down = Line(), Line()
        self.client.connected(self.up)
        self.server.connected(self.down)

    def _changed(self):
        self.changes += 1

    def flow(self):
        while self.up.frames or self.down.frames:
            for line, end in ((self.up, self.server), (self.down, self.client)):
                while line.frames:
                    end.received(line.frames.pop(0))

    def ask(self, name='', body=b''):
        stream = self.client.request(Head(name, '/'), [body], lambda h, b: self.outcomes.append((name, h, bytes(b))))
        self.flow()
        return stream

    def answer(self, index, body=b''):
        self.calls.pop(index).answer(Head('', ''), [body])
        self.flow()


@pytest.fixture
def pair():
    pair = Pair()
    pair.flow()
    return pair


def test_nothing_is_admitted_before_the_server_has_greeted():
    pair = Pair()
    assert not pair.client.admits(0)
    pair.flow()
    assert pair.client.admits(0)
    assert (pair.client.hello.name, pair.client.hello.pid, pair.changes) == ('x', 1, 1)


def test_every_request_has_its_own_outcome_in_whatever_order_answers_come(pair):
    for name in 'abc':
        pair.ask(name, name.encode())
    pair.answer(1, b'B')
    pair.answer(1, b'C')
    pair.answer(0, b'A')
    assert [(name, body) for name, _, body in pair.outcomes] == [('b', b'B'), ('c', b'C'), ('a', b'A')]
    assert pair.client.in_flight == pair.server.in_flight == 0


def test_the_window_bounds_requests_and_answers_give_credit_back(pair):
    for _ in range(3):
        assert pair.client.admits(10)
        pair.ask()
    assert not pair.client.admits(0)
    before = pair.changes
    pair.answer(0)
    assert pair.client.admits(0)
    assert pair.changes == before + 1


def test_the_window_bounds_bytes(pair):
    pair.ask(body=bytes(60))
    assert pair.client.admits(40)
    assert not pair.client.admits(41)
    pair.answer(0)
    assert pair.client.admits(100)


def test_a_body_larger_than_the_window_travels_alone(pair):
    assert pair.client.admits(1000)
    pair.ask(body=bytes(1000))
    assert not pair.client.admits(0)
    pair.answer(0)
    pair.ask(body=b'x')
    assert not pair.client.admits(1000)


def test_a_cancelled_request_tells_the_server_and_takes_its_credit_until_it_is_answered(pair):
    told = []
    stream = pair.ask('a', bytes(100))
    pair.calls[0].on_cancel = lambda: told.append('cancelled')
    pair.client.cancel(stream)
    pair.flow()
    assert pair.calls[0].cancelled
    assert told == ['cancelled']
    assert not pair.client.admits(1)
    pair.answer(0)
    assert pair.client.admits(1)
    assert pair.outcomes == []


def test_a_cancel_that_crosses_the_answer_does_nothing(pair):
    stream = pair.ask()
    pair.answer(0)
    pair.client.cancel(stream)
    pair.flow()
    assert len(pair.outcomes) == 1


def test_a_lost_channel_is_the_outcome_of_all_open_requests_once(pair):
    pair.ask('a')
    pair.ask('b')
    pair.answer(0)
    pair.client.lost('it rained')
    pair.client.lost('again')
    assert [name for name, *_ in pair.outcomes] == ['a', 'b']
    _, head, body = pair.outcomes[1]
    assert (head.status.code, head.status.description, body) == (StatusCode.ERROR, 'it rained', b'')
    assert pair.client.closed
    assert not pair.client.admits(0)


def test_a_server_whose_client_is_gone_cancels_its_calls_and_drops_their_answers(pair):
    pair.ask()
    call = pair.calls[0]
    pair.server.lost('gone')
    assert call.cancelled
    call.answer(Head('', ''), [b'late'])
    assert pair.down.frames == []


def test_answering_twice_sends_one_answer(pair):
    pair.ask()
    call = pair.calls[0]
    call.answer(Head('', ''), [b'1'])
    call.answer(Head('', ''), [b'2'])
    pair.flow()
    assert [body for *_, body in pair.outcomes] == [b'1']


def test_stream_numbers_begin_again_after_the_last():
    pair = Pair()
    pair.flow()
    pair.client._next_stream = 2**32 - 1
    streams = [pair.ask(name) for name in 'ab']
    pair.answer(1)
    pair.answer(0)
    assert streams == [2**32 - 1, 0]
    assert [name for name, *_ in pair.outcomes] == ['b', 'a']


@pytest.mark.parametrize(
    'frame',
    [
        (Kind.ANSWER, 99, encode_head(Head('', '')), b''),
        (Kind.REQUEST, 0, encode_head(Head('', '')), b''),
        (Kind.CANCEL, 0, b'', b''),
        (200, 0, b'', b''),
        (Kind.HELLO, 0, b'\xc1', b''),
        (Kind.HELLO, 0, encode_head(['not', 'a window']), b''),
    ],
)
def test_a_client_refuses_what_no_server_may_send(pair, frame):
    with pytest.raises(WireError):
        pair.client.received(frame)


@pytest.mark.parametrize(
    'frame',
    [
        (Kind.ANSWER, 0, encode_head(Head('', '')), b''),
        (Kind.HELLO, 0, encode_head(Hello(1, 1)), b''),
        (Kind.PARTIAL, 0, b'', b''),
        (200, 0, b'', b''),
        (Kind.REQUEST, 0, b'', b''),
        (Kind.REQUEST, 0, b'\x93', b''),
        (Kind.REQUEST, 0, encode_head({'request_id': 'a'}), b''),
    ],
)
def test_a_server_refuses_what_no_client_may_send(pair, frame):
    with pytest.raises(WireError):
        pair.server.received(frame)


def test_a_server_refuses_a_stream_that_is_still_open(pair):
    pair.ask()
    with pytest.raises(WireError, match='stream 0 was used again'):
        pair.server.received((Kind.REQUEST, 0, encode_head(Head('', '')), b''))


def test_a_server_refuses_more_than_its_window(pair):
    for _ in range(3):
        pair.ask()
    with pytest.raises(WireError, match='more than 3 requests'):
        pair.server.received((Kind.REQUEST, 50, encode_head(Head('', '')), b''))


def test_an_answer_that_cannot_be_read_still_leaves_the_request_an_outcome(pair):
    stream = pair.ask('a')
    with pytest.raises(WireError):
        pair.client.received((Kind.ANSWER, stream, b'\xc1', b''))
    pair.client.lost('the connection was closed')
    assert [name for name, *_ in pair.outcomes] == ['a']
