"""What a client needs of a connection to a server, whichever protocol it speaks; and the native one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from jina.excepts import ServerUnreachable
from jina.transport import connect
from jina.wire.connection import ClientConnection, Reply
from jina.wire.head import MSGPACK, Body, Head

HELLO_SECONDS = 10.0


class Link(Protocol):
    """One open connection to a server. All belongs to the thread of its loop.

    :ivar encoding: how bodies are to be encoded for it.
    :ivar closed: it is lost, or was closed.
    :ivar on_change: called when :meth:`admits` may have changed.
    """

    encoding: str
    closed: bool
    on_change: Callable[[], None]

    def admits(self, size: int) -> bool:
        """Whether a request with a body of ``size`` bytes may be sent now."""

    def request(self, head: Head, body: Body, reply: Reply) -> int:
        """Send a request; only while :meth:`admits` says so. ``reply`` is called exactly once.

        :return: its number, for :meth:`cancel`.
        """

    def cancel(self, stream: int) -> None:
        """Its answer is no longer wanted."""

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change."""

    async def close(self) -> None:
        """Close it."""


OpenLink = Callable[[], Awaitable[Link]]


async def open_within(seconds: float | None, open_link: OpenLink) -> Link:
    """Open a link.

    :param seconds: how long that may take; ``None``: as long as the link itself allows.
    :raises ServerUnreachable: if there is none by then, or no server.
    """
    try:
        async with asyncio.timeout(seconds):
            return await open_link()
    except TimeoutError as error:
        raise ServerUnreachable(f'the server did not answer before the deadline of {seconds:g} s') from error


class NativeLink(ClientConnection):
    """Frames to the native door of a gateway on this host."""

    encoding = MSGPACK

    async def drained(self) -> None:
        """Wait until the memory of the bodies sent so far may change."""
        if self.channel is not None and not self.closed:
            await self.channel.drained()

    async def close(self) -> None:
        """Close it."""
        if self.channel is not None:
            self.channel.close()


async def open_native(address: str) -> NativeLink:
    """Connect to the native door of a gateway.

    :raises ServerUnreachable: if nothing answers there.
    """
    link = NativeLink()
    greeted = asyncio.Event()
    link.on_change = greeted.set
    try:
        async with asyncio.timeout(HELLO_SECONDS):
            await connect(address, link)
            await greeted.wait()
    except BaseException as error:
        await link.close()
        if not isinstance(error, OSError | TimeoutError):
            raise
        raise ServerUnreachable(f'nothing answers at {address}: {error or "no answer in time"}') from error
    if link.closed:
        raise ServerUnreachable(f'what answered at {address} closed the connection')
    return link
