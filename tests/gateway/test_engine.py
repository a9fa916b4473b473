"""The way of a request through the graph, over pools of workers that live in the same loop."""

import asyncio
import gc
from contextlib import AsyncExitStack, asynccontextmanager

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jina.gateway.engine import Engine, Walk
from jina.gateway.group import Group
from jina.gateway.native import NativeDoor
from jina.gateway.pool import Pool, Ticket
from jina.graph import GATEWAY, Graph
from jina.spec import NodeSpec
from jina.transport import connect, listen
from jina.types.request import Route, Status, StatusCode
from jina.wire.connection import ClientConnection, ServerConnection
from jina.wire.frames import Kind
from jina.wire.head import BYPASS, JSON, MSGPACK, NOT_BOUND, UNCHANGED, Head, Hello, Part

SECONDS = 20


def worked(call, name):
    """A worker's answer: ``name(body)``, in one part."""
    body = b'%s(%s)' % (name.encode(), bytes(call.body))
    call.answer(Head('', '', (Part(MSGPACK, len(body)),), routes=[Route(name)]), [body])


def unchanged(call, name):
    call.answer(Head('', '', call.head.parts, flags=UNCHANGED, routes=[Route(name)]), [])


def failed(call, name):
    call.answer(Head('', '', status=Status(StatusCode.ERROR, f'{name} failed'), routes=[Route(name)]), [])


def silent(call, name):
    """Never answers."""


async def until(condition):
    deadline = asyncio.get_running_loop().time() + SECONDS
    while not condition():
        assert asyncio.get_running_loop().time() < deadline, 'this never came true'
        await asyncio.sleep(0)


class System:
    """An engine and the workers behind it.

    :ivar calls: (name, call) in the order of arrival.
    """

    def __init__(self, needs, window, nodes=None):
        self.calls, self.servers, self.listeners = [], {}, []
        self.pools = {name: Pool(NodeSpec(name=name, **(nodes or {}).get(name, {}))) for name in needs}
        looking = [name for name, pool in self.pools.items() if pool.spec.inspect]
        self.engine = Engine(Graph(needs, looking), self.pools)
        self.hello = Hello(*window, pid=7)

    def names(self):
        return [name for name, _ in self.calls]

    def arrived(self, name):
        return [call for n, call in self.calls if n == name]

    async def start(self, name, behaviour, address, number=0):
        label = name if self.pools[name].size == 1 else f'{name}{number}'

        def work(call):
            self.calls.append((label, call))
            behaviour(call, label)

        def accept():
            self.servers.setdefault(name, []).append(ServerConnection(self.hello, work))
            return self.servers[name][-1]

        self.listeners.append(await listen(address, accept))
        await self.pools[name].connect(address, number)

    def submit(self, body=b'in', **head):
        """(future of the outcome, walk)"""
        outcome = asyncio.get_running_loop().create_future()
        parts = (Part(MSGPACK, len(body), 1, 0),) if body else ()
        walk = self.engine.submit(
            Head('id', '/x', **{'parts': parts, **head}), body, lambda h, b: outcome.set_result((h, bytes(b)))
        )
        return outcome, walk

    async def ask(self, *args, **head):
        return await asyncio.wait_for(self.submit(*args, **head)[0], SECONDS)

    async def stop(self):
        for pool in self.pools.values():
            pool.close()
        for listener in self.listeners:
            await listener.close()
        await until(lambda: not (any(pool.replicas for pool in self.pools.values())))


@asynccontextmanager
async def running(needs, window=(100, 10_000), nodes=None, **behaviours):
    system = System(needs, window, nodes)
    try:
        for name in needs:
            for number in range(system.pools[name].size):
                await system.start(name, behaviours.get(name, worked), f'memory:{name}{number}', number)
        yield system
    finally:
        await system.stop()


CHAIN = {'a': [GATEWAY], 'b': ['a'], 'c': ['b']}
DIAMOND = {'a': [GATEWAY], 'b': [GATEWAY], 'c': ['b', 'a', GATEWAY]}


