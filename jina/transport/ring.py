"""A piece of memory that two processes of one host share, through which bodies go one way.

::

    0       16        64         72           4096
    ├───────┼─────────┼──────────┼────────────┼── bodies, one after the other, around and around ──┤
    │ token │         │ consumed │            │

The sender owns all of it but ``consumed``, the number of the last body that the receiver has copied out. Bodies lie
there only between the two copies. The memory is a file without a name (memfd), whose pages exist when they are first
used; the kernel frees it when the last process that has it mapped is gone.
"""

import fcntl
import mmap
import os
import platform
import sys
import threading
import time
from collections import deque
from struct import Struct
from typing import NamedTuple

from jina.excepts import WireError
from jina.transport.blocks import BLOCKS
from jina.wire.head import Body

RING_BYTES = 64 << 20
FIRST = mmap.PAGESIZE  # where bodies begin
STEP = 1 << 20

# That a copy has been read before `consumed` is written is promised by the memory model of x86; others need a barrier.
CAN_SHARE = sys.platform == 'linux' and platform.machine() == 'x86_64'

_TOKEN_BYTES = 16
_CONSUMED = 64 // 8
_OFFER = Struct(f'<IIQQ{_TOKEN_BYTES}s')
_REFERENCE = Struct('<QQQ')


class Reference(NamedTuple):
    """Where a body lies.

    :ivar number: how many bodies there were up to it.
    """

    number: int
    offset: int
    size: int

    def packed(self) -> bytes:
        """As bytes."""
        return _REFERENCE.pack(*self)

    @staticmethod
    def unpacked(data: bytes | bytearray | memoryview) -> 'tuple[Reference, bytes | bytearray | memoryview]':
        """Return the reference that the bytes begin with, and the others.

        :raises WireError: if they are too few.
        """
        if len(data) < _REFERENCE.size:
            raise WireError('a reference to shared memory is cut short')
        return Reference(*_REFERENCE.unpack_from(data)), data[_REFERENCE.size :]


