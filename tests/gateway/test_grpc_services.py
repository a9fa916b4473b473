"""What every gRPC server has, health and reflection, asked by gRPC's own clients for them."""

import asyncio
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_peers import FakeEngine, make_door, open_door
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import jina.proto
from jina.proto.jina_pb2 import RequestProto

SERVICES = {'jina.JinaRPC', 'grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection'}
SERVING, NOT_SERVING, SERVICE_UNKNOWN = 1, 2, 3


def channel(port):
    return grpc.aio.insecure_channel(f'127.0.0.1:{port}', [('grpc.enable_http_proxy', 0)])


def asked(name=''):
    return health_pb2.HealthCheckRequest(service=name)


class TestHealth:
    @pytest.mark.parametrize('name', ['', 'jina.JinaRPC'])
    def test_it_serves(self, name):
        async def main():
            async with open_door() as (_, port), channel(port) as open_channel:
                answer = await health_pb2_grpc.HealthStub(open_channel).Check(asked(name))
                assert answer.status == SERVING

        asyncio.run(main())

    def test_a_service_that_is_not_here(self):
        async def main():
            async with open_door() as (_, port), channel(port) as open_channel:
                stub = health_pb2_grpc.HealthStub(open_channel)
                with pytest.raises(grpc.aio.AioRpcError, match='there is no service') as raised:
                    await stub.Check(asked('other.Service'))
                assert raised.value.code() is grpc.StatusCode.NOT_FOUND
                assert (await stub.Watch(asked('other.Service')).read()).status == SERVICE_UNKNOWN

        asyncio.run(main())

    def test_who_watches_learns_of_the_end(self):
        async def main():
            door = make_door(FakeEngine())
            async with channel(await door.start()) as open_channel:
                stub = health_pb2_grpc.HealthStub(open_channel)
                watches = [stub.Watch(asked(name)) for name in ('', 'jina.JinaRPC', 'other')]
                assert [(await watch.read()).status for watch in watches] == [SERVING, SERVING, SERVICE_UNKNOWN]
                await asyncio.wait_for(door.stop(grace=60), 20)
                assert [(await watch.read()).status for watch in watches[:2]] == [NOT_SERVING] * 2
                assert [await watch.read() for watch in watches] == [grpc.aio.EOF] * 3

        asyncio.run(main())


def reflected(port, ask):
    """Ask a server that runs elsewhere; the library's client blocks."""

    def run():
        with grpc.insecure_channel(f'127.0.0.1:{port}', [('grpc.enable_http_proxy', 0)]) as open_channel:
            return ask(ProtoReflectionDescriptorDatabase(open_channel))

    return asyncio.to_thread(run)


def reflect(ask):
    async def main():
        async with open_door() as (_, port):
            return await reflected(port, ask)

    return asyncio.run(main())


class TestReflection:
    def test_the_services(self):
        assert set(reflect(lambda database: list(database.get_services()))) == SERVICES

    def test_what_a_client_needs_to_build_a_request(self):
        pool = reflect(lambda database: _loaded(DescriptorPool(database)))
        call = pool.FindServiceByName('jina.JinaRPC').methods_by_name['Call']
        request = call.input_type
        assert (request.full_name, call.output_type.full_name) == ('jina.RequestProto',) * 2
        assert (call.client_streaming, call.server_streaming) == (True, True)
        shown = {f.name: (f.number, f.type) for f in request.fields}
        assert shown == {f.name: (f.number, f.type) for f in RequestProto.DESCRIPTOR.fields}
        document = request.fields_by_name['data'].message_type.fields_by_name['docs'].message_type
        assert document.full_name == 'jina.DocumentProto'

    def test_nothing_that_is_ours_alone(self):
        file = reflect(lambda database: database.FindFileContainingSymbol('jina.RequestProto'))
        assert 'RequestProto' in [m.name for m in file.message_type]
        assert not [m.name for m in file.message_type if m.name.startswith('Raw')]
        assert [[method.name for method in service.method] for service in file.service] == [['Call']]

    def test_every_service_and_method_is_described(self):
        def ask(database):
            return [
                database.FindFileContainingSymbol(name).package for name in (*sorted(SERVICES), 'jina.JinaRPC.Call')
            ]

        assert reflect(ask) == ['grpc.health.v1', 'grpc.reflection.v1', 'jina', 'jina']

    @pytest.mark.parametrize('ask', [
        lambda database: database.FindFileByName('other.proto'),
        lambda database: database.FindFileContainingSymbol('other.Symbol'),
        lambda database: database.FindFileContainingSymbol('jina.RawRequestProto'),
    ])  # fmt: skip
    def test_what_is_not_there(self, ask):
        with pytest.raises(KeyError):
            reflect(ask)

    @pytest.mark.parametrize('version', ['v1', 'v1alpha'])
    def test_both_versions(self, version):
        async def main():
            async with open_door() as (_, port), channel(port) as open_channel:
                call = info(open_channel, version)
                await call.write(reflection_pb2.ServerReflectionRequest(host='me', list_services='*'))
                answer = await call.read()
                assert (answer.valid_host, answer.original_request.list_services) == ('me', '*')
                assert {service.name for service in answer.list_services_response.service} == SERVICES
                for nothing in (
                    {},
                    {'file_containing_extension': {}},
                    {'all_extension_numbers_of_type': 'jina.RequestProto'},
                ):
                    await call.write(reflection_pb2.ServerReflectionRequest(**nothing))
                    assert (await call.read()).error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_a_stream_without_a_question_does_not_delay_the_end(self):
        async def main():
            door = make_door(FakeEngine())
            async with channel(await door.start()) as open_channel:
                call = info(open_channel, 'v1')
                await call.write(reflection_pb2.ServerReflectionRequest(list_services='*'))
                await call.read()
                await asyncio.wait_for(door.stop(grace=60), 20)
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())


def info(open_channel, version):
    return open_channel.stream_stream(
        f'/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo',
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )()


def _loaded(pool):
    """Read all while the channel is open."""
    pool.FindServiceByName('jina.JinaRPC').methods_by_name['Call'].input_type.fields_by_name['data']
    return pool


def test_the_description_is_that_of_the_proto_files(tmp_path):
    from grpc_tools import protoc

    folder, made = Path(jina.proto.__file__).parent, tmp_path / 'services.binpb'
    arguments = [f'-I{folder}', f'--descriptor_set_out={made}', 'health.proto', 'reflection.proto']
    assert protoc.main(['', *arguments]) == 0
    shipped = FileDescriptorSet.FromString((folder / 'services.binpb').read_bytes())
    assert FileDescriptorSet.FromString(made.read_bytes()) == shipped


@pytest.mark.parametrize('name', ['HealthCheckRequest', 'HealthCheckResponse'])
def test_health_has_the_numbers_of_the_contract(name):
    from jina.proto.services import message

    assert _numbers(message(f'grpc.health.v1.{name}')) == _numbers(getattr(health_pb2, name))


@pytest.mark.parametrize(
    'name',
    [
        *('ServerReflectionRequest', 'ServerReflectionResponse', 'ExtensionRequest', 'FileDescriptorResponse'),
        *('ExtensionNumberResponse', 'ListServiceResponse', 'ServiceResponse', 'ErrorResponse'),
    ],
)
def test_reflection_has_the_numbers_of_the_contract(name):
    from jina.proto.services import message

    assert _numbers(message(f'grpc.reflection.v1.{name}')) == _numbers(getattr(reflection_pb2, name))


def _numbers(message):
    return {f.name: (f.number, f.type) for f in message.DESCRIPTOR.fields}