def test_a_chain_is_walked_in_order_and_tells_its_routes():
    async def check():
        async with running(CHAIN) as system:
            head, body = await system.ask()
            assert body == b'c(b(a(in)))'
            assert head.status is None
            assert (head.request_id, head.endpoint, head.parts) == ('id', '/x', (Part(MSGPACK, 11),))
            assert [route.pod for route in head.routes] == ['gateway', 'a', 'b', 'c']

    asyncio.run(check())


def test_a_flow_without_executors_answers_what_it_was_sent():
    async def check():
        async with running({}) as system:
            head, body = await system.ask()
            assert (body, head.status, len(head.parts)) == (b'in', None, 1)

    asyncio.run(check())


def test_parts_of_a_join_come_in_the_order_of_needs():
    async def check():
        async with running(DIAMOND) as system:
            _, body = await system.ask()
            assert body == b'c(b(in)a(in)in)'
            [join] = system.arrived('c')
            assert [part.size for part in join.head.parts] == [5, 5, 2]

    asyncio.run(check())


def test_branches_work_at_the_same_time():
    async def check():
        async with running({**DIAMOND, 'c': ['a', 'b']}, a=silent, b=silent) as system:
            outcome, _ = system.submit()
            await until(lambda: len(system.calls) >= 2)
            for name in 'ba':
                worked(system.arrived(name)[0], name)
            assert (await outcome)[1] == b'c(a(in)b(in))'

    asyncio.run(check())


def test_an_unchanged_body_goes_on_as_it_was():
    async def check():
        async with running(DIAMOND, a=unchanged, c=unchanged) as system:
            head, body = await system.ask()
            assert body == b'b(in)inin'
            assert [part.size for part in head.parts] == [5, 2, 2]

    asyncio.run(check())


def test_a_request_without_documents_has_an_answer_without():
    async def check():
        async with running(CHAIN, a=unchanged, b=unchanged, c=unchanged) as system:
            head, body = await system.ask(b'')
            assert (head.parts, body, head.status) == ((), b'', None)

    asyncio.run(check())


def test_only_the_last_is_asked_for_the_clients_encoding():
    async def check():
        async with running(CHAIN) as system:
            await system.ask(accept=JSON)
            *others, last = [call.head.accept for _, call in system.calls]
            assert last == JSON
            assert JSON not in others

    asyncio.run(check())


def test_endpoint_parameters_and_trace_reach_everybody():
    async def check():
        async with running(CHAIN) as system:
            head, _ = await system.ask(parameters=msgspec.Raw(b'\x81\xa1a\x01'), trace='00-1-2-3')
            for _, call in system.calls:
                sent = call.head
                assert (sent.request_id, sent.endpoint, bytes(sent.parameters)) == ('id', '/x', b'\x81\xa1a\x01')
                assert sent.trace == '00-1-2-3'
            assert bytes(head.parameters) == b'\x81\xa1a\x01'

    asyncio.run(check())


def test_an_error_ends_the_request_and_returns_the_clients_documents():
    async def check():
        async with running(CHAIN, b=failed) as system:
            head, body = await system.ask()
            assert (head.status.description, body) == ('b failed', b'in')
            assert system.names() == ['a', 'b']
            assert [route.pod for route in head.routes] == ['gateway', 'a', 'b']

    asyncio.run(check())


def test_an_error_in_one_branch_cancels_the_other():
    async def check():
        async with running(DIAMOND, a=silent, b=failed) as system:
            head, _ = await system.ask()
            assert head.status.description == 'b failed'
            await until(lambda: system.arrived('a')[0].cancelled)
            assert 'c' not in system.names()

    asyncio.run(check())


