"""What a request and its answer look like as JSON. No I/O; the documents stay raw."""

import os
import platform
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Annotated, Any

import msgspec

import jina
from jina.gateway.deadline import soonest
from jina.gateway.routes import POST
from jina.types.request import Route, Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import JSON, NO_PARAMETERS, Body, Head, Part, split_body

NO_DOCUMENTS = b'{"docs":[]}'


def _about(text: str) -> msgspec.Meta:
    return msgspec.Meta(description=text)


class _Where(msgspec.Struct):
    execEndpoint: str | None = None  # noqa: N815
    exec_endpoint: str | None = None
    targetPeapod: str | None = None  # noqa: N815
    target_peapod: str | None = None


class PostBody(_Where):
    """What a client sends. Keys in camelCase or snake_case; others are ignored.

    :ivar timeout: seconds.
    :ivar header: the client of the 2.0.24 release says here where its request goes.
    """

    data: msgspec.Raw = msgspec.Raw(b'null')
    parameters: dict[str, Any] | None = None
    requestId: str | None = None  # noqa: N815
    request_id: str | None = None
    timeout: float | None = None
    header: _Where | None = None

    @property
    def endpoint(self) -> str:
        """Where the documents go; empty: it does not say."""
        inner = self.header or _NOWHERE
        return self.execEndpoint or self.exec_endpoint or inner.execEndpoint or inner.exec_endpoint or ''

    @property
    def target(self) -> str:
        """The regex over names of Executors; empty: all."""
        inner = self.header or _NOWHERE
        return self.targetPeapod or self.target_peapod or inner.targetPeapod or inner.target_peapod or ''

    @property
    def named(self) -> str:
        """The client's name for the request; empty: it has none."""
        return self.requestId or self.request_id or ''


_NOWHERE = _Where()


class AnswerHeader(msgspec.Struct, rename='camel'):
    exec_endpoint: str
    target_peapod: str


class AnswerRoute(msgspec.Struct, rename='camel'):
    """Who worked on it, from when to when."""

    pod: str
    pod_id: str
    start_time: datetime
    end_time: datetime | None


class AnswerException(msgspec.Struct, rename='camel'):
    """What was raised."""

    name: Annotated[str, _about('its class')]
    args: Annotated[tuple[str, ...], _about('its arguments')]
    stacks: Annotated[tuple[str, ...], _about('the lines of its traceback')]
    executor: Annotated[str, _about('the class of the Executor that raised it')]


class AnswerStatus(msgspec.Struct, rename='camel'):
    """How it ended."""

    code: Annotated[int, _about('0: success; 3 and more: an error')]
    description: Annotated[str, _about('what happened, to whom, and what to do')]
    exception: AnswerException | None


class Answer(msgspec.Struct, rename='camel'):
    """What a client receives, also where its request failed. ``data``, the documents, is put at the end of it."""

    request_id: str
    header: AnswerHeader
    parameters: dict[str, Any]
    routes: list[AnswerRoute]
    status: AnswerStatus


class Versions(msgspec.Struct):
    """What serves here."""

    jina: str
    python: str


class GatewayStatus(msgspec.Struct):
    """What runs here."""

    jina: Versions
    executors: list[str]


class Refused(Exception):
    """A request that never reaches the graph.

    :ivar code: of HTTP.
    :ivar request_id: the client's name for the request, as far as it could be read.
    """

    def __init__(self, code: int, why: str, request_id: str = '') -> None:
        super().__init__(why)
        self.code = code
        self.request_id = request_id


_decode = msgspec.json.Decoder(PostBody).decode
_decode_list = msgspec.json.Decoder(list[msgspec.Raw]).decode
_decode_object = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_SUCCESS = AnswerStatus(0, '', None)
_PROCESS = os.urandom(10).hex()
_numbers = count()


def new_id() -> str:
    """A name that nothing else has: 32 hexadecimal digits, random for the process and counted within it."""
    return f'{_PROCESS}{next(_numbers):012x}'


