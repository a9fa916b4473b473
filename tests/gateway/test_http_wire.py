"""The short way of HTTP requests, byte by byte: an engine that the test holds, and clients of raw sockets."""

import asyncio
import contextlib
import json
from contextlib import asynccontextmanager

import pytest
import uvicorn
import uvloop
from http_serving import web
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from jina.gateway import call, shortway
from jina.gateway.http import HttpDoor
from jina.gateway.shortway import ShortWay
from jina.graph import Graph
from jina.spec import DoorSpec
from jina.wire.head import JSON, Head, Part

DOCS = b'{"docs":[]}'
SECONDS = 20


class Walk:
    """One request that the engine was given."""

    def __init__(self, head, body, reply):
        self.head, self.body, self.reply = head, bytes(body), reply
        self.cancelled = False

    def cancel(self):
        self.cancelled = True

    def end(self, data=DOCS):
        head = self.head
        self.reply(Head(head.request_id, head.endpoint, (Part(JSON, len(data)),)), data)


class HeldEngine:
    """Keeps what it is given, until the test ends it; or ends it at once."""

    def __init__(self, at_once=False):
        self.graph = Graph({'a': ['gateway']})
        self.at_once = at_once
        self.walks = []

    def submit(self, head, body, reply):
        walk = Walk(head, body, reply)
        self.walks.append(walk)
        if self.at_once:
            walk.end()
        return walk