@pytest.mark.parametrize(
    ('target', 'hit'), [('', 'abc'), ('b', 'b'), ('[ac]', 'ac'), ('^b$', 'b'), ('^$', ''), ('.*', 'abc')]
)
def test_a_target_passes_the_others_by(target, hit):
    async def check():
        async with running(CHAIN) as system:
            head, _ = await system.ask(target=target)
            assert ''.join(system.names()) == hit
            assert not any(call.head.flags & BYPASS for _, call in system.calls)
            assert head.target == target

    asyncio.run(check())


@pytest.mark.parametrize(
    'target',
    [
        '(',
        '*',
        pytest.param('a{99999999999999}'),
    ],
)
def test_a_target_that_is_no_regex_is_the_clients_error(target):
    async def check():
        async with running(CHAIN) as system:
            head, body = await system.ask(target=target)
            assert body == b'in'
            assert head.status.client_error
            assert 'is no regular expression' in head.status.description
            assert system.calls == []

    asyncio.run(check())


def test_a_cancelled_walk_cancels_what_is_under_way_and_goes_no_further():
    heard = []

    def work(call, name):
        heard.append(call)
        if len(heard) > 1:
            worked(call, name)

    async def check():
        async with running(CHAIN, b=work) as system:
            outcome, walk = system.submit(b'first')
            await until(lambda: heard)
            walk.cancel()
            await until(lambda: heard[0].cancelled)
            worked(heard[0], 'b')
            assert (await system.ask(b'second'))[1] == b'c(b(a(second)))'
            assert len(system.arrived('c')) == 1
            assert not outcome.done()

    asyncio.run(check())


def test_a_replica_that_goes_away_is_the_outcome_of_what_it_worked_on():
    async def check():
        async with running(CHAIN, b=silent) as system:
            outcome, _ = system.submit()
            await until(lambda: system.arrived('b'))
            system.servers['b'][0].channel.close()
            head, body = await asyncio.wait_for(outcome, SECONDS)
            assert "Executor 'b' (process 7) went away while it worked on this request" in head.status.description
            assert body == b'in'

    asyncio.run(check())


def test_what_follows_waits_for_another_one_to_take_its_place():
    async def check():
        async with running(CHAIN) as system:
            system.servers['b'][0].channel.close()
            await until(lambda: not system.pools['b'].replicas)
            outcome, _ = system.submit()
            await until(lambda: 'a' in system.names())
            await system.start('b', worked, 'memory:b again')
            assert (await asyncio.wait_for(outcome, SECONDS))[1] == b'c(b(a(in)))'

    asyncio.run(check())


def test_what_waits_fails_when_no_other_will_come_and_so_does_all_that_follows():
    async def check():
        async with running(CHAIN) as system:
            system.servers['b'][0].channel.close()
            await until(lambda: not system.pools['b'].replicas)
            waiting, _ = system.submit()
            await until(lambda: 'a' in system.names())
            system.pools['b'].give_up(0, 'b is gone for good')
            for outcome in waiting, system.submit()[0]:
                head, _ = await asyncio.wait_for(outcome, SECONDS)
                assert head.status.description == 'b is gone for good'
                assert head.status.unavailable

    asyncio.run(check())


TWO = {'a': {'replicas': 2}}


def test_the_other_replica_takes_over():
    async def check():
        async with running({'a': [GATEWAY]}, nodes=TWO) as system:
            system.servers['a'][0].channel.close()
            await until(lambda: len(system.pools['a'].replicas) == 1)
            assert (await system.ask())[1] == b'a1(in)'
            system.pools['a'].give_up(0, 'gone')
            assert (await system.ask())[1] == b'a1(in)'

    asyncio.run(check())


def test_one_that_takes_the_place_of_another_receives_what_is_new_and_the_other_ends_what_it_has():
    async def check():
        async with running({'a': [GATEWAY]}, a=silent) as system:
            old, _ = system.submit(b'old')
            await until(lambda: system.calls)
            taking = asyncio.get_running_loop().create_task(system.start('a', silent, 'memory:a again'))
            await until(lambda: len(system.servers['a']) == 2 and system.pools['a'].replicas[0].in_flight == 0)
            new, _ = system.submit(b'new')
            await until(lambda: len(system.calls) == 2)
            assert not taking.done()
            for _, call in system.calls:
                worked(call, 'a')
            assert [(await asyncio.wait_for(o, SECONDS))[1] for o in (old, new)] == [b'a(old)', b'a(new)']
            await asyncio.wait_for(taking, SECONDS)

    asyncio.run(check())


