"""Requests and answers as messages of the gRPC contract. No I/O, and ``data`` stays the bytes that it is.

A request is a head and a body to us, and one ``RequestProto`` to others. What a message has no place for
(timeout, trace, whether the client was at fault) is lost on the way. The field ``data`` is always there, be it empty:
by it the 2.0.24 release knows what a message is, and fails on one that has none.
"""

import math
import uuid
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from jina.excepts import WireError
from jina.proto.jina_pb2 import HeaderProto, RawRequestProto, RouteProto, StatusProto
from jina.types.protostruct import dict_to_struct, struct_to_dict
from jina.types.request import ExceptionInfo, Route, Status
from jina.wire.frames import Buffer
from jina.wire.head import NO_PARAMETERS, PROTOBUF, Body, Head, Part

_NANO = 1_000_000_000


def parse(message: Buffer) -> RawRequestProto:
    """Return the message that the bytes are.

    :raises WireError: if they are no ``RequestProto``.
    """
    try:
        return RawRequestProto.FromString(bytes(message))
    except DecodeError as error:
        raise WireError(f'not a RequestProto: {error}') from error


def request_from_proto(proto: RawRequestProto) -> tuple[Head, Buffer]:
    """Return the head and the body of a request; one without an id gets one."""
    data = proto.data
    head = _head_of(proto, len(data))
    head.request_id = head.request_id or uuid.uuid4().hex
    return head, data


def request_to_proto(head: Head, body: Body) -> RawRequestProto:
    """Return the message of a request, whose body has to be in protobuf.

    :raises BadOption: naming the parameter that protobuf cannot express.
    """
    return RawRequestProto(data=_joined(body) if head.parts else b'', **_common(head))


def answer_from_proto(proto: RawRequestProto) -> tuple[Head, Buffer]:
    """Return the head and the body of an answer."""
    data = proto.data
    head = _head_of(proto, len(data))
    head.status = _status_of(proto)
    head.routes = [_route_of(route) for route in proto.routes]
    return head, data


def answer_to_proto(request: Head, answer: Head, body: Body) -> RawRequestProto:
    """Return the message of an answer, under the id, header and parameters of its request.

    A body that is in another encoding is left out: that of an answer is always in protobuf.
    """
    return RawRequestProto(
        data=_joined(body) if _is_protobuf(answer) else b'',
        routes=[_route_proto(route) for route in answer.routes],
        status=_status_proto(answer.status),
        **_common(request),
    )


def _is_protobuf(head: Head) -> bool:
    return bool(head.parts) and all(part.encoding == PROTOBUF for part in head.parts)


def _joined(body: Body) -> bytes:
    # Serialized messages, one after the other, are the message that has all their documents.
    return bytes(body[0]) if len(body) == 1 else b''.join(body)


def _common(head: Head) -> dict[str, Any]:
    header = HeaderProto(exec_endpoint=head.endpoint, target_peapod=head.target)
    if head.parameters == NO_PARAMETERS:
        return {'request_id': head.request_id, 'header': header}
    parameters = dict_to_struct(msgspec.msgpack.decode(head.parameters))
    return {'request_id': head.request_id, 'header': header, 'parameters': parameters}


def _head_of(proto: RawRequestProto, size: int) -> Head:
    return Head(
        proto.request_id,
        proto.header.exec_endpoint,
        (Part(PROTOBUF, size),) if size else (),
        accept=PROTOBUF,
        parameters=_parameters_of(proto),
        target=proto.header.target_peapod,
    )


def _parameters_of(proto: RawRequestProto) -> msgspec.Raw:
    if not proto.HasField('parameters'):
        return NO_PARAMETERS
    return msgspec.Raw(msgspec.msgpack.encode(struct_to_dict(proto.parameters)))


def _status_proto(status: Status | None) -> StatusProto:
    if status is None:
        return StatusProto()
    raised = status.exception
    exception = raised and StatusProto.ExceptionProto(
        name=raised.name, args=raised.args, stacks=raised.stacks, executor=raised.executor
    )
    return StatusProto(code=status.code, description=status.description, exception=exception)  # type: ignore[arg-type]


def _status_of(proto: RawRequestProto) -> Status | None:
    status = proto.status
    if not status.code and not status.description:
        return None
    told = (each for each in (status, *(route.status for route in proto.routes)) if each.HasField('exception'))
    # The 2.0.24 release tells what was raised only where it tells who worked on the request.
    raised = next((each.exception for each in told), None)
    exception = (
        ExceptionInfo(raised.name, tuple(raised.args), tuple(raised.stacks), raised.executor) if raised else None
    )
    return Status(status.code, status.description, exception)


def _route_proto(route: Route) -> RouteProto:
    end = _timestamp(route.end) if route.end else None
    return RouteProto(pod=route.pod, pod_id=route.pod_id, start_time=_timestamp(route.start), end_time=end)


def _route_of(proto: RouteProto) -> Route:
    return Route(proto.pod, proto.pod_id, _seconds(proto.start_time), _seconds(proto.end_time))


def _timestamp(seconds: float) -> Timestamp:
    whole = math.floor(seconds)
    return Timestamp(seconds=whole, nanos=int((seconds - whole) * _NANO))


def _seconds(timestamp: Timestamp) -> float:
    return timestamp.seconds + timestamp.nanos / _NANO
