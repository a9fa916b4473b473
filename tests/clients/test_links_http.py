"""The link to an HTTP server, with servers on the other end that do what they should not."""

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess

import pytest

from jina.clients.address import Address
from jina.clients.http import MOST_CONNECTIONS, open_http
from jina.excepts import ServerUnreachable
from jina.types.request import StatusCode
from jina.wire.head import JSON, Head, Part

HOST = '127.0.0.1'
SECONDS = 20
BODY = b'{"docs":[{"id":"1","text":"a"}]}'
ANSWER = json.dumps(
    {
        'requestId': 'theirs',
        'data': {'docs': [{'id': '1', 'text': 'b'}], 'groundtruths': []},
        'header': {'execEndpoint': '/x', 'targetPeapod': '', 'noPropagate': False},
        'parameters': {'k': 5},
        'routes': [
            {'pod': 'gateway', 'podId': 'g', 'startTime': '1970-01-01T00:00:01+00:00', 'endTime': None, 'status': None}
        ],
        'status': {'code': 0, 'description': '', 'exception': None},
    }
).encode()


def http(body=ANSWER, status='200 OK', headers=()):
    """The bytes of a response."""
    lines = [f'HTTP/1.1 {status}', f'content-length: {len(body)}', *headers]
    return '\r\n'.join([*lines, '\r\n']).encode() + body


class Server:
    """Answers requests with what it is given, in turn; the last for ever.

    An answer is bytes, a function of nothing that returns bytes when it is awaited, or ``None``: close the connection.
    """

    def __init__(self, *answers):
        self.answers = list(answers)
        self.requests, self.connections, self.writers, self.tasks = [], 0, [], []

    async def serve(self, reader, writer):
        self.connections += 1
        self.writers.append(writer)
        self.tasks.append(asyncio.current_task())
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while await self.answer(reader, writer):
                await writer.drain()
        writer.close()

    async def end(self):
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks)
        await asyncio.sleep(0)  # for what closing has scheduled

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b'\r\n\r\n')).decode().lower()
        size = int(head.split('content-length: ')[1].split('\r\n')[0])
        self.requests.append((head, json.loads(await reader.readexactly(size))))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if answer is not None:
            writer.write(answer if isinstance(answer, bytes) else await answer())
        return answer is not None


@contextlib.asynccontextmanager
async def linked(*answers, tls=None, path=''):
    server = Server(*answers)
    listener = await asyncio.start_server(server.serve, HOST, 0, ssl=tls)
    port = listener.sockets[0].getsockname()[1]
    try:
        link = await open_http(Address('http', 'localhost' if tls else HOST, port, tls is not None, path))
        yield server, link
        await link.close()
    finally:
        listener.close()
        await server.end()


def ask(link, body=BODY, **head):
    outcome = asyncio.get_running_loop().create_future()
    parts = (Part(JSON, len(body)),) if body else ()
    sent = Head('mine', '/x', parts, JSON, **head)
    outcome.stream = link.request(
        sent, [body] if body else [], lambda *answer: outcome.done() or outcome.set_result(answer)
    )
    return outcome


def run(main):
    async def limited():
        async with asyncio.timeout(SECONDS):
            await main()

    asyncio.run(limited())