def test_the_gateway_itself_connects_again_to_those_whom_nobody_else_watches_over(caplog):
    external = {'a': {'addresses': ['memory:a0']}}

    async def check():
        async with running({'a': [GATEWAY]}, nodes=external) as system:
            await system.listeners[0].close()
            await until(lambda: not system.pools['a'].replicas)
            head, _ = await system.ask()
            assert "Executor 'a'" in head.status.description
            again = System({'a': [GATEWAY]}, (100, 10_000))
            await again.start('a', worked, 'memory:a0')
            await until(lambda: system.pools['a'].replicas)
            assert (await system.ask())[1] == b'a(in)'
            await again.stop()

    asyncio.run(check())
    assert 'connecting to it again' in caplog.text


def test_requests_go_to_the_least_busy_replica():
    async def check():
        async with running({'a': [GATEWAY]}, nodes=TWO, a=silent) as system:
            for _ in range(6):
                system.submit()
            assert [replica.in_flight for replica in system.pools['a'].replicas] == [3, 3]
            await until(lambda: len(system.calls) == 6)
            for call in system.arrived('a1'):
                worked(call, 'a1')
            await until(lambda: system.pools['a'].replicas[1].in_flight == 0)
            for _ in range(3):
                system.submit()
            assert [replica.in_flight for replica in system.pools['a'].replicas] == [3, 3]

    asyncio.run(check())


ALL = {'a': {'replicas': 3, 'polling': 'ALL'}}
FIRST = {'a': {'replicas': 3, 'polling': 'ALL_ASYNC'}}
THEN = {'a': [GATEWAY], 'b': ['a']}


def test_all_replicas_receive_a_request_and_their_answers_are_one_body_in_their_order():
    async def check():
        async with running(THEN, nodes=ALL, a=silent) as system:
            outcome, _ = system.submit()
            await until(lambda: len(system.calls) == 3)
            for number in (2, 0, 1):
                assert 'b' not in system.names()
                worked(system.arrived(f'a{number}')[0], f'a{number}')
            assert (await outcome)[1] == b'b(a0(in)a1(in)a2(in))'
            [then] = system.arrived('b')
            assert [part.size for part in then.head.parts] == [6, 6, 6]

    asyncio.run(check())


def test_an_unchanged_body_of_a_replica_counts_as_what_it_was_sent():
    async def check():
        async with running(THEN, nodes=ALL, a=unchanged) as system:
            assert (await system.ask())[1] == b'b(ininin)'

    asyncio.run(check())


def test_replicas_that_bind_nothing_to_the_endpoint_multiply_nothing():
    def not_bound(call, name):
        call.answer(Head('', '', call.head.parts, flags=UNCHANGED | NOT_BOUND), [])

    async def check():
        async with running(THEN, nodes=ALL, a=not_bound) as system:
            assert (await system.ask())[1] == b'b(in)'

    asyncio.run(check())


def test_an_error_of_one_of_all_ends_the_request_and_cancels_the_others():
    async def check():
        async with running(THEN, nodes=ALL, a=silent) as system:
            outcome, _ = system.submit()
            await until(lambda: len(system.calls) == 3)
            failed(system.arrived('a1')[0], 'a1')
            head, body = await outcome
            assert (head.status.description, body) == ('a1 failed', b'in')
            await until(lambda: all(system.arrived(name)[0].cancelled for name in ('a0', 'a2')))

    asyncio.run(check())


