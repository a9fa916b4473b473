"""A stream of messages to a gRPC server, as bytes, for one event loop.

This stands on gRPC's threads and not on its asyncio: that shares one queue between all event loops of a
process, and where several threads have one each, events of the one are lost when the loop of another closes.
"""

import asyncio
from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

import grpc

from jina.clients.stream import Ended, Received


class GrpcStream:
    """One call of a method ``stream → stream``; see :class:`~jina.clients.stream.Stream`.

    :param received: called with each message that arrives.
    :param ended: called once, with the stream and the reason, when none will arrive any more; also after
        :meth:`close`.
    :param merge: the most bytes of the messages that may be sent as one, their concatenation; 0: each is sent alone.
    """

    replaceable = False  # the channel is lost with it
    usable = True

    def __init__(
        self,
        channel: Any,
        method: str,
        received: Received,
        ended: Ended,
        merge: int = 0,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._received, self._ended = received, ended
        self._merge = merge
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        self._call = channel.stream_stream(method)(self._messages())
        Thread(target=self._read, name='jina-grpc-answers', daemon=True).start()

    def send(self, message: bytes) -> None:
        """Send a message; never blocks."""
        self._outgoing.put(message)

    def finish(self) -> None:
        """Tell the server that no more will be sent; messages may still arrive."""
        self._outgoing.put(None)

    def close(self) -> None:
        """End it, without waiting for what is under way."""
        self.finish()
        self._call.cancel()

    async def closed(self) -> None:
        """Wait for what it has left behind: its threads end by themselves."""

    def _messages(self) -> Iterator[bytes]:
        """What gRPC is to send. Runs in a thread of gRPC's, which asks again when the last one has been written."""
        more = True
        while more and (message := self._outgoing.get()) is not None:
            message, more = self._with_next(message)
            yield message

    def _with_next(self, message: bytes) -> tuple[bytes, bool]:
        """The message together with those that came while the one before was written.

        :return: also whether there may be more.
        """
        merged, size = [message], len(message)
        while size < self._merge:
            try:
                following = self._outgoing.get_nowait()
            except Empty:
                break
            if following is None:
                return b''.join(merged), False
            merged.append(following)
            size += len(following)
        return b''.join(merged), True

    def _read(self) -> None:
        """Hand over messages until there are no more. Runs in a thread of its own."""
        try:
            for message in self._call:
                call_soon(self._loop, self._received, message)
            reason = 'it ended the stream'
        except grpc.RpcError as error:
            reason = f'{error.code().name}: {error.details()}'
        call_soon(self._loop, self._ended, self, reason)


def call_soon(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: Any) -> None:
    """Call a function in the thread of a loop, if that still runs."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        pass  # the loop is closed: nobody waits