class Ring:
    """The end that puts bodies in.

    :param size: bytes in all, a multiple of the page size.
    :raises OSError: if the system has none to give.
    """

    def __init__(self, size: int = RING_BYTES) -> None:
        self._size = size
        self._lock = threading.Lock()  # between put() and trim(), which is called from another thread
        self._under_way: deque[tuple[int, int, int]] = deque()  # number, begin, end
        self._number = 0
        self._used = time.monotonic()
        self._descriptor = os.memfd_create('jina-bodies', os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self._descriptor, size)
            fcntl.fcntl(
                self._descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL
            )
            self._allocated = 0
            self._allocate(FIRST)
            self._map = mmap.mmap(self._descriptor, size)
        except BaseException:
            os.close(self._descriptor)
            raise
        self._view = memoryview(self._map)
        self._words = self._view[:FIRST].cast('Q')
        self._token = os.urandom(_TOKEN_BYTES)
        self._view[:_TOKEN_BYTES] = self._token

    def offer(self) -> bytes:
        """What the other end needs to open it."""
        inode = os.fstat(self._descriptor).st_ino
        return _OFFER.pack(os.getpid(), self._descriptor, inode, self._size, self._token)

    def put(self, body: Body, size: int) -> Reference | None:
        """Copy a body of ``size`` bytes in.

        :return: where it is; ``None`` if there is no room for it now.
        """
        if not self._lock.acquire(blocking=False):  # pages are being given back just now
            return None
        try:
            begin = self._find_room(size)
            if begin is None or not self._is_allocated(begin + size):
                return None
            self._copy(body, begin)
            self._number += 1
            self._under_way.append((self._number, begin, begin + size))
            self._used = time.monotonic()
            return Reference(self._number, begin, size)
        finally:
            self._lock.release()

    def trim(self, used_since: float) -> bool:
        """Give all pages back if no body went through since that moment."""
        with self._lock:
            if not self._map.closed and self._used < used_since and self._allocated > FIRST:
                self._forget_consumed()
                if not self._under_way:
                    self._map.madvise(mmap.MADV_REMOVE, FIRST, self._size - FIRST)
                    self._allocated = FIRST
            return self._allocated > FIRST

    def close(self) -> None:
        """Give it back; what is under way can still be read at the other end. May be called more than once."""
        with self._lock:
            self._allocated = 0
            if not self._map.closed:
                os.close(self._descriptor)
                _unmap(self._map, self._words, self._view)

    def _find_room(self, size: int) -> int | None:
        self._forget_consumed()
        if not self._under_way:
            return FIRST if size <= self._size - FIRST else None
        first, last = self._under_way[0][1], _aligned(self._under_way[-1][2])
        if last <= first:  # it has gone around
            return last if size <= first - last else None
        if size <= self._size - last:
            return last
        return FIRST if size <= first - FIRST else None

    def _forget_consumed(self) -> None:
        consumed = self._words[_CONSUMED]
        while self._under_way and self._under_way[0][0] <= consumed:
            self._under_way.popleft()

    def _is_allocated(self, end: int) -> bool:
        """Have the pages up to there. To touch what the system has no memory for would be the end of the process."""
        if end <= self._allocated:
            return True
        try:
            self._allocate(min(-(-end // STEP) * STEP, self._size))
        except OSError:
            return False
        return True

    def _allocate(self, end: int) -> None:
        os.posix_fallocate(self._descriptor, self._allocated, end - self._allocated)
        self._allocated = end

    def _copy(self, body: Body, at: int) -> None:
        for buffer in body:
            self._view[at : at + len(buffer)] = memoryview(buffer).cast('B')
            at += len(buffer)


class RingReader:
    """The end that takes bodies out.

    :param offer: what :meth:`Ring.offer` says.
    :raises OSError: if it cannot be opened, or is something else.
    :raises WireError: if it is no offer.
    """

    def __init__(self, offer: bytes | bytearray | memoryview) -> None:
        if len(offer) != _OFFER.size:
            raise WireError('an offer of shared memory that cannot be read')
        pid, descriptor, inode, size, token = _OFFER.unpack(offer)
        self._number = 0
        with open(shown_at(pid, descriptor), 'r+b', buffering=0) as file:
            found = os.fstat(file.fileno())
            if (found.st_ino, found.st_size) != (inode, size) or not FIRST < size <= RING_BYTES:
                raise OSError('the memory that was offered is no longer there')
            if not fcntl.fcntl(file, fcntl.F_GET_SEALS) & fcntl.F_SEAL_SHRINK:
                raise OSError('the memory that was offered could be taken away')
            self._map = mmap.mmap(file.fileno(), size)
        self._view = memoryview(self._map)
        self._words = self._view[:FIRST].cast('Q')
        if self._view[:_TOKEN_BYTES] != token:
            self.close()
            raise OSError('the memory that was offered is not what is there')

    def take(self, reference: Reference) -> memoryview:
        """Copy a body out, into memory of its own; its room is free again.

        :raises WireError: if it is not the next one, or does not lie in the ring.
        """
        number, offset, size = reference
        if number != self._number + 1 or offset < FIRST or not 0 < size <= len(self._view) - offset:
            raise WireError(f'a reference to shared memory that is none: body {number}, {size:,} bytes at {offset:,}')
        body = BLOCKS.take(size)
        body[:] = self._view[offset : offset + size]
        self._number = number
        self._words[_CONSUMED] = number
        return body

    def close(self) -> None:
        """Give it back. May be called more than once."""
        if not self._map.closed:
            _unmap(self._map, self._words, self._view)


def shown_at(pid: int, descriptor: int) -> str:
    """Where Linux shows what another process of the same user has open."""
    return f'/proc/{pid}/fd/{descriptor}'


def _aligned(offset: int) -> int:
    return (offset + 63) & ~63


def _unmap(memory: mmap.mmap, *views: memoryview) -> None:
    for view in views:
        view.release()
    memory.close()