def test_the_first_of_all_goes_on_and_the_later_ones_are_dropped_and_not_cancelled():
    async def check():
        async with running(THEN, nodes=FIRST, a=silent) as system:
            outcome, _ = system.submit()
            await until(lambda: len(system.calls) == 3)
            worked(system.arrived('a1')[0], 'a1')
            head, body = await outcome
            assert body == b'b(a1(in))'
            assert [route.pod for route in head.routes] == ['gateway', 'a1', 'b']
            for name in ('a0', 'a2'):
                assert not system.arrived(name)[0].cancelled
                worked(system.arrived(name)[0], name)
            await until(lambda: all(replica.in_flight == 0 for replica in system.pools['a'].replicas))
            assert len(system.arrived('b')) == 1

    asyncio.run(check())


@pytest.mark.parametrize('behaviour', [worked, unchanged, failed])
@pytest.mark.parametrize('nodes', [None, ALL, FIRST], ids=['ANY', 'ALL', 'ALL_ASYNC'])
def test_nothing_of_a_request_is_left_for_the_garbage_collector(nodes, behaviour):
    """It may hold large bodies."""

    async def check():
        async with running(THEN, nodes=nodes, a=behaviour) as system:
            await system.ask()
            await until(lambda: all(replica.in_flight == 0 for replica in system.pools['a'].replicas))
            system.calls.clear()
            left = [o for o in gc.get_objects() if isinstance(o, Walk | Ticket | Group)]
            assert left == []

    gc.collect()
    gc.disable()
    try:
        asyncio.run(check())
    finally:
        gc.enable()


def test_an_error_is_not_the_first_answer_unless_there_is_no_other():
    async def check():
        async with running(THEN, nodes=FIRST, a=silent) as system:
            for last, told in ((worked, ''), (failed, 'a0 failed')):
                system.calls.clear()
                outcome, _ = system.submit()
                await until(lambda: len(system.calls) == 3)
                failed(system.arrived('a0')[0], 'a0')
                failed(system.arrived('a1')[0], 'a1')
                last(system.arrived('a2')[0], 'a2')
                head, _ = await outcome
                assert (head.status.description if head.status else '') == told

    asyncio.run(check())


@pytest.mark.parametrize('nodes', [ALL, FIRST])
def test_a_cancelled_walk_cancels_what_all_replicas_do(nodes):
    async def check():
        async with running(THEN, nodes=nodes, a=silent) as system:
            _, walk = system.submit()
            await until(lambda: len(system.calls) == 3)
            walk.cancel()
            await until(lambda: all(call.cancelled for _, call in system.calls))

    asyncio.run(check())


def test_all_wait_for_the_one_that_is_missing_and_fail_if_it_will_not_come():
    async def check():
        async with running({'a': [GATEWAY]}, nodes=ALL) as system:
            system.servers['a'][0].channel.close()
            await until(lambda: len(system.pools['a'].replicas) == 2)
            outcome, _ = system.submit()
            await until(lambda: len(system.calls) == 2)
            await system.start('a', worked, 'memory:a0 again', 0)
            assert (await outcome)[1] == b'a0(in)a1(in)a2(in)'
            system.servers['a'][-1].channel.close()
            await until(lambda: len(system.pools['a'].replicas) == 2)
            system.pools['a'].give_up(0, 'a0 is gone')
            assert (await system.ask())[0].status.description == 'a0 is gone'

    asyncio.run(check())


def test_a_target_that_is_another_needs_only_one_replica_to_encode():
    async def check():
        async with running({'a': [GATEWAY]}, nodes=ALL) as system:
            await system.ask(target='^b$', accept=JSON)
            [(_, call)] = system.calls
            assert call.head.flags & BYPASS

    asyncio.run(check())


def test_parts_of_an_executor_go_by_its_name_as_targets():
    nodes = {'p/before': {'part_of': 'p'}, 'p': {'part_of': 'p'}, 'q': {}}

    async def check():
        async with running({'p/before': [GATEWAY], 'p': ['p/before'], 'q': ['p']}, nodes=nodes) as system:
            await system.ask(target='^p$')
            assert system.names() == ['p/before', 'p']

    asyncio.run(check())


