"""Frames over a channel that carries messages and charges for each: many small frames share one. No I/O.

The messages, one after the other, are the same bytes that a stream would carry: where one ends means nothing.
"""

from collections import deque

from jina.wire.frames import Buffer, Frame, FrameReader, frame_header
from jina.wire.head import Body, body_size

MESSAGE = 1 << 20  # the most bytes of one message
SUBPROTOCOL = 'jina-frames.1'  # their name where WebSocket carries them


class Outbox:
    """Frames that wait to be sent. Their buffers are not copied before :meth:`take`."""

    def __init__(self) -> None:
        self.size = 0
        self._buffers: deque[Buffer] = deque()

    def add(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        """Put a frame behind the others.

        :raises WireError: if head or body are larger than a frame can be.
        """
        size = body_size(body)
        self._buffers.append(frame_header(kind, stream, len(head), size) + head)
        self._buffers += body
        self.size += len(self._buffers[-1 - len(body)]) + size

    def take(self) -> bytes:
        """The next message; empty if nothing waits."""
        taken: list[Buffer] = []
        room = MESSAGE
        while self._buffers and room:
            taken.append(self._next(room))
            room -= len(taken[-1])
        self.size -= MESSAGE - room
        return b''.join(taken)

    def _next(self, room: int) -> Buffer:
        """The first buffer, or as much of it as there is room for."""
        if len(self._buffers[0]) <= room:
            return self._buffers.popleft()
        view = memoryview(self._buffers[0])
        self._buffers[0] = view[room:]
        return view[:room]


class Inbox:
    """Messages in, frames out."""

    def __init__(self) -> None:
        self._reader = FrameReader()

    def received(self, message: bytes) -> list[Frame]:
        """The frames that are complete now.

        :raises WireError: if the bytes are not frames.
        """
        frames: list[Frame] = []
        left = memoryview(message)
        while left:
            buffer = self._reader.get_buffer()
            size = min(len(buffer), len(left))
            buffer[:size] = left[:size]
            left = left[size:]
            frames += self._reader.received(size)
        return frames