class TestAnswers:
    def test_what_is_sent_and_what_is_read(self):
        async def main():
            async with linked(http()) as (server, link):
                head, body = await ask(link, target='p.*', timeout=2.5, parameters=b'\x81\xa1k\x05')
                assert json.loads(body)['docs'] == [{'id': '1', 'text': 'b'}]
                assert (head.request_id, head.status, bytes(head.parameters)) == ('theirs', None, b'\x81\xa1k\x05')
                assert [(r.pod, r.pod_id, r.start, r.end) for r in head.routes] == [('gateway', 'g', 1, 0)]
                [(lines, asked)] = server.requests
                assert lines.startswith('post /post http/1.1\r\n')
                assert 'jina-timeout: 2.5\r\n' in lines
                assert asked == {
                    'requestId': 'mine', 'execEndpoint': '/x', 'parameters': {'k': 5}, 'targetPeapod': 'p.*',
                    'data': [{'id': '1', 'text': 'a'}],
                }  # fmt: skip

        run(main)

    def test_no_documents_and_a_path(self):
        async def main():
            async with linked(http(), path='/a') as (server, link):
                await ask(link, b'')
                [(lines, asked)] = server.requests
                assert lines.startswith('post /a/post ')
                assert 'timeout' not in lines
                assert asked == {'requestId': 'mine', 'execEndpoint': '/x', 'parameters': {}}

        run(main)

    def test_both_sides(self):
        async def main():
            async with linked(http()) as (server, link):
                await ask(link, b'{"docs":[{"id":"1"}],"groundtruths":[{"id":"2"}]}')
                assert server.requests[0][1]['data'] == {'docs': [{'id': '1'}], 'groundtruths': [{'id': '2'}]}

        run(main)

    @pytest.mark.parametrize(
        'answer',
        [
            http(headers=['connection: close']),
            b'HTTP/1.1 100 Continue\r\n\r\n' + http(),
            b'HTTP/1.0 200 OK\r\n\r\n' + ANSWER,
            b'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n' % (len(ANSWER), ANSWER),
        ],
        ids=['close', 'continue', 'until the end', 'chunked'],
    )
    def test_every_form_of_http(self, answer, until):
        async def main():
            async with linked(answer) as (server, link):
                if b'HTTP/1.0' in answer:
                    server.answers = [answer, None]
                    outcome = ask(link)
                    await until(lambda: server.requests)
                    server.writers[0].close()
                    head, _ = await outcome
                    assert head.request_id == 'theirs'
                    return
                for _ in range(3):
                    assert (await ask(link))[0].request_id == 'theirs'

        run(main)

    def test_an_error_comes_with_the_documents_that_were_sent(self):
        raised = {'name': 'ValueError', 'args': ['x'], 'stacks': ['line'], 'executor': 'Mine'}
        status = {'code': 3, 'description': 'it failed', 'exception': None}
        ours = {'routes': [], 'status': {**status, 'exception': raised}}
        theirs = {'routes': [{'pod': 'a'}, {'pod': 'b', 'status': {**status, 'exception': raised}}], 'status': status}

        async def main():
            for answer in (ours, theirs, {**ours, 'data': {'docs': []}}):
                async with linked(http(json.dumps(answer).encode(), '500 Oh')) as (_, link):
                    head, body = await ask(link)
                    assert (body, head.parts) == (BODY, (Part(JSON, len(BODY)),))
                    assert (head.status.code, head.status.description) == (StatusCode.ERROR, 'it failed')
                    assert (head.status.exception.name, head.status.exception.executor) == ('ValueError', 'Mine')
                    assert not head.status.client_error

        run(main)

    @pytest.mark.parametrize(('code', 'is_clients'), [(400, True), (413, True), (422, True), (502, False)])
    def test_a_request_that_is_refused_by_somebody_else(self, code, is_clients):
        async def main():
            refused = http(b'<html>\n  no ' + b'x' * 1000, f'{code} Nope')
            async with linked(refused, http()) as (_, link):
                head, body = await ask(link)
                assert f'answers {code} Nope: <html> no xx' in head.status.description
                assert len(head.status.description) < 300
                assert (head.status.client_error, body) == (is_clients, BODY)
                assert (await ask(link))[0].status is None

        run(main)


