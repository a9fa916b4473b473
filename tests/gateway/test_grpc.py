"""The gRPC door, over real sockets, with clients that know nothing but the contract."""

import asyncio
import socket

import grpc
import msgspec
import pytest
from grpc_peers import HOST, FakeEngine, foreign_call, foreign_request, logged_by_us, make_door, open_door

from jina.excepts import NoAvailablePortError
from jina.gateway.window import WINDOW_BYTES, Window
from jina.proto.jina_pb2 import DataRequestProto, RequestProto
from jina.wire.head import PROTOBUF, Part


class TestDoor:
    def test_a_foreign_client_is_answered(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(foreign_request(7))
                answer = await call.read()
                sent = foreign_request(7)
                assert (answer.request_id, answer.header) == ('7', sent.header)
                assert (answer.data, answer.parameters) == (sent.data, sent.parameters)
                assert (answer.status.code, answer.status.description) == (0, '')
                assert [(r.pod, r.pod_id) for r in answer.routes] == [('gateway', 'gateway/1'), ('pod0', 'pod0/1')]
                assert answer.routes[0].end_time.ToMilliseconds() == 2500
                await call.done_writing()
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_the_engine_receives_heads_and_bytes(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                await call.write(foreign_request(7, '/hold'))
                walk = await engine.held.get()
                assert (walk.head.request_id, walk.head.endpoint, walk.head.target) == ('7', '/hold', 'pod.*')
                assert walk.head.parts == (Part(PROTOBUF, len(walk.body)),)
                assert walk.head.accept == PROTOBUF
                assert msgspec.msgpack.decode(walk.head.parameters) == {'top_k': 3}
                assert DataRequestProto.FromString(walk.body) == foreign_request(7).data

        asyncio.run(main())

    def test_a_request_without_id_documents_and_parameters(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(RequestProto(header={'exec_endpoint': '/x'}))
                answer = await call.read()
                assert len(answer.request_id) == 32
                assert (answer.WhichOneof('body'), len(answer.data.docs)) == ('data', 0)
                assert not answer.HasField('parameters')

        asyncio.run(main())

    def test_an_error_arrives_with_its_cause(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                await call.write(foreign_request(1, '/fail'))
                status = (await call.read()).status
                assert (status.code, status.description) == (status.ERROR, 'it failed')
                raised = status.exception
                assert (raised.name, raised.args, raised.stacks) == ('ValueError', ['bad'], ['line'])
                assert raised.executor == 'MyExecutor'

        asyncio.run(main())

    def test_answers_come_as_they_are_ready(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                for number in range(3):
                    await call.write(foreign_request(number, '/hold'))
                walks = [await engine.held.get() for _ in range(3)]
                for walk in reversed(walks):
                    walk.answer()
                assert [(await call.read()).request_id for _ in range(3)] == ['2', '1', '0']

        asyncio.run(main())

    def test_each_request_has_one_answer_after_the_client_has_ended_its_side(self):
        async def main():
            async with open_door(window=4) as (engine, port), foreign_call(port) as call:
                for number in range(20):
                    await call.write(foreign_request(number, '/later' if number % 2 else '/now'))
                await call.write(foreign_request('last', '/hold'))
                await call.done_writing()
                received = [(await call.read()).request_id for _ in range(20)]
                assert sorted(received, key=int) == [str(number) for number in range(20)]
                (await engine.held.get()).answer()
                assert (await call.read()).request_id == 'last'
                assert await call.read() is grpc.aio.EOF

        asyncio.run(main())

    def test_no_more_are_under_way_than_the_window_allows(self):
        async def main():
            async with open_door(window=2) as (engine, port), foreign_call(port) as call:
                for number in range(6):
                    await call.write(foreign_request(number, '/hold'))
                walks = [await engine.held.get(), await engine.held.get()]
                for _ in range(4):
                    walks.pop().answer()
                    await call.read()
                    walks.append(await engine.held.get())
                assert engine.most == 2

        asyncio.run(main())

    def test_a_client_that_goes_away_cancels_its_walks(self, caplog):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                await call.write(foreign_request(1, '/hold'))
                await call.write(foreign_request(2, '/hold'))
                walks = [await engine.held.get(), await engine.held.get()]
                call.cancel()
                for walk in walks:
                    await walk.cancelled.wait()
                walks[0].answer()

        asyncio.run(main())
        assert not logged_by_us(caplog)

    def test_walks_of_others_go_on(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as one, foreign_call(port) as other:
                await one.write(foreign_request(1, '/hold'))
                mine = await engine.held.get()
                await other.write(foreign_request(2, '/hold'))
                its = await engine.held.get()
                other.cancel()
                await its.cancelled.wait()
                mine.answer()
                assert (await one.read()).request_id == '1'
                assert not mine.cancelled.is_set()

        asyncio.run(main())

    def test_a_message_that_is_none_spoils_no_other(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port, raw=True) as call:
                await call.write(b'\xff\xff')
                status = (await call.read()).status
                assert status.code == status.ERROR
                assert 'RequestProto' in status.description
                await call.write(foreign_request(1).SerializeToString())
                assert (await call.read()).request_id == '1'

        asyncio.run(main())

    def test_large_messages(self):
        async def main():
            async with open_door() as (_, port), foreign_call(port) as call:
                text = 'x' * 5_000_000
                await call.write(foreign_request(1, text=text))
                assert (await call.read()).data.docs[0].text == text

        asyncio.run(main())

    def test_it_listens_at_its_host_only(self):
        async def main():
            async with open_door() as (_, port):
                with pytest.raises((ConnectionError, TimeoutError)):
                    socket.create_connection(('127.0.0.2', port), timeout=1)

        asyncio.run(main())

    def test_a_port_that_is_taken(self):
        async def main():
            async with open_door() as (engine, port):
                with pytest.raises(NoAvailablePortError, match=rf'{HOST}:{port}.*in use.*port_expose'):
                    await make_door(engine, port=port).start()

        asyncio.run(main())

    @pytest.mark.parametrize(('host', 'port'), [('203.0.113.1', 0), (HOST, 70000)])
    def test_an_address_that_cannot_be(self, host, port):
        async def main():
            with pytest.raises(NoAvailablePortError, match=host):
                await make_door(FakeEngine(), host, port).start()

        asyncio.run(main())

    def test_stop_without_start(self):
        async def main():
            door = make_door(FakeEngine())
            await door.stop(0)
            door.bind()
            await door.stop(0)

        asyncio.run(main())


async def write_all(call, requests):
    """In a task, for a server that does not read on."""
    for request in requests:
        await call.write(request)


class TestWindow:
    def test_bytes_without_an_answer_are_bounded(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                text = 'x' * (WINDOW_BYTES // 2)
                requests = [foreign_request(number, '/hold', text) for number in range(3)]
                writing = asyncio.ensure_future(write_all(call, [*requests, foreign_request('small', '/hold')]))
                for number in range(2):
                    (await engine.held.get()).answer()
                    assert (await call.read()).request_id == str(number)
                assert engine.most == 1  # two halves and what is around them are more than the window
                await engine.held.get()
                await engine.held.get()  # the small one has room beside the last half
                await writing
                assert engine.most == 2

        asyncio.run(main())

    def test_one_that_is_larger_than_the_window_travels_alone(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port) as call:
                await call.write(foreign_request(1, '/hold'))
                held = await engine.held.get()
                large = foreign_request(2, '/now', 'x' * (WINDOW_BYTES + 1))
                writing = asyncio.ensure_future(write_all(call, [large, foreign_request(3, '/now')]))
                held.answer()
                assert [(await call.read()).request_id for _ in range(3)] == ['1', '2', '3']
                assert engine.most == 1
                await writing

        asyncio.run(main())

    def test_credit_in_any_order(self):
        async def main():
            window = Window(2, 100)
            await window.room(1000)
            window.take(1000)
            assert not window.admits(0)
            waiting = asyncio.ensure_future(window.room(60))
            window.give(1000)
            await waiting
            window.take(60)
            assert (window.admits(40), window.admits(41)) == (True, False)
            window.take(40)
            assert not window.admits(0)

        asyncio.run(main())


class TestDeadline:
    """What the engine is told; to obey is its part."""

    @staticmethod
    async def told(port, engine, **how):
        async with foreign_call(port, **how) as call:
            for number in range(2):
                await call.write(foreign_request(number, '/hold'))
            walks = [await engine.held.get() for _ in range(2)]
            for walk in walks:
                walk.answer()
                await call.read()
            return [walk.head.timeout for walk in walks]

    def test_of_the_metadata_it_is_that_of_each_request(self):
        async def main():
            async with open_door() as (engine, port):
                assert await self.told(port, engine) == [None, None]
                assert await self.told(port, engine, metadata=[('jina-timeout', '1.5')]) == [1.5, 1.5]

        asyncio.run(main())

    def test_of_the_call_it_is_what_is_left(self):
        async def main():
            async with open_door() as (engine, port):
                first, second = await self.told(port, engine, timeout=30)
                assert 20 < second <= first < 30.1
                assert await self.told(port, engine, timeout=30, metadata=[('jina-timeout', '2')]) == [2, 2]
                first, _ = await self.told(port, engine, timeout=30, metadata=[('jina-timeout', '90')])
                assert 20 < first < 30.1

        asyncio.run(main())

    def test_a_call_past_its_deadline_cancels_its_walks(self):
        async def main():
            async with open_door() as (engine, port), foreign_call(port, timeout=0.3) as call:
                await call.write(foreign_request(1, '/hold'))
                walk = await engine.held.get()
                with pytest.raises(grpc.aio.AioRpcError, match='DEADLINE_EXCEEDED'):
                    await call.read()
                await walk.cancelled.wait()

        asyncio.run(main())

    @pytest.mark.parametrize('value', ['soon', '', '0', '-1', 'nan', 'inf'])
    def test_what_is_no_number_of_seconds(self, value):
        async def main():
            async with open_door() as (_, port), foreign_call(port, metadata=[('jina-timeout', value)]) as call:
                with pytest.raises(grpc.aio.AioRpcError) as raised:
                    await call.read()
                assert raised.value.code() is grpc.StatusCode.INVALID_ARGUMENT
                assert f'jina-timeout: {value!r}' in raised.value.details()
                assert 'a number of seconds above 0' in raised.value.details()

        asyncio.run(main())