def test_a_failure_that_is_to_be_ignored_goes_on_with_the_documents_as_they_were_and_is_told():
    async def check():
        async with running(CHAIN, nodes={'b': {'on_error': 'IGNORE'}}, b=failed) as system:
            head, body = await system.ask()
            assert (body, head.status.description) == (b'c(a(in))', 'b failed')

    asyncio.run(check())


def test_one_at_the_end_is_asked_to_encode_them_all_the_same():
    def fails_once(call, name):
        (unchanged if call.head.flags & BYPASS else failed)(call, name)

    async def check():
        async with running(CHAIN, nodes={'c': {'on_error': 'IGNORE'}}, c=fails_once) as system:
            head, body = await system.ask(accept=JSON)
            assert (body, head.status.description) == (b'b(a(in))', 'c failed')
            assert [call.head.flags for call in system.arrived('c')] == [0, BYPASS]

    asyncio.run(check())


def test_one_that_cannot_even_encode_ends_the_request():
    async def check():
        async with running(CHAIN, nodes={'c': {'on_error': 'IGNORE'}}, c=failed) as system:
            head, body = await system.ask(accept=JSON)
            assert (body, head.status.description) == (b'in', 'c failed')

    asyncio.run(check())


def test_a_failure_may_let_the_request_pass_all_others_by():
    async def check():
        async with running(CHAIN, nodes={'a': {'on_error': 'SKIP_HANDLE'}}, a=failed) as system:
            head, body = await system.ask()
            assert (body, head.status.description) == (b'in', 'a failed')
            assert system.names() == ['a']

    asyncio.run(check())


def unreadable(call, name):
    status = Status(StatusCode.ERROR, f'{name} cannot read them', client_error=True)
    call.answer(Head('', '', status=status, routes=[Route(name)]), [])


@pytest.mark.parametrize('on_error', ['THROW_EARLY', 'SKIP_EXECUTOR', 'SKIP_HANDLE'])
def test_documents_that_cannot_be_read_are_not_sent_back(on_error):
    async def check():
        nodes = {'a': {'on_error': on_error}}
        async with running({'a': [GATEWAY], 'b': ['a']}, nodes=nodes, a=unreadable, b=unchanged) as system:
            head, body = await system.ask()
            assert (head.status.description, head.parts, body) == ('a cannot read them', (), b'')

    asyncio.run(check())


def test_what_others_made_of_them_is_sent_back():
    async def check():
        async with running(CHAIN, nodes={'b': {'on_error': 'SKIP_HANDLE'}}, b=unreadable) as system:
            head, body = await system.ask()
            assert (head.status.description, body) == ('b cannot read them', b'a(in)')

    asyncio.run(check())


@pytest.mark.parametrize('behaviour', [worked, failed, silent])
def test_one_that_only_looks_receives_the_documents_and_changes_nothing(behaviour, caplog):
    async def check():
        needs = {'a': [GATEWAY], 'look': ['a'], 'b': ['a']}
        async with running(needs, nodes={'look': {'inspect': True}}, look=behaviour) as system:
            head, body = await system.ask()
            assert (body, head.status) == (b'b(a(in))', None)
            await until(lambda: system.arrived('look'))
            assert bytes(system.arrived('look')[0].body) == b'a(in)'

    asyncio.run(check())
    assert ('in a branch that its answer does not need: look failed' in caplog.text) == (behaviour is failed)


def test_one_that_only_looks_may_be_the_last():
    async def check():
        async with running({'a': [GATEWAY], 'look': ['a']}, nodes={'look': {'inspect': True}}, look=silent) as system:
            assert (await system.ask())[1] == b'a(in)'

    asyncio.run(check())


