"""The memory that two processes share: both ends, without a channel."""

import os
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina.excepts import WireError
from jina.transport import ring as rings
from jina.transport.ring import CAN_SHARE, FIRST, Reference, Ring, RingReader

pytestmark = pytest.mark.skipif(not CAN_SHARE, reason='only where memory can be shared')

KB = 1 << 10


@pytest.fixture
def ring():
    with_end = Ring(64 * KB)
    yield with_end
    with_end.close()


@pytest.fixture
def reader(ring):
    other = RingReader(ring.offer())
    yield other
    other.close()


def resident(ring):
    return os.fstat(ring._descriptor).st_blocks * 512


def test_a_body_of_several_buffers_arrives_in_one_piece(ring, reader):
    reference = ring.put([b'ab', bytearray(b'c'), memoryview(b'def')], 6)
    body = reader.take(reference)
    body[:1] = b'X'
    assert bytes(body) == b'Xbcdef'


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40 * KB), st.integers(0, 3)), max_size=60))
def test_bodies_arrive_intact_and_in_order_and_no_room_is_given_twice(steps):
    ring = Ring(64 * KB)
    reader = RingReader(ring.offer())
    waiting = []
    try:
        for n, (size, taken) in enumerate(steps):
            body = bytes([n]) * size
            reference = ring.put([body], size)
            if reference is None:
                assert waiting  # an empty ring has room
            else:
                begin, end = reference.offset, reference.offset + size
                assert all(end <= r.offset or begin >= r.offset + r.size for r, _ in waiting)
                waiting.append((reference, body))
            for _ in range(min(taken, len(waiting))):
                reference, body = waiting.pop(0)
                assert bytes(reader.take(reference)) == body
        for reference, body in waiting:
            assert bytes(reader.take(reference)) == body
    finally:
        ring.close()
        reader.close()


def test_an_empty_ring_uses_the_same_pages_again(ring, reader):
    for _ in range(3):
        reference = ring.put([bytes(20 * KB)], 20 * KB)
        assert reference.offset == FIRST
        reader.take(reference)


def test_a_full_ring_takes_nothing_until_something_was_read(ring, reader):
    first = ring.put([bytes(30 * KB)], 30 * KB)
    second = ring.put([bytes(28 * KB)], 28 * KB)
    assert ring.put([bytes(10 * KB)], 10 * KB) is None
    reader.take(first)
    assert ring.put([bytes(10 * KB)], 10 * KB).offset == FIRST
    assert ring.put([bytes(30 * KB)], 30 * KB) is None
    reader.take(second)


def test_a_body_larger_than_the_ring_has_no_room(ring):
    assert ring.put([bytes(64 * KB)], 64 * KB) is None


def test_where_there_is_no_memory_there_is_no_room(ring, reader, monkeypatch):
    def full(*_):
        raise OSError('no memory')

    monkeypatch.setattr(rings.os, 'posix_fallocate', full)
    assert ring.put([bytes(KB)], KB) is None
    monkeypatch.undo()
    assert bytes(reader.take(ring.put([b'x'], 1))) == b'x'


def test_pages_are_given_back_when_all_is_read_and_a_while_has_passed(ring, reader):
    reference = ring.put([b'x' * 30 * KB], 30 * KB)
    assert resident(ring) > 30 * KB
    assert ring.trim(time.monotonic() + 1)  # it is not read yet
    reader.take(reference)
    assert ring.trim(time.monotonic() - 60)  # it was used just now
    assert not ring.trim(time.monotonic() + 1)
    assert resident(ring) == FIRST
    assert bytes(reader.take(ring.put([b'y' * 9 * KB], 9 * KB))) == b'y' * 9 * KB
    ring.close()
    assert not ring.trim(time.monotonic() + 1)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_reference_that_is_none_is_refused(number, offset, size):
    ring = Ring(64 * KB)
    reader = RingReader(ring.offer())
    try:
        good = number == 1 and offset >= FIRST and size > 0 and offset + size <= 64 * KB
        if not good:
            with pytest.raises(WireError, match='reference'):
                reader.take(Reference(number, offset, size))
        assert bytes(reader.take(ring.put([b'still'], 5))) == b'still'
    finally:
        ring.close()
        reader.close()


@pytest.mark.parametrize(
    ('number', 'offset', 'size'),
    [(1, FIRST - 1, 1), (1, FIRST, 0), (1, FIRST, 60 * KB + 1), (1, 64 * KB, 1), (0, FIRST, 1), (2, FIRST, 1)],
)
def test_a_reference_just_outside_is_refused(reader, number, offset, size):
    with pytest.raises(WireError, match='reference'):
        reader.take(Reference(number, offset, size))


def test_a_reference_cut_short_is_refused():
    with pytest.raises(WireError, match='cut short'):
        Reference.unpacked(b'x' * 23)


def offered(ring, **changes):
    names = ('pid', 'descriptor', 'inode', 'size', 'token')
    values = dict(zip(names, rings._OFFER.unpack(ring.offer()), strict=True))
    return rings._OFFER.pack(*{**values, **changes}.values())


@pytest.mark.parametrize(
    'changes', [{'inode': 1}, {'token': b'?' * 16}, {'descriptor': 1 << 30}, {'pid': (1 << 31) - 1}, {'size': 1 << 40}]
)
def test_another_memory_than_was_offered_is_not_opened(ring, changes):
    before = len(os.listdir('/proc/self/fd'))
    with pytest.raises(OSError):  # noqa: PT011
        RingReader(offered(ring, **changes))
    assert len(os.listdir('/proc/self/fd')) == before


def test_memory_that_could_be_taken_away_is_not_opened(ring, tmp_path):
    path = tmp_path / 'file'
    path.write_bytes(bytes(64 * KB))
    with path.open('r+b') as file, pytest.raises(OSError):  # noqa: PT011
        RingReader(offered(ring, descriptor=file.fileno(), inode=os.fstat(file.fileno()).st_ino))


@given(st.binary(max_size=60).filter(lambda b: len(b) != rings._OFFER.size))
def test_an_offer_that_cannot_be_read_is_refused(offer):
    with pytest.raises(WireError, match='offer'):
        RingReader(offer)


def test_nothing_is_left_after_closing():
    def held():
        with open('/proc/self/maps') as maps:
            return len(os.listdir('/proc/self/fd')), maps.read().count('jina-bodies')

    before = held()
    ring = Ring()
    reader = RingReader(ring.offer())
    reader.take(ring.put([b'x'], 1))
    assert held() != before
    for _ in range(2):
        ring.close()
        reader.close()
    assert held() == before
