"""Private memory that is used again."""

import threading
import time
import weakref

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.transport.blocks import MOST_BLOCKS, STEP, Blocks
from jina.transport.idle import Idle

MB = 1 << 20


@pytest.fixture
def blocks():
    return Blocks(8 * MB, Idle(3600))


def test_memory_is_used_again_when_its_last_user_is_gone(blocks):
    first = blocks.take(MB)
    memory = first.obj
    assert blocks.take(MB).obj is not memory
    del first
    assert blocks.take(MB - 5).obj is memory


@pytest.mark.parametrize(
    'made', [lambda v: v[5:9], lambda v: np.frombuffer(v, 'u1')[7:], lambda v: v.cast('Q'), memoryview]
)
def test_whatever_is_made_of_it_keeps_it(blocks, made):
    view = blocks.take(MB)
    memory, derived = view.obj, made(view)
    del view
    assert blocks.take(MB).obj is not memory
    del derived
    assert blocks.take(MB).obj is memory


def test_it_is_as_long_as_asked_for_and_may_be_written(blocks):
    for size in (0, 1, STEP, STEP + 1, MB, 8 * MB, 20 * MB):
        view = blocks.take(size)
        assert len(view) == size
        view[:] = b'x' * size


def test_much_larger_blocks_are_not_taken_for_small_bodies(blocks):
    large = blocks.take(4 * MB)
    memory = large.obj
    del large
    assert blocks.take(MB).obj is not memory


def test_no_more_is_kept_than_allowed(blocks):
    views = [blocks.take(MB) for _ in range(20)]
    assert blocks.kept_bytes <= 8 * MB
    gone = weakref.ref(np.frombuffer(views[0], 'u1'))
    assert gone() is None
    small = [blocks.take(1) for _ in range(3 * MOST_BLOCKS)]
    assert len(blocks._blocks) == MOST_BLOCKS
    assert len(small) == 3 * MOST_BLOCKS


def test_what_was_not_used_for_a_while_is_given_back(blocks):
    held = blocks.take(MB)
    held[:] = b'x' * MB
    assert blocks.trim(time.monotonic() - 60)
    assert blocks.kept_bytes == MB
    assert not blocks.trim(time.monotonic() + 1)
    assert blocks.kept_bytes == 0
    assert bytes(held) == b'x' * MB


@given(st.lists(st.tuples(st.integers(1, 300_000), st.integers(0, 8)), max_size=60))
def test_no_memory_is_given_to_two(steps):
    blocks = Blocks(MB, Idle(3600))
    held = []
    for n, (size, drop) in enumerate(steps):
        view = blocks.take(size)
        view[:] = bytes([n]) * size
        held.append((n, view))
        del view
        if drop < len(held):
            del held[drop]
        assert all(v[0] == v[-1] == k for k, v in held)


def test_threads_may_share_it(blocks):
    wrong = []

    def work(mark):
        for _ in range(300):
            view = blocks.take(70_000)
            view[:] = bytes([mark]) * len(view)
            if bytes(view) != bytes([mark]) * len(view):
                wrong.append(mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_thread_gives_back_what_is_idle_and_ends():
    blocks = Blocks(8 * MB, Idle(0.01))
    for _ in range(2):  # it begins anew
        blocks.take(MB)
        thread = blocks._idle._thread
        if thread is not None:
            thread.join(5)
            assert not thread.is_alive()
        assert blocks.kept_bytes == 0
