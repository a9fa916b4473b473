"""What links need of the protocol below them, where that carries messages: gRPC or WebSocket."""

from collections.abc import Callable
from typing import Protocol


class Stream(Protocol):
    """Messages to a server and from it. All belongs to the thread of its loop.

    :ivar usable: messages can be sent.
    :ivar replaceable: when it ends and nothing waits for an answer on it, another can be opened in its place; else the
        server is gone.
    """

    replaceable: bool

    @property
    def usable(self) -> bool: ...

    def send(self, message: bytes) -> None:
        """Send a message; never blocks."""

    def finish(self) -> None:
        """Tell the server that no more will be sent; messages may still arrive."""

    def close(self) -> None:
        """End it, without waiting for what is under way."""

    async def closed(self) -> None:
        """Wait, after :meth:`close`, for what it has left behind."""


Received = Callable[[bytes], None]
"""Called with each message that arrives."""

Ended = Callable[['Stream', str], None]
"""Called with the stream and the reason, when no message will arrive any more."""

OpenStream = Callable[[Received, Ended], Stream]
