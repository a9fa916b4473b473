import msgspec
import pytest

from jina.excepts import BadOption, WireError
from jina.proto.jina_pb2 import DataRequestProto, RawRequestProto, RequestProto
from jina.types.request import ExceptionInfo, Route, Status, StatusCode
from jina.wire.head import JSON, NO_PARAMETERS, PROTOBUF, Head, Part
from jina.wire.rpc import answer_from_proto, answer_to_proto, parse, request_from_proto, request_to_proto

DATA = DataRequestProto(docs=[{'id': '1', 'text': 'hello'}]).SerializeToString()


def packed(**parameters):
    return msgspec.Raw(msgspec.msgpack.encode(parameters))


def unpacked(head):
    return msgspec.msgpack.decode(head.parameters)


def request_head(**fields):
    return Head('id', '/search', (Part(PROTOBUF, len(DATA)),), accept=PROTOBUF, **fields)


def test_request_there_and_back():
    sent = request_head(parameters=packed(top_k=3, deep={'a': [1, None]}), target='pod.*')
    head, body = request_from_proto(request_to_proto(sent, [DATA[:3], DATA[3:]]))
    assert (head.request_id, head.endpoint, head.target, head.accept) == ('id', '/search', 'pod.*', PROTOBUF)
    assert (head.parts, body) == (sent.parts, DATA)
    assert unpacked(head) == {'top_k': 3, 'deep': {'a': [1, None]}}


def test_request_without_anything():
    head, body = request_from_proto(RawRequestProto())
    assert (head.parts, body, head.endpoint) == ((), b'', '')
    assert head.parameters == NO_PARAMETERS
    assert len(head.request_id) == 32


def test_request_of_a_foreign_client():
    foreign = RequestProto(data=DataRequestProto.FromString(DATA), header={'exec_endpoint': '/x'})
    foreign.parameters['n'] = 2
    head, body = request_from_proto(parse(foreign.SerializeToString()))
    assert (head.endpoint, unpacked(head), body) == ('/x', {'n': 2}, DATA)


def test_control_requests_have_no_documents():
    assert request_from_proto(parse(RequestProto(control={}).SerializeToString()))[0].parts == ()


def test_parameters_that_cannot_be_sent():
    with pytest.raises(BadOption, match=r"parameters\['image'\].*bytes"):
        request_to_proto(request_head(parameters=packed(image=b'x')), [DATA])


def test_answer_there_and_back():
    exception = ExceptionInfo('ValueError', ('too', 'bad'), ('line 1', 'line 2'), 'MyExecutor')
    status = Status(StatusCode.ERROR, 'it failed', exception)
    routes = [Route('gateway', 'g', 1637000000.25, 1637000001.5), Route('pod0', 'p', 1637000000.5)]
    request = request_head(parameters=packed(a=1))
    sent = Head('', '', (Part(PROTOBUF, len(DATA)),), status=status, routes=routes)
    head, body = answer_from_proto(answer_to_proto(request, sent, [DATA]))
    assert (head.request_id, head.endpoint, unpacked(head), body) == ('id', '/search', {'a': 1}, DATA)
    assert (head.status, head.routes, head.parts) == (status, routes, sent.parts)


def test_answer_for_a_foreign_client():
    raw = answer_to_proto(request_head(), Head('', '', routes=[Route('gateway', 'g', 1.5)]), [])
    answer = RequestProto.FromString(raw.SerializeToString())
    assert (answer.WhichOneof('body'), len(answer.data.docs)) == ('data', 0)
    assert answer.HasField('status')
    assert answer.status.code == answer.status.SUCCESS
    assert (answer.routes[0].pod, answer.routes[0].start_time.ToMilliseconds()) == ('gateway', 1500)
    assert not answer.routes[0].HasField('end_time')


def test_joined_parts_are_one_message():
    head = Head('', '', (Part(PROTOBUF, len(DATA)),) * 2)
    answer = parse(answer_to_proto(request_head(), head, [DATA + DATA]).SerializeToString())
    assert len(DataRequestProto.FromString(answer.data).docs) == 2


def test_bodies_in_another_encoding_are_left_out():
    answer = answer_to_proto(request_head(), Head('', '', (Part(JSON, 2),)), [b'[]'])
    assert (answer.WhichOneof('body'), answer.data) == ('data', b'')


def test_what_was_raised_may_be_told_by_a_route_only():
    raised = {'code': 3, 'description': 'bad', 'exception': {'name': 'ValueError', 'args': ['x'], 'executor': 'Mine'}}
    proto = RawRequestProto(
        status={'code': 3, 'description': 'bad'}, routes=[{'pod': 'gateway'}, {'pod': 'a', 'status': raised}]
    )
    head, _ = answer_from_proto(proto)
    assert head.status == Status(StatusCode.ERROR, 'bad', ExceptionInfo('ValueError', ('x',), (), 'Mine'))


def test_success_is_no_status():
    assert answer_from_proto(RawRequestProto(status={'code': 0}))[0].status is None


def test_codes_of_later_versions():
    status = answer_from_proto(RawRequestProto(status={'code': 99}))[0].status
    assert status.code == 99


@pytest.mark.parametrize('message', [b'\xff', b'\x0a\x05abc', b'\x0a\x01\xff'])
def test_bytes_that_are_no_message(message):
    with pytest.raises(WireError, match='RequestProto'):
        parse(memoryview(message))