def test_a_deadline_that_passes_is_the_outcome_and_cancels_what_is_under_way():
    async def check():
        async with running(CHAIN, b=silent) as system:
            head, body = await system.ask(timeout=0.5)
            assert head.status.timed_out
            assert head.status.description == "the deadline of 0.5 s passed while the request was at 'b'"
            assert body == b'in'
            await until(lambda: system.arrived('b')[0].cancelled)

    asyncio.run(check())


def test_who_comes_later_is_told_how_much_time_is_left():
    async def check():
        async with running(CHAIN) as system:
            assert (await system.ask(timeout=9.0))[0].status is None
            left = [call.head.timeout for _, call in system.calls]
            assert 9.0 >= left[0] > left[1] > left[2] > 0

    asyncio.run(check())


@pytest.mark.parametrize('window', [(2, 10_000), (100, 4), (1, 1)])
def test_what_the_windows_do_not_admit_waits_and_leaves_in_order(window):
    async def check():
        async with running({'a': [GATEWAY]}, window=window, a=silent) as system:
            outcomes = [system.submit(b'%02d' % n)[0] for n in range(20)]
            for n in range(20):
                await until(lambda n=n: len(system.calls) > n)
                assert system.pools['a'].replicas[0].in_flight <= 2
                worked(system.calls[n][1], 'a')
            assert [(await o)[1] for o in outcomes] == [b'a(%02d)' % n for n in range(20)]

    asyncio.run(check())


def test_a_cancelled_walk_that_waits_for_a_window_never_leaves():
    async def check():
        async with running({'a': [GATEWAY]}, window=(1, 100), a=silent) as system:
            first, second, third = (system.submit(name) for name in (b'1', b'2', b'3'))
            second[1].cancel()
            for n in range(2):
                await until(lambda n=n: len(system.calls) > n)
                worked(system.calls[n][1], 'a')
            assert [(await o)[1] for o, _ in (first, third)] == [b'a(1)', b'a(3)']
            assert not second[0].done()

    asyncio.run(check())


def test_what_waits_for_a_window_fails_when_the_last_replica_goes_for_good():
    async def check():
        async with running({'a': [GATEWAY]}, window=(1, 100), a=silent) as system:
            outcomes = [system.submit()[0] for _ in range(3)]
            await until(lambda: system.calls)
            system.servers['a'][0].channel.close()
            await until(lambda: not system.pools['a'].replicas)
            system.pools['a'].give_up(0, "Executor 'a' is gone")
            heads = [head for head, _ in await asyncio.wait_for(asyncio.gather(*outcomes), SECONDS)]
            assert all("Executor 'a'" in head.status.description for head in heads)

    asyncio.run(check())


def test_a_request_too_large_for_a_frame_fails_alone(tmp_path):
    async def check():
        async with AsyncExitStack() as stack:
            system = System({'a': [GATEWAY]}, (1, 1000))
            stack.push_async_callback(system.stop)
            await system.start('a', silent, f'unix:{tmp_path}/a')
            huge = b'\xdb\x04\x10\x00\x00' + bytes(0x04100000)  # a head of more than 64 MiB
            outcomes = [system.submit(b'in', parameters=msgspec.Raw(p))[0] for p in (b'\x80', huge, b'\x80')]
            for n in range(2):
                await until(lambda n=n: len(system.calls) > n)
                worked(system.calls[n][1], 'a')
            heads = [head for head, _ in await asyncio.wait_for(asyncio.gather(*outcomes), SECONDS)]
            assert [head.status is None for head in heads] == [True, False, True]

    asyncio.run(check())


def test_a_replica_that_hangs_up_at_once_is_no_replica():
    class Rude(ServerConnection):
        def connected(self, channel):
            channel.close()

    async def check():
        listener = await listen('memory:rude', lambda: Rude(Hello(1, 1), None))
        pool = Pool(NodeSpec(name='a', addresses=['memory:rude']))
        trying = asyncio.get_running_loop().create_task(pool.keep_connected('memory:rude'))
        outcome = asyncio.get_running_loop().create_future()
        Engine(Graph({'a': [GATEWAY]}), {'a': pool}).submit(Head('', ''), b'', lambda h, b: outcome.set_result(h))
        head = await asyncio.wait_for(outcome, SECONDS)
        assert "Executor 'a' does not answer at memory:rude" in head.status.description
        trying.cancel()
        pool.close()
        await listener.close()

    asyncio.run(check())


