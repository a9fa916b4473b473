"""What streams of requests need of the protocol below them: gRPC or WebSocket."""

from typing import Protocol

from jina.gateway.forms import Message


class Messages(Protocol):
    """One client's messages, and the answers to it."""

    async def read(self) -> Message | None:
        """The next one; ``None``: there will be none."""

    async def write(self, message: Message) -> None:
        """Send one; waits while the client does not take them."""

    async def refuse(self, why: str) -> None:
        """End the stream, because the client broke the rules."""

    def time_left(self) -> float | None:
        """Seconds that a request which begins now may take, by what the client said for all; ``None``: any time."""