class TestConnections:
    def test_one_is_kept_for_the_next_request(self):
        async def main():
            async with linked(http()) as (server, link):
                for _ in range(10):
                    await ask(link)
                assert server.connections == 1

        run(main)

    def test_requests_travel_side_by_side_up_to_the_window(self, until):
        async def main():
            release = asyncio.Event()

            async def later():
                await release.wait()
                return http()

            async with linked(later) as (server, link):
                outcomes = [ask(link) for _ in range(MOST_CONNECTIONS)]
                assert not link.admits(0)
                changed = asyncio.Event()
                link.on_change = changed.set
                await until(lambda: len(server.requests) == MOST_CONNECTIONS)
                release.set()
                await changed.wait()
                assert link.admits(0)
                await asyncio.gather(*outcomes)
                assert server.connections == MOST_CONNECTIONS

        run(main)

    def test_one_that_the_server_has_closed_is_not_used_again(self, until):
        async def main():
            async with linked(http()) as (server, link):
                await ask(link)
                server.writers[0].close()
                await until(lambda: not link._idle)
                await ask(link)
                assert server.connections == 2
                assert not link.closed

        run(main)

    def test_one_that_was_idle_for_long_is_not_used_again(self, monkeypatch):
        async def main():
            async with linked(http()) as (server, link):
                await ask(link)
                monkeypatch.setattr('jina.clients.http1.MAX_IDLE_SECONDS', 0)
                await ask(link)
                assert server.connections == 2

        run(main)

    @pytest.mark.parametrize('answered', [False, True])
    def test_a_cancelled_request_closes_its_connection(self, answered, until):
        async def main():
            async def never():
                await asyncio.Event().wait()

            async with linked(never, http()) as (server, link):
                outcome = ask(link)
                await until(lambda: server.requests or not answered)
                link.cancel(outcome.stream)
                assert link.admits(1 << 40)
                if not answered:
                    server.answers = [http()]
                assert (await ask(link))[0].status is None
                assert not outcome.done()
                link.cancel(outcome.stream)

        run(main)

    def test_tls(self, tmp_path, monkeypatch):
        key, certificate = tmp_path / 'key', tmp_path / 'certificate'
        command = ['openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=localhost', '-days', '2']
        command += ['-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', certificate]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except OSError:
            pytest.skip('there is no openssl here')
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)

        async def main():
            with pytest.raises(ServerUnreachable, match='certificate'):
                async with linked(http(), tls=context):
                    pass
            monkeypatch.setenv('SSL_CERT_FILE', str(certificate))
            async with linked(http(), tls=context) as (_, link):
                assert (await ask(link))[0].request_id == 'theirs'

        run(main)


class TestServersThatAreNone:
    @pytest.mark.parametrize(
        ('answer', 'why'),
        [
            (http(b'<html>Welcome', '404 Not Found'), 'is no Flow: it answers 404 Not Found to POST /post: <html>Wel'),
            (http(b'<html>Welcome'), 'is no Flow: it answers 200 OK'),
            (http(b'{"my": "api"}'), 'is no Flow'),
            (http(b'', '302 Found'), 'is no Flow: it answers 302 Found'),
            (b'SSH-2.0-OpenSSH\r\n', 'not HTTP'),
            (None, 'it closed the connection'),
            (b'HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345', 'it closed the connection'),
        ],
    )
    def test_every_request_gets_an_outcome_that_says_why(self, answer, why, until):
        async def main():
            async def first():
                await until(lambda: len(server.requests) == 2)
                return answer or b''

            async def other():
                await asyncio.Event().wait()

            async with linked(first, other) as (server, link):
                outcomes = [ask(link), ask(link)]
                await until(lambda: len(server.requests) == 2)
                await asyncio.sleep(0)
                for writer in server.writers if not answer or answer.endswith(b'12345') else ():
                    await writer.drain()
                    writer.close()
                for head, body in await asyncio.gather(*outcomes):
                    assert why in head.status.description
                    assert f'http://{HOST}:' in head.status.description
                    assert body == b''
                assert (link.closed, link.admits(0)) == (True, False)

        run(main)

    def test_one_that_speaks_first(self, until):
        async def main():
            async with linked(http()) as (server, link):
                await ask(link)
                server.writers[0].write(b'hello')
                await until(lambda: not link._idle)
                assert (await ask(link))[0].status is None

        run(main)

    def test_one_that_says_nothing(self):
        async def main():
            with socket.socket() as full:  # it listens, and accepts nobody
                full.bind((HOST, 0))
                port = full.getsockname()[1]
                with pytest.raises(ServerUnreachable, match=f'nothing answers at http://{HOST}:{port}: '):
                    await open_http(Address('http', HOST, port), timeout=0.2)

        run(main)

    def test_one_that_is_gone_when_a_connection_more_is_needed(self):
        async def main():
            async def never():
                await asyncio.Event().wait()

            server = Server(never)
            listener = await asyncio.start_server(server.serve, HOST, 0)
            link = await open_http(Address('http', HOST, listener.sockets[0].getsockname()[1]))
            listener.close()
            outcomes = [ask(link), ask(link)]
            for head, _ in await asyncio.gather(*outcomes):
                assert 'refused' in head.status.description.lower()
            assert link.closed
            await link.close()
            await server.end()

        run(main)

    def test_close_ends_what_is_waiting(self):
        async def main():
            async def never():
                await asyncio.Event().wait()

            async with linked(never) as (_, link):
                outcomes = [ask(link), ask(link)]
                await link.close()
                await link.drained()
                for head, _ in await asyncio.gather(*outcomes):
                    assert 'closed' in head.status.description

        run(main)
