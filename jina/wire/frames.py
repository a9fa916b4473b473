"""Frames: how heads and bodies become bytes on a stream, and back. No I/O.

::

    0        4        8        12    13    14      16
    ├────────┼────────┼────────┼─────┼─────┼───────┼── head ──┬── body ──┤
    │ head   │ body   │ stream │kind │flags│ magic │
    │ length │ length │ number │     │     │ 'JN'  │            little endian

``stream`` pairs an answer with its request. A body is never looked into here; it arrives in memory of its own, so that
arrays in it can be used in place.
"""

import mmap
from collections.abc import Callable
from enum import IntEnum
from struct import Struct
from typing import TypeAlias

from jina.excepts import WireError

Buffer: TypeAlias = bytes | bytearray | memoryview

HEADER = Struct('<IIIBBH')
MAGIC = 0x4E4A
LARGE = 64 << 10  # from this size on, to copy a body costs more than to send it as a buffer of its own
MAX_HEAD = 64 << 20
MAX_BODY = (1 << 32) - 1
ON_TRUST = 4 << 20  # bytes that the other end's word is enough for: the allocator's memory is up to ten times as fast


class Kind(IntEnum):
    """What a frame is. Numbers are part of the protocol."""

    HELLO = 0  # server → client, first: what the server is and the window it grants
    REQUEST = 1  # client → server
    ANSWER = 2  # server → client: the last, usually only, answer to a request; gives its credit back
    PARTIAL = 3  # server → client: one of several answers
    CANCEL = 4  # client → server: the answer is no longer wanted
    # Between the two ends of a channel; nobody above it sees them:
    OFFER = 5  # memory that the other end may share
    ACCEPT = 6  # it does
    SHARED = 7  # a frame whose body lies there; its head begins with its kind, and where


Frame: TypeAlias = tuple[int, int, Buffer, Buffer]
"""(kind, stream, head, body)"""


def frame_header(kind: int, stream: int, head_size: int, body_size: int) -> bytes:
    """The 16 bytes before a head.

    :raises WireError: if head or body are larger than the format can say.
    """
    if head_size > MAX_HEAD or body_size > MAX_BODY:
        raise WireError(
            f'a request of {head_size + body_size:,} bytes is larger than one frame can be '
            f'({MAX_HEAD:,} for parameters, {MAX_BODY:,} for documents): use a smaller request_size'
        )
    return HEADER.pack(head_size, body_size, stream, kind, 0, MAGIC)


def room_for(size: int) -> bytearray | memoryview:
    """Memory for a body of ``size`` bytes. Of much, the system gives each page when it is first written to."""
    if size <= ON_TRUST:
        return bytearray(size)
    return memoryview(mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))


class FrameReader:
    """Bytes in, frames out, for a reader that asks where to put the next bytes.

    Call :meth:`get_buffer`, write *n* bytes into what it returns, then call :meth:`received` with *n*. Small frames are
    cut out of one buffer that is used again and again; the body of a large one is received in place, without a copy.
    Beyond a few MB, a frame takes as much memory as has arrived of it, whatever size it announces.

    :param room: makes the memory for a large body, of a size in bytes; whatever is in it.
    """

    def __init__(self, capacity: int = 256 << 10, room: Callable[[int], bytearray | memoryview] = room_for) -> None:
        self._room = room
        self._buffer = bytearray(capacity)
        self._start = 0
        self._end = 0
        self._large: tuple[int, int, Buffer] | None = None  # kind, stream and head of the large frame on its way
        self._large_body: bytearray | memoryview = bytearray()
        self._large_have = 0

    def get_buffer(self) -> memoryview:
        """Where the next bytes belong; never empty."""
        if self._large is not None:
            return memoryview(self._large_body)[self._large_have :]
        return memoryview(self._buffer)[self._end :]

    def received(self, size: int) -> list[Frame]:
        """The frames that are complete now that ``size`` more bytes are in the buffer.

        :raises WireError: if the bytes are not frames.
        """
        frames: list[Frame] = []
        if self._large is not None:
            self._large_have += size
            if self._large_have == len(self._large_body):
                frames.append((*self._large, self._large_body))
                self._large, self._large_body = None, bytearray()
            return frames
        self._end += size
        self._cut(frames)
        return frames

    def _cut(self, frames: list[Frame]) -> None:
        buffer, start, end = self._buffer, self._start, self._end
        head_size = body_size = 0
        while end - start >= HEADER.size:
            head_size, body_size, stream, kind, _, magic = HEADER.unpack_from(buffer, start)
            if magic != MAGIC or head_size > MAX_HEAD:
                raise WireError('the peer does not speak the protocol of this package, or another version of it')
            body_at = start + HEADER.size + head_size
            if end - body_at < body_size:
                break
            frames.append((kind, stream, buffer[start + HEADER.size : body_at], buffer[body_at : body_at + body_size]))
            start = body_at + body_size
            head_size = body_size = 0
        if start == end:
            self._start = self._end = 0
            return
        self._start = start
        self._make_room(head_size, body_size)

    def _make_room(self, head_size: int, body_size: int) -> None:
        """Prepare for the rest of a frame that has begun."""
        body_at = self._start + HEADER.size + head_size
        if body_size > len(self._buffer) // 4 and body_at <= self._end:
            self._receive_in_place(body_at, body_size)
            return
        pending = self._buffer[self._start : self._end]
        needed = HEADER.size + head_size + min(body_size, len(self._buffer) // 4)
        if needed > len(self._buffer):
            self._buffer = bytearray(min(needed, 2 * len(self._buffer)))
        self._buffer[: len(pending)] = pending
        self._start, self._end = 0, len(pending)

    def _receive_in_place(self, body_at: int, body_size: int) -> None:
        _, _, stream, kind, _, _ = HEADER.unpack_from(self._buffer, self._start)
        have = self._end - body_at
        self._large = (kind, stream, self._buffer[self._start + HEADER.size : body_at])
        try:
            self._large_body = self._room(body_size)
        except (MemoryError, OSError) as error:
            raise WireError(f'there is no memory for a body of {body_size:,} bytes: {error}') from error
        self._large_body[:have] = memoryview(self._buffer)[body_at : self._end]
        self._large_have = have
        self._start = self._end = 0
