"""Frames in messages, however they are cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import WireError
from jina.wire import batches
from jina.wire.batches import MESSAGE, Inbox, Outbox
from jina.wire.frames import MAX_HEAD

FRAMES = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 2**32 - 1), st.binary(max_size=40), st.lists(st.binary(max_size=90))),
    max_size=20,
)


def taken(outbox):
    return list(iter(outbox.take, b''))


def sent(frames):
    outbox = Outbox()
    for frame in frames:
        outbox.add(*frame)
    return outbox


def received(messages):
    inbox = Inbox()
    return [(kind, n, bytes(head), bytes(body)) for m in messages for kind, n, head, body in inbox.received(m)]


def joined(frames):
    return [(kind, stream, head, b''.join(body)) for kind, stream, head, body in frames]


@given(FRAMES)
def test_there_and_back(frames):
    messages = taken(sent(frames))
    assert len(messages) <= 1
    assert received(messages) == joined(frames)


@given(FRAMES, st.integers(1, 50))
def test_where_a_message_ends_means_nothing(frames, size):
    whole = b''.join(taken(sent(frames)))
    pieces = [whole[at : at + size] for at in range(0, len(whole), size)]
    assert received(pieces) == joined(frames)


@given(FRAMES, st.integers(1, 50))
def test_no_message_is_larger_than_it_may_be(frames, most):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batches, 'MESSAGE', most)
        outbox = sent(frames)
        size = outbox.size
        messages = taken(outbox)
    assert outbox.size == 0
    assert all(len(message) == most for message in messages[:-1])
    assert sum(map(len, messages)) == size
    assert received(messages) == joined(frames)


def test_a_large_body_is_cut_and_arrives_in_memory_of_its_own():
    body = bytes(range(256)) * (3 * MESSAGE // 256)
    messages = taken(sent([(1, 7, b'head', [body]), (1, 8, b'', [])]))
    assert [len(message) for message in messages[:-1]] == [MESSAGE] * 3
    inbox = Inbox()
    first, second = [frame for message in messages for frame in inbox.received(message)]
    assert first[3] == body
    assert not memoryview(first[3]).readonly
    assert second[:2] == (1, 8)


def test_a_frame_that_cannot_be_leaves_the_others():
    outbox = sent([(1, 1, b'one', [])])
    with pytest.raises(WireError, match='request_size'):
        outbox.add(1, 2, bytes(MAX_HEAD + 1), [])
    outbox.add(1, 3, b'three', [b'x'])
    assert [frame[1] for frame in received(taken(outbox))] == [1, 3]


def test_bytes_that_are_no_frames():
    with pytest.raises(WireError, match='protocol of this package'):
        Inbox().received(b'\xff' * 64)
