"""Requests and answers in the form of the HTTP interface. No I/O, and documents stay the bytes that they are.

What is read here may come from other makes of server: whatever can be absent may be.
"""

from datetime import datetime
from typing import Any

import msgspec

from jina.excepts import WireError
from jina.types.request import ExceptionInfo, Route, Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import JSON, NO_PARAMETERS, Body, Head, Part

SHOWN = 200  # characters of what cannot be read that a message repeats
_NULL = msgspec.Raw(b'null')


class _Sides(msgspec.Struct):
    docs: msgspec.Raw
    groundtruths: msgspec.Raw = _NULL


class _Lengths(msgspec.Struct):
    docs: list[msgspec.Raw] = []


class _Asked(msgspec.Struct, omit_defaults=True):
    requestId: str  # noqa: N815
    execEndpoint: str  # noqa: N815
    parameters: dict[str, Any]
    targetPeapod: str = ''  # noqa: N815
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Exception(msgspec.Struct):
    name: str = ''
    args: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    executor: str = ''


class _Status(msgspec.Struct):
    code: int = 0
    description: str = ''
    exception: _Exception | None = None


class _Route(msgspec.Struct, rename='camel'):
    pod: str = ''
    pod_id: str = ''
    start_time: datetime | None = None
    end_time: datetime | None = None
    status: _Status | None = None


class _Answer(msgspec.Struct, rename='camel'):
    routes: list[_Route] | None
    status: _Status | None
    request_id: str = ''
    data: msgspec.Raw = _NULL
    parameters: dict[str, Any] | None = None


_decode_sides = msgspec.json.Decoder(_Sides).decode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_encode = msgspec.json.Encoder().encode


def request_to_json(head: Head, body: Body) -> bytes:
    """Return the JSON of a request, whose body has to be in JSON as well."""
    parameters = msgspec.msgpack.decode(head.parameters)
    return _encode(_Asked(head.request_id, head.endpoint, parameters, head.target, _data(body)))


def _data(body: Body) -> msgspec.Raw | msgspec.UnsetType:
    """The documents as a list, which all servers take; both sides only where there are groundtruths."""
    if not body:
        return msgspec.UNSET
    joined = b''.join(body)
    sides = _decode_sides(joined)
    return sides.docs if sides.groundtruths == _NULL else msgspec.Raw(joined)


def answer_from_json(code: int, asked: Head, body: bytes) -> tuple[Head, Buffer]:
    """Return the head and the body of an answer.

    :param code: of HTTP.
    :param asked: the head of its request.
    :raises WireError: if it is something else than an answer.
    """
    try:
        answer = _decode_answer(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise WireError(f'no answer of a Flow: {shown(body)}') from error
    status = _status_of(code, answer)
    data = b'' if status is not None and _is_empty(answer.data) else bytes(answer.data)
    head = Head(
        answer.request_id or asked.request_id,
        asked.endpoint,
        (Part(JSON, len(data)),) if data else (),
        parameters=_packed(answer.parameters),
        status=status,
        routes=[_route_of(route) for route in answer.routes or ()],
    )
    return head, data


def _is_empty(data: msgspec.Raw) -> bool:
    """Whether it holds no documents."""
    try:
        return data == _NULL or not msgspec.json.decode(data, type=_Lengths).docs
    except msgspec.MsgspecError:
        return False


def refusal(what: str, code: int, asked: Head, body: bytes) -> Head:
    """The head of the answer to a request that was refused before it reached a Flow."""
    status = Status(StatusCode.ERROR, f'{what}: {shown(body)}', client_error=code < 500)
    return Head(asked.request_id, asked.endpoint, status=status)


def shown(body: bytes) -> str:
    """What can be told of a body that cannot be read."""
    text = ' '.join(body[: 4 * SHOWN].decode(errors='replace').split())
    return text if len(text) <= SHOWN else f'{text[:SHOWN]}…'


def _packed(parameters: dict[str, Any] | None) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(parameters)) if parameters else NO_PARAMETERS


def _status_of(code: int, answer: _Answer) -> Status | None:
    status = answer.status or _Status()
    if status.code < StatusCode.ERROR and not status.description:
        return None
    raised = status.exception or _raised_on_the_way(answer)
    info = ExceptionInfo(raised.name, raised.args, raised.stacks, raised.executor) if raised else None
    return Status(
        status.code,
        status.description,
        info,
        client_error=400 <= code < 500,
        timed_out=code == 504,
        unavailable=code == 503,
    )


def _raised_on_the_way(answer: _Answer) -> _Exception | None:
    """Some servers tell what was raised only where they tell who worked on the request."""
    told = (route.status.exception for route in answer.routes or () if route.status)
    return next((exception for exception in told if exception), None)


def _route_of(route: _Route) -> Route:
    return Route(route.pod, route.pod_id, _seconds(route.start_time), _seconds(route.end_time))


def _seconds(time: datetime | None) -> float:
    return time.timestamp() if time else 0.0
