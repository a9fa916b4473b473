"""How much of one stream may be without an answer: so many requests, and so many bytes."""

import asyncio

WINDOW_BYTES = 64 << 20


class Window:
    """Credit of one stream. A message larger than all of it is admitted alone: else it never would be.

    :param count: requests.
    :param size: bytes.
    """

    def __init__(self, count: int, size: int = WINDOW_BYTES) -> None:
        self._count, self._size = count, size
        self._taken = 0
        self._bytes = 0
        self._changed = asyncio.Event()

    def admits(self, size: int) -> bool:
        """Whether there is room for one more request of ``size`` bytes."""
        return not self._taken or (self._taken < self._count and self._bytes + size <= self._size)

    async def room(self, size: int = 0) -> None:
        """Wait until there is; for one caller at a time."""
        while not self.admits(size):
            self._changed.clear()
            await self._changed.wait()

    def take(self, size: int) -> None:
        """A request of ``size`` bytes is under way."""
        self._taken += 1
        self._bytes += size

    def give(self, size: int) -> None:
        """Its answer is out."""
        self._taken -= 1
        self._bytes -= size
        self._changed.set()