def test_the_native_door_gives_the_credit_of_cancelled_requests_back():
    async def check():
        async with running({'a': [GATEWAY]}, a=silent) as system:
            door = NativeDoor(system.engine, 'memory:door', 2)
            await door.start()
            client = ClientConnection()
            await connect('memory:door', client)
            await until(lambda: client.hello)
            stream = client.request(Head('id', '/x'), [], lambda h, b: None)
            await until(lambda: system.calls)
            client.cancel(stream)
            try:
                await until(lambda: system.calls[0][1].cancelled)
                await until(lambda: client.in_flight == 0)
            finally:
                await door.stop()
                await until(lambda: client.closed)

    asyncio.run(check())


def test_the_native_door_answers_frames_and_refuses_more_than_its_window():
    async def check():
        async with running({'a': [GATEWAY]}, a=silent) as system:
            door = NativeDoor(system.engine, 'memory:door', 2)
            await door.start()
            client = ClientConnection()
            await connect('memory:door', client)
            await until(lambda: client.hello)
            assert (client.hello.window_count, client.hello.name) == (2, 'gateway')
            answers = []
            for _ in range(2):
                client.request(Head('id', '/x', (Part(MSGPACK, 2),)), [b'in'], lambda h, b: answers.append(bytes(b)))
            await until(lambda: len(system.calls) == 2)
            for _, call in system.calls:
                worked(call, 'a')
            await until(lambda: len(answers) == 2)
            assert answers == [b'a(in)'] * 2
            for n in range(3):
                client.channel.send(Kind.REQUEST, 10 + n, b'\x92\xa1i\xa2/x', [])
            await until(lambda: client.closed)
            await door.stop()

    asyncio.run(check())


@st.composite
def graphs(draw):
    """Needs of up to seven nodes, each of those before it."""
    names = 'abcdefg'[: draw(st.integers(1, 7))]
    return {
        name: draw(st.lists(st.sampled_from([GATEWAY, *names[:n]]), min_size=1, max_size=3, unique=True))
        for n, name in enumerate(names)
    }


def oracle(needs, name):
    if name == GATEWAY:
        return 'in'
    return f'{name}({"".join(oracle(needs, other) for other in needs[name])})'


@settings(max_examples=40, deadline=None)
@given(graphs())
def test_every_graph_gives_what_its_picture_says(needs):
    async def check():
        async with running(needs) as system:
            head, body = await system.ask()
            assert head.status is None
            assert body.decode() == oracle(needs, list(needs)[-1])
            assert len(set(system.names())) == len(system.calls)

    asyncio.run(check())


@settings(max_examples=40, deadline=None)
@given(graphs(), st.data())
def test_whoever_fails_there_is_one_outcome_and_nothing_follows(needs, data):
    broken = data.draw(st.sampled_from(sorted(needs)))

    async def check():
        async with running(needs, **{broken: failed}) as system:
            head, _ = await system.ask()
            told = head.status.description if head.status else None
            end = list(needs)[-1]
            assert told == f'{broken} failed' if broken in ancestors(needs, end) else told in (None, f'{broken} failed')
            for name in system.names():
                assert broken not in ancestors(needs, name) - {name}

    asyncio.run(check())


def ancestors(needs, name):
    if name == GATEWAY:
        return set()
    return {name}.union(*(ancestors(needs, other) for other in needs[name]))


@pytest.mark.parametrize('needs', [['a', 'a'], [GATEWAY, GATEWAY]])
def test_who_needs_another_twice_gets_it(needs):
    async def check():
        async with running({'a': [GATEWAY], 'b': needs}) as system:
            await system.ask()

    asyncio.run(check())
