"""The short way of an HTTP request, for paths that carry documents: from the parser to the engine, without ASGI.

uvicorn makes a task, a scope and several events for each request. Here a request is one object, which is handed over
when its body is complete, and its answer leaves with one write. All other paths go the way that uvicorn has for them,
on the same connection and in the same order: to uvicorn, a :class:`Call` looks like one of its own cycles.
"""

import asyncio
import re
from http import HTTPStatus
from typing import Any, cast
from urllib.parse import unquote_to_bytes

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from jina.gateway import call as calls
from jina.gateway.call import Call, Door, too_large
from jina.gateway.deadline import HEADER, seconds
from jina.wire.head import Body, body_size

LARGE = 64 << 10  # from this size on, to copy an answer costs more than to send its pieces
MAX_HEAD = 64 << 10  # bytes that may arrive without being of a body
MAX_PIPELINED = 16  # requests of one connection that may wait for the one before them
LINGER_SECONDS = 2.0  # how long a client may go on sending what was refused before it reads why
BUSY_SECONDS = 1.0  # how long a client may be silent that came when there were too many

_JSON_TYPE = re.compile(rb'\s*(application|text)/([\w.+-]+\+)?json\s*(;|$)', re.IGNORECASE)
_STATUS_LINES = {status.value: f'HTTP/1.1 {status.value} {status.phrase}\r\n'.encode() for status in HTTPStatus}
_TIMEOUT = HEADER.encode()
_OF_UPGRADES = (b'upgrade', b'connection', b'http2-settings')
_HEAD_TOO_LARGE = f'the headers are larger than {MAX_HEAD:,} bytes'
_TYPE_WANTED = "send JSON, and say so; with curl: -H 'content-type: application/json'"


