"""Requests and answers as the JSON texts that they are over WebSocket: the form of the HTTP interface.

The documents stay the raw JSON that they are.
"""

import uuid
from datetime import datetime
from typing import Any

import msgspec

from jina.excepts import WireError
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import JSON, NO_PARAMETERS, Head, Part

NO_DATA = msgspec.Raw(b'{"docs":[]}')


class _Target(msgspec.Struct):
    targetPeapod: str | None = None  # noqa: N815
    target_peapod: str | None = None


class TextRequest(msgspec.Struct):
    """What a client sends. Keys in camelCase or snake_case; others are ignored."""

    data: msgspec.Raw = msgspec.Raw(b'null')
    parameters: dict[str, Any] | None = None
    requestId: str | None = None  # noqa: N815
    request_id: str | None = None
    execEndpoint: str | None = None  # noqa: N815
    exec_endpoint: str | None = None
    targetPeapod: str | None = None  # noqa: N815
    target_peapod: str | None = None
    header: _Target | None = None

    @property
    def target(self) -> str:
        """The regex over names of Executors; in its header is where the client of the 2.0.24 release has it."""
        inner = self.header or _Target()
        return self.targetPeapod or self.target_peapod or inner.targetPeapod or inner.target_peapod or ''


class _Header(msgspec.Struct, rename='camel'):
    exec_endpoint: str
    target_peapod: str


class _Route(msgspec.Struct, rename='camel'):
    pod: str
    pod_id: str
    start_time: datetime
    end_time: datetime | None


class _Exception(msgspec.Struct):
    name: str
    args: tuple[str, ...]
    stacks: tuple[str, ...]
    executor: str


class _Status(msgspec.Struct):
    code: int
    description: str
    exception: _Exception | None


class _Answer(msgspec.Struct, rename='camel'):
    request_id: str
    data: msgspec.Raw
    header: _Header
    parameters: msgspec.Raw
    routes: list[_Route]
    status: _Status


_decode = msgspec.json.Decoder(TextRequest).decode
_decode_items = msgspec.json.Decoder(list[dict[str, msgspec.Raw] | str] | None).decode
_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder().decode


def request_from_text(text: str, normal: bool) -> tuple[Head, Buffer]:
    """Return the head and the body of a request; one without an id gets one.

    :param normal: bring the documents into the form of an answer, since there is no Executor that will.
    :raises WireError: if it is none.
    """
    try:
        asked = _decode(text)
        data = _normal(asked.data) if normal else bytes(asked.data)
        parameters = msgspec.Raw(_pack(asked.parameters)) if asked.parameters else NO_PARAMETERS
    except (msgspec.MsgspecError, UnicodeError, OverflowError, RecursionError) as error:
        raise WireError(f'not a request in JSON: {error}') from error
    endpoint = asked.execEndpoint or asked.exec_endpoint
    if not endpoint:
        raise WireError("not a request: it has no 'execEndpoint', which says what the documents are for")
    parts = (Part(JSON, len(data)),) if data != b'null' else ()
    request_id = asked.requestId or asked.request_id or uuid.uuid4().hex
    return Head(request_id, endpoint, parts, JSON, parameters, asked.target), data if parts else b''


def _normal(data: msgspec.Raw) -> bytes:
    """``{"docs": […]}`` of a list of documents or texts; what is in the documents stays as it is."""
    items = [{'text': item} if isinstance(item, str) else item for item in _decode_items(data) or ()]
    return _encode({'docs': [{'id': uuid.uuid4().hex, **item} for item in items]})


def answer_to_text(request: Head, answer: Head, body: Buffer) -> str:
    """Return the text of an answer, under the id, header and parameters of its request."""
    failed = answer.status is not None and answer.status.code >= StatusCode.ERROR
    shown = _Answer(
        request.request_id,
        NO_DATA if failed or not len(body) else msgspec.Raw(body),
        _Header(request.endpoint, request.target),
        msgspec.Raw(_encode(_unpack(request.parameters))),
        [_Route(r.pod, r.pod_id, r.start_time, r.end_time if r.end else None) for r in answer.routes],
        _status(answer.status),
    )
    return _encode(shown).decode()


def _status(status: Status | None) -> _Status:
    if status is None:
        return _Status(0, '', None)
    raised = status.exception
    exception = _Exception(raised.name, raised.args, raised.stacks, raised.executor) if raised else None
    return _Status(int(status.code), status.description, exception)
