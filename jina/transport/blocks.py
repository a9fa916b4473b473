"""Private memory for large bodies that is used again, since fresh pages cost more than the bytes that fill them.

What is given out is a ``memoryview``. As long as it, or anything made of it (a slice, an array), is alive, Python does
not let the ``bytearray`` below change its size: so it is known which blocks nobody uses any more.
"""

import threading
import time

from jina.transport.idle import IDLE, Idle
from jina.wire.frames import room_for

MOST_BYTES = 64 << 20  # as much as the window of a client lets be under way
MOST_BLOCKS = 64
STEP = 64 << 10


class Blocks:
    """Blocks that are kept for the next body, used or not. May be shared by threads.

    :param most_bytes: kept at most; what is larger, or more, is fresh and the caller's alone.
    """

    def __init__(self, most_bytes: int = MOST_BYTES, idle: Idle = IDLE) -> None:
        self._most_bytes = most_bytes
        self._idle = idle
        self._lock = threading.Lock()
        self._blocks: list[_Block] = []

    @property
    def kept_bytes(self) -> int:
        """The size of all that is kept."""
        return sum(len(block.memory) for block in self._blocks)

    def take(self, size: int) -> memoryview:
        """Writable memory of ``size`` bytes, whatever is in it; it comes back by itself when its last user is gone."""
        if size > self._most_bytes - STEP or not self._lock.acquire(blocking=False):
            return memoryview(room_for(size))
        try:
            block = self._free(size) or self._fresh(size)
            block.used = time.monotonic()
            view = memoryview(block.memory)[:size]
        finally:
            self._lock.release()
        self._idle.watch(self)
        return view

    def trim(self, used_since: float) -> bool:
        """Forget what was given out before that moment: if it is still used, it is its user's alone now."""
        with self._lock:
            self._blocks = [block for block in self._blocks if block.used >= used_since]
            return bool(self._blocks)

    def _free(self, size: int) -> '_Block | None':
        most = size + size // 4 + STEP
        for block in self._blocks:  # in this order, so that the same few are used and the others can be given back
            if size <= len(block.memory) <= most and block.is_free():
                return block
        return None

    def _fresh(self, size: int) -> '_Block':
        block = _Block(-(-size // STEP) * STEP)
        self._blocks.append(block)
        while self.kept_bytes > self._most_bytes or len(self._blocks) > MOST_BLOCKS:
            self._blocks.remove(min(self._blocks, key=lambda b: b.used))
        return block


class _Block:
    """One piece of memory."""

    __slots__ = ('memory', 'used')

    def __init__(self, size: int) -> None:
        self.memory = bytearray(size)
        self.used = time.monotonic()

    def is_free(self) -> bool:
        """Whether nothing refers to the memory."""
        try:
            self.memory.pop()
        except BufferError:
            return False
        self.memory.append(0)
        return True


BLOCKS = Blocks()
