"""The messages of one gRPC call."""

from typing import Any

import grpc

from jina.gateway.deadline import HEADER, seconds, soonest


class GrpcMessages:
    """A call of a method ``stream → stream``, over bytes.

    :raises ValueError: if its metadata have a ``jina-timeout`` that is no number of seconds.
    """

    def __init__(self, context: Any) -> None:
        self._context = context
        given = dict(context.invocation_metadata() or ()).get(HEADER)
        self._timeout = None if given is None else seconds(given)

    async def read(self) -> bytes | None:
        """The next one; see :class:`~jina.gateway.messages.Messages`."""
        message = await self._context.read()
        return None if message is grpc.aio.EOF else message

    async def write(self, message: bytes | str) -> None:
        """Send one."""
        await self._context.write(message)

    async def refuse(self, why: str) -> None:
        """End the call."""
        await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, why)

    def time_left(self) -> float | None:
        """What the client said, and no more than its call has left."""
        return soonest(self._timeout, self._context.time_remaining())
