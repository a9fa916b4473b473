from itertools import chain, cycle

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.excepts import WireError
from jina.wire.frames import HEADER, MAX_BODY, MAX_HEAD, FrameReader, Kind, frame_header

CAPACITY = 256

sizes = st.one_of(st.sampled_from([0, 1, 63, 64, 65, 255, 256, 257, 1000]), st.integers(0, 700))
frames = st.lists(
    st.tuples(
        st.sampled_from([int(k) for k in Kind]),
        st.integers(0, 2**32 - 1),
        sizes.map(lambda n: bytes(i % 251 for i in range(n))),
        sizes.map(lambda n: bytes(i % 241 for i in range(n))),
    ),
    max_size=6,
)


def packed(frame):
    kind, stream, head, body = frame
    return frame_header(kind, stream, len(head), len(body)) + head + body


def fed(reader, data, chunks=(1 << 30,)):
    """The frames that come out when ``data`` arrives in pieces of these sizes, over and over."""
    at, got, chunk = 0, [], cycle(chunks)
    while at < len(data):
        view = reader.get_buffer()
        assert len(view) > 0
        size = min(next(chunk), len(view), len(data) - at)
        view[:size] = data[at : at + size]
        view.release()
        got += reader.received(size)
        at += size
    return got


def plain(got):
    return [(kind, stream, bytes(head), bytes(body)) for kind, stream, head, body in got]


@given(frames, st.lists(st.integers(1, 600), min_size=1, max_size=8))
def test_any_split_of_the_stream_gives_the_same_frames(sent, chunks):
    assert plain(fed(FrameReader(CAPACITY), b''.join(map(packed, sent)), chunks)) == sent


@given(frames)
def test_a_frame_comes_out_with_its_last_byte_and_not_before(sent):
    reader = FrameReader(CAPACITY)
    for frame in sent:
        data = packed(frame)
        assert fed(reader, data[:-1], [50]) == []
        assert plain(fed(reader, data[-1:])) == [frame]


@given(st.binary(min_size=16, max_size=64).filter(lambda b: b[14:16] != b'JN'))
def test_garbage_is_refused_as_soon_as_a_header_is_there(garbage):
    with pytest.raises(WireError, match='does not speak the protocol'):
        fed(FrameReader(CAPACITY), garbage, [1])


def test_garbage_after_a_frame_is_refused():
    with pytest.raises(WireError):
        fed(FrameReader(CAPACITY), packed((1, 2, b'head', b'body')) + b'GET / HTTP/1.1\r\n')


def test_a_head_larger_than_allowed_is_refused_before_room_is_made_for_it():
    with pytest.raises(WireError):
        fed(FrameReader(CAPACITY), HEADER.pack(MAX_HEAD + 1, 0, 0, 0, 0, 0x4E4A))


@pytest.mark.parametrize(('head', 'body'), [(MAX_HEAD + 1, 0), (0, MAX_BODY + 1)])
def test_what_no_frame_can_hold_is_refused_with_a_hint(head, body):
    with pytest.raises(WireError, match='use a smaller request_size'):
        frame_header(Kind.REQUEST, 0, head, body)


def test_bodies_are_memory_of_their_own_that_may_be_written():
    sent = [(1, n, b'', bytes([n]) * size) for n, size in enumerate((10, 63, 65, 1000, 10))]
    got = fed(FrameReader(CAPACITY), b''.join(map(packed, sent)), [100])
    for _, _, _, body in got:
        body[:] = bytes(len(body))
    assert [len(body) for *_, body in got] == [10, 63, 65, 1000, 10]
    assert not any(chain.from_iterable(body for *_, body in got))


def test_a_large_body_is_received_in_place():
    reader = FrameReader(CAPACITY)
    fed(reader, packed((1, 7, b'head', bytes(1000)))[:520])
    room = reader.get_buffer()
    assert len(room) == 500
    room[:] = b'x' * 500
    [(*_, body)] = reader.received(500)
    assert room.obj is body
    assert body == bytes(500) + b'x' * 500


def test_many_frames_pass_through_a_buffer_that_does_not_grow():
    reader = FrameReader(CAPACITY)
    for _ in range(1000):
        fed(reader, packed((1, 2, b'h' * 30, b'b' * 40)), [37])
        assert len(reader.get_buffer()) <= CAPACITY


def test_what_is_announced_takes_no_memory_before_it_arrives():
    before = psutil.Process().memory_info().rss
    readers = [FrameReader() for _ in range(4)]
    for reader in readers:
        assert fed(reader, frame_header(Kind.REQUEST, 1, 0, MAX_BODY) + b'x' * 1000) == []
    heads = [FrameReader() for _ in range(4)]
    for reader in heads:
        assert fed(reader, frame_header(Kind.REQUEST, 1, MAX_HEAD, 0) + b'x' * 1000) == []
    assert psutil.Process().memory_info().rss - before < 32 << 20


def test_a_large_head_arrives_whole():
    head = bytes(range(256)) * 8000
    reader = FrameReader()
    assert fed(reader, frame_header(Kind.REQUEST, 1, len(head), 3) + head + b'abc') == [(Kind.REQUEST, 1, head, b'abc')]


def test_a_body_that_there_is_no_memory_for_is_refused():
    def room(size):
        raise MemoryError('no more')

    with pytest.raises(WireError, match=r'no memory for a body of 1,000,000 bytes'):
        fed(FrameReader(room=room), frame_header(Kind.REQUEST, 1, 0, 1_000_000) + b'x')