class ShortWay(HttpToolsProtocol):
    """A connection. What is not here is uvicorn's.

    :ivar current: the call that was begun last, until it is answered.
    """

    def __init__(self, door: Door, **of_uvicorn: Any) -> None:
        super().__init__(**of_uvicorn)
        self.door = door
        self.current: Call | None = None
        self._held: Call | None = None
        self._busy = False
        self._broken = False
        self._unread = 0
        self._much = False  # so much came at once that a head may be too large, although it is complete
        self._plain_head = b''
        self._patience = 0.0  # seconds that the client may be silent when it is its turn
        self._since = 0.0  # when it was last heard, or answered, on the loop's clock

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        super().connection_made(cast('asyncio.Transport', transport))
        self._busy = len(self.connections) > self.door.max_connections
        self._patience = BUSY_SECONDS if self._busy else self.timeout_keep_alive
        self._since = self.loop.time()
        self._look_again_in(self._patience)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: what was under way for it ends."""
        self.pipeline.clear()
        self._held = None
        self._unset_keepalive_if_required()
        if self.current is not None:
            self.current.cancel()
            self.current = None
        if isinstance(self.cycle, Call):
            self.cycle = cast(Any, None)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Bytes from the client."""
        if self._broken:
            return
        self._since = self.loop.time()
        self._unread += len(data)
        self._much = self._unread > MAX_HEAD
        self._feed(data)
        if self._unread > MAX_HEAD and not self._broken:
            self._break_off(431, _HEAD_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """What the client sent is no HTTP."""
        self._break_off(400, msg)

    def _break_off(self, code: int, why: str) -> None:
        """Nothing that the client says from here on can be understood."""
        self._broken = True
        cycle: Any = self.cycle
        if cycle is not None and type(cycle) is not Call and cycle.more_body:
            super().send_400_response(why)
            return
        if type(cycle) is Call and not cycle.arrived:
            cycle.keep_alive = False
            cycle.refuse(code, why)
            cycle.end()
            return
        call = Call(self, '', keep_alive=False)
        call.refuse(code, why)
        call.arrived = True
        self._admit(call)

    def on_message_begin(self) -> None:
        """A request begins. Its scope, which is for ASGI only, is made when it is known to go that way."""
        self.url, self.headers, self.expect_100_continue = b'', [], False

    def on_headers_complete(self) -> None:
        """It is known which way the request goes."""
        self._unread = 0
        if self.parser.should_upgrade() and self.parser.get_method() != b'CONNECT':
            self._plain_head = self._without_upgrade()
            return
        endpoint = self._endpoint()
        too_large = self._much and self._head_size() > MAX_HEAD
        if endpoint is None and not self._busy and not too_large:
            self._make_scope()
            super().on_headers_complete()
            return
        again = self.parser.get_http_version() != '1.0' and self.parser.should_keep_alive()
        call = Call(self, endpoint or '', again)
        self._check(call)
        if too_large:
            call.refuse(431, _HEAD_TOO_LARGE)
        self._admit(call)

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._unread = 0
        cycle: Any = self.cycle
        if type(cycle) is Call:
            cycle.receive(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        if self._plain_head:
            return
        self._unread = 0
        cycle: Any = self.cycle
        if type(cycle) is Call:
            cycle.end()
        else:
            super().on_message_complete()

    def resume_writing(self) -> None:
        """The client has read most of what it was sent."""
        super().resume_writing()
        held, self._held = self._held, None
        if held is not None:
            self.finish(held)

    def send(self, code: int, body: Body, keep_alive: bool) -> None:
        """Write an answer."""
        size = body_size(body)
        head = b'%b%b%bcontent-length: %d\r\n\r\n' % (
            _STATUS_LINES[code],
            self.door.header_lines(self.server_state.default_headers),
            b'' if keep_alive else b'connection: close\r\n',
            size,
        )
        if size < LARGE:
            self.transport.write(b''.join((head, *body)))
        else:
            for buffer in (head, *body):  # not writelines(): see StreamChannel
                self.transport.write(buffer)

    def finish(self, call: Call) -> None:
        """A request has been read and answered: go on to the next, as soon as the client has taken the answer."""
        if self.flow.write_paused:
            self._held = call
            self.flow.pause_reading()
            return
        call.response_complete = True
        self.current = None
        if not call.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def on_response_complete(self) -> None:
        """A request, of whichever way, is answered: the next one may begin, or the connection is idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._since = self.loop.time()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if the client has been silent for long enough.

        One timer looks again and again. To set one for each answer, as uvicorn does, costs a twentieth of a request.
        """
        silent = self.loop.time() - self._since if self._is_clients_turn() else 0.0
        if silent < self._patience:
            self._look_again_in(self._patience - silent)
        elif self._unread or self.current is not None:
            self._break_off(408, f'the rest of the request did not come within {self._patience:g} s')
        else:
            self.transport.close()

    def _is_clients_turn(self) -> bool:
        """Whether nothing can happen here before the client sends something: a request, or the rest of one."""
        if self.flow.read_paused or self.transport.is_closing():
            return False
        if self.current is not None:
            return not self.current.arrived
        return self.cycle is None or self.cycle.response_complete

    def _look_again_in(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def linger(self) -> None:
        """A request was answered before it was read. To close at once would keep the client from reading why."""
        self.loop.call_later(LINGER_SECONDS, self.transport.close)

    def give_up(self, why: str) -> None:
        """The server ends: answer what is open, and close."""
        if self.current is not None:
            self.current.give_up(503, why)
        if self.flow.write_paused:
            self.transport.abort()
        else:
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response('what was sent cannot be read as HTTP/1.1')
        except httptools.HttpParserUpgrade as wish:
            # No other protocol is spoken here, and HTTP lets a server pass over the wish. But the parser has ended,
            # and never looked at the body.
            self.parser = httptools.HttpRequestParser(self)
            head, self._plain_head = self._plain_head, b''
            self._feed(head + data[wish.args[0] :])

    def _without_upgrade(self) -> bytes:
        """The head of a request that wishes for another protocol, as it would be if it did not."""
        kept = [header for header in self.headers if header[0] not in _OF_UPGRADES]
        if any(name == b'connection' and b'close' in value.lower() for name, value in self.headers):
            kept.append((b'connection', b'close'))
        lines = b''.join([b'%b: %b\r\n' % header for header in kept])
        return b'%b %b HTTP/1.1\r\n%b\r\n' % (self.parser.get_method(), self.url, lines)

    def _head_size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _make_scope(self) -> None:
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # the list that the scope has

    def _endpoint(self) -> str | None:
        """Where the documents of the request go; ``None``: this class has nothing to do with it."""
        method, endpoints = self.parser.get_method(), self.door.endpoints
        found = endpoints.get((method, self.url))
        if found is None:  # it may be written in another way: with a query, a host, or escaped characters
            found = endpoints.get((method, unquote_to_bytes(httptools.parse_url(self.url).path or b'')))
        return found

    def _check(self, call: Call) -> None:
        """What the headers say."""
        call.expects_continue = self.expect_100_continue
        for name, value in self.headers:
            if name == b'content-type':
                if value and value != b'application/json' and not _JSON_TYPE.match(value):
                    call.refuse(415, f'a body of type {value.decode("latin-1")!r}: {_TYPE_WANTED}')
            elif name == b'content-length':
                if int(value) > calls.MAX_BODY:
                    call.refuse(413, too_large())
            elif name == _TIMEOUT:
                self._limit(call, value)
        if self._busy:
            limit = self.door.max_connections
            call.refuse(503, f'{limit:,} clients are connected, which is the limit: try again later')

    def _limit(self, call: Call, value: bytes) -> None:
        try:
            call.timeout = seconds(value)
        except ValueError as error:
            call.refuse(400, str(error))

    def _admit(self, call: Call) -> None:
        """Begin, or wait for the requests before it."""
        before: Any = self.cycle
        self.cycle = cast(Any, call)
        if before is None or before.response_complete:
            call.begin()
        else:
            self.pipeline.appendleft((cast(Any, call), self.app))
            if len(self.pipeline) >= MAX_PIPELINED:  # not before: who does not read does not see that the client goes
                self.flow.pause_reading()
