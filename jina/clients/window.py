"""Requests without an answer, where the server grants no window: the client keeps one of its own."""

from dataclasses import dataclass

from jina.types.request import Status, StatusCode
from jina.wire.connection import Reply
from jina.wire.frames import Buffer
from jina.wire.head import Body, Head, body_size


@dataclass(slots=True)
class Waiting:
    """A request without an answer so far."""

    head: Head
    body: Body
    reply: Reply
    size: int


class Window:
    """Counts what is under way, and sees to it that each request has exactly one outcome.

    :param count: requests that may be under way.
    :param size: bytes of bodies that may be; one larger body may travel alone.
    """

    def __init__(self, count: int, size: int) -> None:
        self._count = count
        self._size = size
        self._bytes = 0
        self._next_stream = 0
        self._waiting: dict[int, Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __getitem__(self, stream: int) -> Waiting:
        return self._waiting[stream]

    def admits(self, size: int) -> bool:
        """Whether there is room for one more request with a body of ``size`` bytes."""
        return not self._waiting or (len(self._waiting) < self._count and self._bytes + size <= self._size)

    def open(self, head: Head, body: Body, reply: Reply) -> int:
        """A request is under way.

        :return: its number.
        """
        stream, self._next_stream = self._next_stream, self._next_stream + 1
        size = body_size(body)
        self._waiting[stream] = Waiting(head, body, reply, size)
        self._bytes += size
        return stream

    def ignore(self, stream: int) -> None:
        """Its answer is no longer wanted. It counts until it is there."""
        if stream in self._waiting:
            self._waiting[stream].reply = _ignore

    def answer(self, stream: int, head: Head, body: Buffer) -> None:
        """Its outcome."""
        waiting = self._waiting.pop(stream, None)
        if waiting is not None:
            self._bytes -= waiting.size
            waiting.reply(head, body)

    def lose(self, reason: str) -> None:
        """Every request ends in an error that gives the reason."""
        waiting, self._waiting, self._bytes = self._waiting, {}, 0
        for each in waiting.values():
            each.reply(Head('', '', status=Status(StatusCode.ERROR, reason)), b'')


def _ignore(head: Head, body: Buffer) -> None:
    """The reply of a request that nobody waits for."""
