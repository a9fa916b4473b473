"""Connections to gRPC servers: our own frames where the other end is of this package, else the public contract."""

import asyncio
from functools import partial
from threading import Thread
from typing import Any

import grpc

from jina.clients.call import CallLink
from jina.clients.frames import open_frames
from jina.clients.grpc.stream import GrpcStream, call_soon
from jina.clients.link import Link
from jina.clients.stream import Ended, OpenStream, Received, Stream
from jina.excepts import ServerUnreachable
from jina.wire.batches import MESSAGE

GREETING_SECONDS = 2.0  # a server of another make says at once that it has no such method
CLOSE_SECONDS = 1.0  # an interrupt in the midst of a call may keep gRPC from ever closing its channel

_OPTIONS = (
    ('grpc.max_receive_message_length', -1),
    ('grpc.max_send_message_length', -1),
    ('grpc.enable_http_proxy', 0),
    ('grpc.use_local_subchannel_pool', 1),  # else a channel inherits the refusals that an older one met
)


async def open_grpc(host: str, port: int, timeout: float = 10.0, tls: bool = False) -> Link:
    """Connect to a gRPC server.

    :raises ServerUnreachable: if nothing answers there: at once when it refuses, else after ``timeout``.
    """
    channel = _channel(f'[{host}]:{port}' if ':' in host else f'{host}:{port}', tls)
    close = partial(_close, channel)
    name = f'grpc{"s" if tls else ""}://{host}:{port}'
    try:
        async with asyncio.timeout(timeout):
            await _ready(channel)
            frames = streams(channel, 'Frames', MESSAGE)
            link = await open_frames(frames, name, GREETING_SECONDS, close)
            return link or CallLink(streams(channel, 'Call'), name, close)
    except BaseException as error:
        close()
        if not isinstance(error, ConnectionError | TimeoutError):
            raise
        why = str(error) or f'no answer in {timeout:g} s'
        raise ServerUnreachable(f'nothing answers at {name}: {why}') from error


def streams(channel: Any, method: str, merge: int = 0) -> OpenStream:
    """What calls a method of ``jina.JinaRPC``.

    :param merge: see :class:`GrpcStream`.
    """

    def open_stream(received: Received, ended: Ended) -> Stream:
        return GrpcStream(channel, f'/jina.JinaRPC/{method}', received, ended, merge)

    return open_stream


def _channel(target: str, tls: bool) -> Any:
    if tls:
        return grpc.secure_channel(target, grpc.ssl_channel_credentials(), _OPTIONS)
    return grpc.insecure_channel(target, _OPTIONS)


def _close(channel: Any) -> None:
    """Close a channel in a thread of its own: interrupted in the midst of it, gRPC would hold up the program's end."""
    thread = Thread(target=channel.close, name='jina-grpc-close', daemon=True)
    thread.start()
    thread.join(CLOSE_SECONDS)


async def _ready(channel: Any) -> None:
    """Wait until the server has answered.

    :raises ConnectionError: if it cannot be reached at the first attempt; gRPC itself would go on trying.
    """
    loop = asyncio.get_running_loop()
    reached: asyncio.Future[bool] = loop.create_future()

    def changed(state: grpc.ChannelConnectivity) -> None:
        if state in (grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.TRANSIENT_FAILURE):
            call_soon(loop, _settle, reached, state is grpc.ChannelConnectivity.READY)

    channel.subscribe(changed, try_to_connect=True)
    try:
        if not await reached:
            raise ConnectionError('it refuses the connection, or there is no such host')
    finally:
        channel.unsubscribe(changed)


def _settle(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)