class Peer:
    """A client that says bytes."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer

    def say(self, *requests):
        self.writer.write(b''.join(requests))

    async def answer(self):
        """(status, headers, body) of the next one."""
        head = await asyncio.wait_for(self.reader.readuntil(b'\r\n\r\n'), SECONDS)
        line, *lines = head.decode().split('\r\n')[:-2]
        headers = dict(line.split(': ', 1) for line in lines)
        body = await asyncio.wait_for(self.reader.readexactly(int(headers.get('content-length', 0))), SECONDS)
        return int(line.split()[1]), headers, body

    async def closed(self):
        return await asyncio.wait_for(self.reader.read(), SECONDS) == b''


def post(body=b'{"data":["x"]}', path='/index', *headers, version='1.1'):
    lines = [f'POST {path} HTTP/{version}', 'host: x', f'content-length: {len(body)}', *headers, '', '']
    return '\r\n'.join(lines).encode() + body


@asynccontextmanager
async def door_to(engine, **options):
    door = HttpDoor(engine, DoorSpec(protocol='http'), web(**options))
    port = door.bind()
    await door.serve()
    peers = []

    async def connect():
        peers.append(Peer(*await asyncio.open_connection('127.0.0.1', port, limit=1 << 26)))
        return peers[-1]

    try:
        yield door, connect
    finally:
        for peer in peers:
            peer.writer.transport.abort()
        await door.stop()


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=['asyncio', 'uvloop'])
def run(request):
    return request.param


def test_pipelined_requests_are_answered_in_order_and_begun_one_after_the_other(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(post(path='/index'), b'GET /status HTTP/1.1\r\nhost: x\r\n\r\n', post(path='/search'), post(b'{'))
            await until(lambda: len(engine.walks) == 1)
            engine.walks[0].end()
            assert json.loads((await peer.answer())[2])['header']['execEndpoint'] == '/index'
            assert 'executors' in json.loads((await peer.answer())[2])
            await until(lambda: len(engine.walks) == 2)
            engine.walks[1].end()
            assert json.loads((await peer.answer())[2])['header']['execEndpoint'] == '/search'
            assert (await peer.answer())[0] == 400
            peer.say(post())
            await until(lambda: len(engine.walks) == 3)

    run(check())


@pytest.mark.parametrize('request_bytes', [post(version='1.0'), post(b'{}', '/index', 'connection: close')])
def test_a_connection_that_shall_not_be_kept_is_closed_after_the_answer(run, request_bytes):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(request_bytes, post())
            status, headers, _ = await peer.answer()
            assert (status, headers['connection']) == (200, 'close')
            assert await peer.closed()
            assert len(engine.walks) == 1, 'what came after the last request was worked on'

    run(check())


def test_a_client_that_asks_first_is_told_to_go_on(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (_, connect):
            peer = await connect()
            head, _, body = post(b'{}', '/index', 'expect: 100-continue').partition(b'\r\n\r\n')
            peer.say(post(), head + b'\r\n\r\n')
            await until(lambda: engine.walks)
            engine.walks[0].end()
            assert (await peer.answer())[0] == 200
            assert (await peer.answer())[0] == 100
            peer.say(body)
            await until(lambda: len(engine.walks) == 2)
            engine.walks[1].end()
            assert (await peer.answer())[0] == 200

    run(check())


@pytest.mark.parametrize('chunked', [False, True])
def test_a_client_that_would_rather_speak_another_protocol_loses_nothing(run, chunked):
    wish = ('Connection: Upgrade, close', 'Upgrade: h2c')
    said = post(b'{"data":["x"]}', '/index', *wish)
    if chunked:
        said = said.replace(b'content-length: 14', b'transfer-encoding: chunked')
        said = said.replace(b'\r\n\r\n', b'\r\n\r\ne\r\n') + b'\r\n0\r\n\r\n'

    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(said)
            assert (await peer.answer())[0] == 200
            assert engine.walks[0].body == b'["x"]'
            assert await peer.closed()

    run(check())


def test_a_body_in_chunks_is_put_together(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (_, connect):
            peer = await connect()
            chunks = [b'{"da', b'ta":[', b'"x"]}']
            body = b''.join(b'%x\r\n%b\r\n' % (len(c), c) for c in (*chunks, b''))
            peer.say(b'POST /index HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n', body)
            await until(lambda: engine.walks)
            assert engine.walks[0].body == b'["x"]'

    run(check())


@pytest.mark.parametrize(
    'begin',
    [
        b'POST /index HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 101\r\n\r\n',
        b'POST /index HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n65\r\n' + b'x' * 101,
    ],
    ids=['declared', 'chunked'],
)
def test_a_body_that_is_too_large_is_refused_before_it_has_arrived(run, begin, monkeypatch):
    monkeypatch.setattr(call, 'MAX_BODY', 100)

    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(begin)
            status, headers, body = await peer.answer()
            assert (status, headers['connection']) == (413, 'close')
            assert 'larger than 100 bytes' in json.loads(body)['status']['description']
            peer.say(b'y' * 50)  # it may go on for a while without being cut off
            await peer.writer.drain()
            assert not engine.walks

    run(check())


def test_a_client_that_goes_on_sending_what_was_refused_is_cut_off_in_the_end(run, monkeypatch):
    monkeypatch.setattr(shortway, 'LINGER_SECONDS', 0.05)

    async def check():
        async with door_to(HeldEngine()) as (_, connect):
            peer = await connect()
            peer.say(b'POST /index HTTP/1.1\r\ncontent-length: %d\r\n\r\n' % (2 << 30))
            assert (await peer.answer())[0] == 413
            assert await peer.closed()

    run(check())


@pytest.mark.parametrize(
    'said',
    [b'NONSENSE\r\n\r\n', b'POST /index HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n', b'\x16\x03\x01\x02\x00'],
)
def test_what_is_no_http_is_told_so_after_what_came_before(run, said, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(post(), said)
            await until(lambda: engine.walks)
            engine.walks[0].end()
            assert (await peer.answer())[0] == 200
            status, headers, body = await peer.answer()
            assert (status, headers['content-type']) == (400, 'application/json')
            assert 'cannot be read as HTTP' in json.loads(body)['status']['description']
            assert await peer.closed()

    run(check())


@pytest.mark.parametrize('endless', [b'x-%d: ' + b'a' * 1000 + b'\r\n', b'b' * 1000], ids=['many', 'one'])
def test_headers_without_end_are_cut_off(run, endless):
    async def check():
        async with door_to(HeldEngine(at_once=True)) as (_, connect):
            peer = await connect()
            peer.say(post(), b'GET /status HTTP/1.1\r\nx: ')
            assert (await peer.answer())[0] == 200
            for n in range(70):
                peer.say(endless.replace(b'%d', b'%d' % n))
            status, _, body = await peer.answer()
            assert status == 431
            assert 'larger than 65,536 bytes' in json.loads(body)['status']['description']
            assert await peer.closed()

    run(check())


@pytest.mark.parametrize('line', [b'x: %b\r\n' % (b'a' * 70_000), b'x: y\r\n' * 12_000], ids=['one', 'many'])
@pytest.mark.parametrize('upgrade', [b'', b'connection: upgrade\r\nupgrade: h2c\r\n'])
def test_headers_that_are_too_large_are_refused_even_if_they_come_at_once(run, line, upgrade):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            for path in (b'POST /post', b'POST /status', b'GET /status'):
                peer = await connect()
                head = b'%b HTTP/1.1\r\ncontent-length: 2\r\n%b' % (path, upgrade)
                peer.say(post() + head + line + b'\r\n{}' + post())
                assert (await peer.answer())[0] == 200
                status, _, body = await peer.answer()
                assert status == 431
                assert 'larger than 65,536 bytes' in json.loads(body)['status']['description']
                assert len(engine.walks) in (1, 2)
                engine.walks.clear()

    run(check())


def test_a_large_body_makes_no_large_head(run):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            peer = await connect()
            body = b'{"execEndpoint":"/x","data":["%b"]}' % (b'a' * 200_000)
            peer.say(post(body) * 3)
            assert [(await peer.answer())[0] for _ in range(3)] == [200] * 3

    run(check())


def test_a_client_that_does_not_read_is_not_worked_for(run, until):
    async def check():
        engine = HeldEngine()
        large = b'{"docs":["' + b'x' * (16 << 20) + b'"]}'
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.reader._limit = 1000  # asyncio's client stops to read at twice that
            peer.say(post())
            await until(lambda: engine.walks)
            engine.walks[0].end(large)
            peer.say(post(), post())
            probe = await connect()
            for n in range(3):  # so long that the two would have been seen
                probe.say(post(path='/search'))
                await until(lambda n=n: sum(w.head.endpoint == '/search' for w in engine.walks) == n + 1)
                engine.walks[-1].end()
                assert (await probe.answer())[0] == 200
            assert sum(w.head.endpoint == '/index' for w in engine.walks) == 1
            engine.at_once = True
            peer.reader._limit = 1 << 26
            assert len((await peer.answer())[2]) > len(large)
            assert [(await peer.answer())[0] for _ in range(2)] == [200, 200]

    run(check())


def test_a_client_that_goes_away_cancels_what_it_asked_for(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (door, connect):
            peers = [await connect() for _ in range(100)]
            for peer in peers:
                peer.say(post(), post())
            half = await connect()
            half.say(post()[:-3])
            await until(lambda: len(engine.walks) == 100 and len(door._server.connections) == 101)
            for peer in (*peers, half):
                peer.writer.transport.abort()
            await until(lambda: all(walk.cancelled for walk in engine.walks))
            await until(lambda: not door._server.connections)
            engine.walks[0].end()  # an answer that comes all the same goes nowhere
            assert len(engine.walks) == 100, 'a request whose client was gone was begun'

    run(check())


def test_open_requests_are_answered_while_the_door_closes(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (door, connect):
            peer = await connect()
            idle = await connect()
            peer.say(post())
            await until(lambda: engine.walks)
            stopping = asyncio.create_task(door.stop())
            assert await idle.closed()
            engine.walks[0].end()
            assert (await peer.answer())[0] == 200
            assert await peer.closed()
            await stopping

    run(check())


def test_what_takes_longer_than_that_is_told_so(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (door, connect):
            peer, half = await connect(), await connect()
            peer.say(post())
            half.say(post()[:-3])
            await until(lambda: engine.walks and len(door._server.connections) == 2)
            await asyncio.wait_for(door.stop(), SECONDS)
            for one in (peer, half):
                status, headers, body = await one.answer()
                assert (status, headers['connection']) == (503, 'close')
                assert 'is being closed' in json.loads(body)['status']['description']
                assert await one.closed()
            assert engine.walks[0].cancelled

    run(check())


def test_more_clients_than_the_limit_are_told_to_come_again(run, until):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (door, connect):
            door.max_connections = 2
            first, second, third = [await connect() for _ in range(3)]
            await until(lambda: len(door._server.connections) == 3)
            for peer, expected in ((first, 200), (second, 200), (third, 503)):
                peer.say(post())
                assert (await peer.answer())[0] == expected
            assert await third.closed()
            second.writer.close()
            await until(lambda: len(door._server.connections) == 1)
            again = await connect()
            again.say(b'GET /status HTTP/1.1\r\n\r\n')
            assert (await again.answer())[0] == 200

    run(check())


async def lose_patience(door, until, arrived=lambda connection: True):
    """From now on, when that has arrived, the only connection of a door is not left silent for long."""
    await until(lambda: door._server.connections and arrived(door._server.connections[0]))
    [connection] = door._server.connections
    connection._patience = 0.01
    connection.timeout_keep_alive_handler()
    return connection


def has_begun_a_request(connection):
    return connection._unread or (connection.current is not None and not connection.current.arrived)


@pytest.mark.parametrize('said', [b'', post()], ids=['never spoke', 'is idle'])
def test_a_connection_that_is_silent_is_closed(run, until, said):
    async def check():
        async with door_to(HeldEngine(at_once=True)) as (door, connect):
            peer = await connect()
            peer.say(said)
            if said:
                assert (await peer.answer())[0] == 200
            await lose_patience(door, until)
            assert await peer.closed()

    run(check())


@pytest.mark.parametrize('said', [post()[:-3], post()[:20], post()[:4]], ids=['body', 'head', 'method'])
@pytest.mark.parametrize('earlier', [b'', post()], ids=['first', 'later'])
def test_who_sends_half_a_request_and_no_more_is_told(run, until, said, earlier):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (door, connect):
            peer = await connect()
            peer.say(earlier)
            if earlier:
                assert (await peer.answer())[0] == 200
            peer.say(said)
            await lose_patience(door, until, has_begun_a_request)
            status, headers, body = await peer.answer()
            assert (status, headers['connection']) == (408, 'close')
            assert 'did not come within 0.01 s' in json.loads(body)['status']['description']
            assert await peer.closed()
            assert len(engine.walks) == bool(earlier)

    run(check())


def test_half_a_request_has_its_time_when_the_one_before_it_is_answered(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (door, connect):
            peer = await connect()
            peer.say(post() + post()[:-3])
            connection = await lose_patience(door, until, lambda _: engine.walks)
            before = connection.timeout_keep_alive_task
            await until(lambda: connection.timeout_keep_alive_task is not before)
            engine.walks[0].end()
            assert [(await peer.answer())[0] for _ in range(2)] == [200, 408]
            assert await peer.closed()

    run(check())


def test_a_connection_is_not_idle_while_a_request_is_under_way(run, until):
    async def check():
        engine = HeldEngine()
        async with door_to(engine) as (door, connect):
            peer = await connect()
            peer.say(post())
            connection = await lose_patience(door, until, lambda _: engine.walks)
            before = connection.timeout_keep_alive_task
            await until(lambda: connection.timeout_keep_alive_task is not before)  # it has looked, and looks again
            engine.walks[0].end()
            assert (await peer.answer())[0] == 200
            assert await peer.closed()

    run(check())


def test_answers_have_the_date_that_the_server_has_now():
    door = HttpDoor(HeldEngine(), DoorSpec(protocol='http'), web())
    for date in (b'today', b'tomorrow'):
        assert b'date: %b\r\n' % date in door.header_lines([(b'date', date)])


@pytest.mark.parametrize(
    ('value', 'timeout'),
    [('1', 1.0), ('0.25', 0.25), ('0', None), ('-1', None), ('soon', None), ('inf', None), ('nan', None), ('', None)],
)
def test_a_client_says_how_long_it_will_wait(value, timeout):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            peer = await connect()
            peer.say(post(b'{}', '/index', f'Jina-Timeout: {value}'))
            status, _, body = await peer.answer()
            if timeout is None:
                assert status == 400
                assert 'jina-timeout' in json.loads(body)['status']['description']
            else:
                assert status == 200
                assert engine.walks[0].head.timeout == timeout

    asyncio.run(check())


@pytest.mark.parametrize(
    ('kind', 'expected'),
    [
        ('application/json', 200),
        ('APPLICATION/JSON; charset=utf-8', 200),
        ('text/json', 200),
        ('application/vnd.api+json', 200),
        ('', 200),
        ('text/plain', 415),
        ('application/x-www-form-urlencoded', 415),
        ('multipart/form-data; boundary=json', 415),
        ('application/jsonl', 415),
    ],
)
def test_only_json_is_read(kind, expected):
    async def check():
        async with door_to(HeldEngine(at_once=True)) as (_, connect):
            peer = await connect()
            peer.say(post(b'{}', '/index', f'content-type: {kind}'))
            status, _, body = await peer.answer()
            assert status == expected
            if expected == 415:
                assert "curl: -H 'content-type: application/json'" in json.loads(body)['status']['description']
            peer.say(post())
            assert (await peer.answer())[0] == 200, 'the connection was lost'

    asyncio.run(check())


def test_a_gateway_that_fails_says_so_and_goes_on(caplog):
    async def check():
        engine = HeldEngine(at_once=True)
        async with door_to(engine) as (_, connect):
            peer = await connect()
            engine.graph = None
            peer.say(post())
            assert (await peer.answer())[0] == 500
            engine.graph = Graph({})
            peer.say(post())
            assert (await peer.answer())[0] == 200

    asyncio.run(check())
    assert "the gateway failed on a request for '/index'" in caplog.text


PIECES = {
    'a query': (post(path='/index?a=b'), 200),
    'escapes': (post(path='/%69ndex'), 200),
    'a host': (post(path='http://x/index'), 200),
    'plain': (post(), 200),
    'chunked': (b'POST /index HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n', 200),
    'empty': (b'POST /index HTTP/1.1\r\ncontent-length: 0\r\n\r\n', 200),
    'HTTP/2 wanted': (
        post(b'{}', '/index', 'Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: A'),
        200,
    ),
    'WebSocket wanted': (b'GET /status HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', 200),
    'not JSON': (post(b'{'), 400),
    'status': (b'GET /status HTTP/1.1\r\n\r\n', 200),
    'nothing there': (post(path='/nothing'), 404),
    'wrong method': (b'PATCH /index HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}', 405),
}


class Recorder(asyncio.Transport):
    """A transport that keeps what it is told to send."""

    def __init__(self):
        super().__init__()
        self.sent = b''
        self.closing = False

    def write(self, data):
        self.sent += bytes(data)

    def writelines(self, pieces):
        self.sent += b''.join(pieces)

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass

    def close(self):
        self.closing = True

    def is_closing(self):
        return self.closing


def _statuses(data):
    found = []
    while data:
        head, _, rest = data.partition(b'\r\n\r\n')
        line, *lines = head.decode().split('\r\n')
        length = next(int(line.split(': ')[1]) for line in lines if line.startswith('content-length'))
        found.append(int(line.split()[1]))
        data = rest[length:]
    return found


def _unconnected(engine):
    """A connection, and what it believes to be its transport."""
    door = HttpDoor(engine, DoorSpec(protocol='http'), web())
    config = uvicorn.Config(door._pages, lifespan='off', log_config=None, ws='none', access_log=False)
    connection, transport = ShortWay(door, config=config, server_state=ServerState(), app_state={}), Recorder()
    connection.connection_made(transport)
    return connection, transport


def test_a_request_is_not_begun_for_a_client_that_goes_just_then():
    async def check():
        engine = HeldEngine()
        connection, transport = _unconnected(engine)
        connection.data_received(post() + post())
        engine.walks[0].end()
        transport.close()
        connection.connection_lost(None)
        await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))
        assert len(engine.walks) == 1

    asyncio.run(check())


@settings(max_examples=150, deadline=None)
@given(names=st.lists(st.sampled_from(sorted(PIECES)), min_size=1, max_size=5), data=st.data())
def test_it_makes_no_difference_how_the_bytes_arrive(until, names, data):
    stream = b''.join(PIECES[name][0] for name in names)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    yields = data.draw(st.lists(st.booleans(), min_size=len(cuts) + 1, max_size=len(cuts) + 1))

    async def check():
        connection, transport = _unconnected(HeldEngine(at_once=True))
        for start, end, wait in zip([0, *cuts], [*cuts, len(stream)], yields, strict=True):
            if start < end:
                connection.data_received(stream[start:end])
            if wait:
                await asyncio.sleep(0)
        await until(lambda: len(_statuses(transport.sent)) == len(names))
        assert _statuses(transport.sent) == [PIECES[name][1] for name in names]
        assert not transport.closing
        connection.connection_lost(None)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*(asyncio.all_tasks() - {asyncio.current_task()}))

    asyncio.run(check())
