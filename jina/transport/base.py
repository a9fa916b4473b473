"""The contract of a transport, whole."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from jina.wire.connection import Sender
from jina.wire.frames import Buffer, Frame
from jina.wire.head import Body


class Channel(Sender, Protocol):
    """One open connection. All methods belong to the thread of its event loop."""

    def send(self, kind: int, stream: int, head: Buffer, body: Body) -> None:
        """Send one frame, in order, without blocking.

        Large buffers of ``body`` are not copied: they must not change before :meth:`drained` returns.
        """

    async def drained(self) -> None:
        """Wait until all that was sent has left this process, or the channel is closed."""

    def close(self) -> None:
        """Close after what was sent has gone out. May be called more than once."""

    def abort(self) -> None:
        """Close at once, dropping what has not gone out."""


class Peer(Protocol):
    """Whose channel it is. A peer that raises :class:`~jina.excepts.WireError` has its channel closed."""

    def connected(self, channel: Channel) -> None:
        """Called first, once."""

    def received(self, frame: Frame) -> None:
        """Called for every frame, in order. The buffers are the peer's to keep and to change."""

    def lost(self, reason: str) -> None:
        """Called last, once, whoever closed the channel."""


class Listener(Protocol):
    """A place where channels are accepted."""

    @property
    def address(self) -> str:
        """What :func:`~jina.transport.connect` takes; with the real port."""

    async def close(self) -> None:
        """Accept no more, close the accepted channels, and leave nothing behind."""


Accept = Callable[[], Peer]
Connect = Callable[[str, Peer], Awaitable[Channel]]
Listen = Callable[[str, Accept], Awaitable[Listener]]