def read(endpoint: str, body: Buffer, normal: bool, timeout: float | None) -> tuple[PostBody, Head, Buffer]:
    """What a request asks for, and its head and body for the graph.

    :param endpoint: the one that the path implies; empty: the body must name it.
    :param normal: bring the documents into the form of an answer, since there is no Executor that will.
    :param timeout: seconds; the body may ask for less.
    :raises Refused: if the body is not what it should be.
    """
    asked = PostBody()
    try:
        asked = _decode(body) if body or not endpoint else asked
        to = endpoint or asked.endpoint
        if not to:
            told = "the body has no 'execEndpoint', which says what the documents are for"
            raise Refused(400, told, asked.named)
        if asked.timeout is not None and asked.timeout <= 0:
            raise Refused(400, f'timeout: {asked.timeout:g}: it takes a number of seconds above 0', asked.named)
        data: Buffer = _normal(asked.data) if normal else memoryview(asked.data)
        parameters = msgspec.Raw(_pack(asked.parameters)) if asked.parameters else NO_PARAMETERS
    except (msgspec.MsgspecError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        told = f'the body is not the JSON that {endpoint or POST} takes: {error}'
        raise Refused(400, told, asked.named) from error
    parts = (Part(JSON, len(data)),) if data != b'null' else ()
    limit = soonest(asked.timeout, timeout)
    head = Head(asked.named or new_id(), to, parts, JSON, parameters, asked.target, timeout=limit)
    return asked, head, data if parts else b''


def answer(asked: PostBody, head: Head, body: Buffer) -> tuple[int, Body]:
    """The HTTP status code, and the buffers that make up the body."""
    shown = Answer(
        head.request_id,
        AnswerHeader(head.endpoint, head.target),
        asked.parameters or {},
        [_route(route) for route in head.routes],
        _SUCCESS if head.status is None else _status(head.status),
    )
    return code_of(head.status), _with_data(shown, _documents(head, body))


def refusal(why: str, request_id: str = '') -> Body:
    """The body for a request that never reached the graph."""
    status = AnswerStatus(StatusCode.ERROR, why, None)
    return _with_data(Answer(request_id or new_id(), AnswerHeader('', ''), {}, [], status), NO_DOCUMENTS)


def status_page(executors: Iterable[str]) -> bytes:
    """What ``GET /status`` answers.

    :param executors: their names.
    """
    return _encode(GatewayStatus(Versions(jina.__version__, platform.python_version()), list(executors)))


def code_of(status: Status | None) -> int:
    """The HTTP status code for the outcome of a request."""
    if status is None or status.code < StatusCode.ERROR:
        return 200
    if status.timed_out:
        return 504
    if status.unavailable:
        return 503
    return 400 if status.client_error else 500


def _with_data(shown: Answer, documents: Buffer) -> Body:
    return [_encode(shown)[:-1] + b',"data":', documents, b'}']


def _route(route: Route) -> AnswerRoute:
    end = datetime.fromtimestamp(route.end, UTC) if route.end else None
    return AnswerRoute(route.pod, route.pod_id, datetime.fromtimestamp(route.start, UTC), end)


def _status(status: Status) -> AnswerStatus:
    raised = status.exception
    shown = AnswerException(raised.name, raised.args, raised.stacks, raised.executor) if raised else None
    return AnswerStatus(int(status.code), status.description, shown)


def _documents(head: Head, body: Buffer) -> Buffer:
    """``{"docs": […]}``. After an error it may be what the client sent, or what several Executors answered."""
    if not len(body):
        return NO_DOCUMENTS
    if head.status is None and len(head.parts) == 1:
        return body
    if any(part.encoding != JSON for part in head.parts):
        return NO_DOCUMENTS
    try:
        joined = _joined([piece for _, piece in split_body(head, body)])
        joined.decode()
    except (msgspec.MsgspecError, UnicodeDecodeError):  # the client may have sent something else than documents
        return NO_DOCUMENTS
    return joined


def _joined(pieces: Sequence[Buffer]) -> bytes:
    sides = [_sides(msgspec.Raw(piece)) for piece in pieces]
    joined = {'docs': [_as_object(item) for docs, _ in sides for item in docs]}
    groundtruths = [_as_object(item) for _, side in sides for item in side]
    return _encode({**joined, 'groundtruths': groundtruths} if groundtruths else joined)


def _normal(data: msgspec.Raw) -> bytes:
    """``{"docs": […]}`` of what a client sent; what is in the documents stays as it is, but each has an id."""
    sides = (('docs', 'groundtruths'), _sides(data))
    found = {name: [{'id': new_id(), **_as_object(item)} for item in items] for name, items in zip(*sides, strict=True)}
    return _encode({name: items for name, items in found.items() if items or name == 'docs'})


def _sides(data: msgspec.Raw) -> tuple[list[msgspec.Raw], list[msgspec.Raw]]:
    """Documents and groundtruths: of a list, of one document or text, or of an object of such.

    :raises msgspec.MsgspecError: if it is none of these.
    """
    if _begins(data, b'{'):
        found = _decode_object(data)
        if not found or 'docs' in found or 'groundtruths' in found:
            return _items(found.get('docs')), _items(found.get('groundtruths'))
    return _items(data), []


def _items(side: msgspec.Raw | None) -> list[msgspec.Raw]:
    if side is None or _begins(side, b'n'):  # null
        return []
    return [side] if _begins(side, b'{"') else _decode_list(side)


def _as_object(item: msgspec.Raw) -> dict[str, Any]:
    return {'text': item} if _begins(item, b'"') else _decode_object(item)


def _begins(data: msgspec.Raw, characters: bytes) -> bool:
    """Whether the first character is one of these; there is no white space before it."""
    view = memoryview(data)
    return len(view) > 0 and view[0] in characters
