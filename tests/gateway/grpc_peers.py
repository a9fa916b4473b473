"""A gRPC door over an engine that can be looked into, and peers of other makes, over real sockets."""

import asyncio
import contextlib

import grpc
from fake_engine import FakeEngine

from jina.clients.call import CallLink
from jina.clients.grpc import open_grpc, streams
from jina.gateway.grpc import GrpcDoor
from jina.proto.jina_pb2 import DataRequestProto, RequestProto
from jina.spec import DoorSpec, GatewaySpec
from jina.wire.head import PROTOBUF, Head, Part

HOST = '127.0.0.1'
OPTIONS = [
    ('grpc.max_receive_message_length', -1),
    ('grpc.max_send_message_length', -1),
    ('grpc.enable_http_proxy', 0),  # a foreign client would ask the proxy of the environment
]
DATA = DataRequestProto(docs=[{'id': '1', 'text': 'hello'}]).SerializeToString()


def make_door(engine, host=HOST, port=0, window=64):
    doors = [DoorSpec(protocol='grpc', host=host, port=port)]
    return GrpcDoor(engine, doors[0], GatewaySpec(doors=doors, prefetch=window))


@contextlib.asynccontextmanager
async def open_door(window=64):
    engine = FakeEngine()
    door = make_door(engine, window=window)
    port = await door.start()
    try:
        yield engine, port
    finally:
        await door.stop(0)


@contextlib.asynccontextmanager
async def foreign_call(port, raw=False, **how):
    """A call as a client makes it that knows nothing but the contract."""
    async with grpc.aio.insecure_channel(f'{HOST}:{port}', OPTIONS) as channel:
        yield channel.stream_stream(
            '/jina.JinaRPC/Call',
            request_serializer=None if raw else RequestProto.SerializeToString,
            response_deserializer=RequestProto.FromString,
        )(**how)


def foreign_request(number, endpoint='/later', text='hello'):
    request = RequestProto(request_id=str(number), header={'exec_endpoint': endpoint, 'target_peapod': 'pod.*'})
    request.data.docs.add(id='1', text=text)
    request.parameters.update({'top_k': 3})
    return request


def head_for(number, endpoint='/later', **fields):
    return Head(str(number), endpoint, (Part(PROTOBUF, len(DATA)),), PROTOBUF, **fields)


def ask(link, head, body=DATA):
    """Send a request.

    :return: the future of its outcome.
    """
    outcome = asyncio.get_running_loop().create_future()
    link.request(head, [body] if body else [], lambda *answer: outcome.set_result(answer))
    return outcome


@contextlib.asynccontextmanager
async def linked(port, kind='frames'):
    """A link as a client has it, to a server of this package or, with ``'call'``, as if to one of another make."""
    link = await (open_grpc(HOST, port) if kind == 'frames' else open_call(port))
    try:
        yield link
    finally:
        await link.close()


async def open_call(port):
    channel = grpc.insecure_channel(f'{HOST}:{port}', OPTIONS)
    return CallLink(streams(channel, 'Call'), f'grpc://{HOST}:{port}', channel.close)


@contextlib.asynccontextmanager
async def foreign_server(call=None, frames=None):
    """A server as others make it; ``call`` and ``frames`` are its methods, over bytes."""
    server = grpc.aio.server(options=OPTIONS)
    methods = {'Call': call, 'Frames': frames}
    handlers = {name: grpc.stream_stream_rpc_method_handler(method) for name, method in methods.items() if method}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler('jina.JinaRPC', handlers),))
    port = server.add_insecure_port(f'{HOST}:0')
    await server.start()
    try:
        yield port
    finally:
        await server.stop(0)


def logged_by_us(caplog):
    """What was logged, but for what asyncio logs: gRPC's events of a loop that an earlier test has closed."""
    return [record for record in caplog.records if record.name != 'asyncio']
