import json
import re
from datetime import UTC, datetime

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.proto import jina_pb2
from jina.types.request import ExceptionInfo, Header, Response, Route, Status, StatusCode

ROUTES = [Route('gateway', 'g', 1624428277.896226, 1624428277.897433), Route('pod0', 'p', 1624428277.897424)]
FAILED = Status(StatusCode.ERROR, 'it failed', ExceptionInfo('ValueError', ('no',), ('line 1\n', 'line 2\n'), 'E'))


def response(docs=(), groundtruths=(), parameters=None, status=None):
    sides = DocumentArray(docs), DocumentArray(groundtruths)
    return Response('the-id', Header('/'), parameters or {}, lambda: sides, ROUTES, status or Status())


def test_the_printed_form_of_the_seeds():
    text = str(response([Document(id='a')]))
    assert re.fullmatch(
        r"<jina\.types\.request\.Response request_id=the-id data={'docs': \[{'id': 'a'}\]} "
        r"header={'exec_endpoint': '/'} routes=\[{'pod': 'gateway', 'pod_id': 'g', "
        r"'start_time': '2021-06-23T06:04:37\.896226Z', 'end_time': '2021-06-23T06:04:37\.897433Z'}, "
        r"{'pod': 'pod0', 'pod_id': 'p', 'start_time': '2021-06-23T06:04:37\.897424Z'}\] status={} at \d+>",
        text,
    )


def test_documents_are_decoded_once():
    times = []

    def load():
        times.append(1)
        return DocumentArray([Document(text='a')]), DocumentArray([Document(text='b')])

    one = Response('', Header('/'), {}, load, [], Status())
    assert not times
    assert one.docs is one.docs is one.data.docs
    assert one.groundtruths[0].text == one.data.groundtruths[0].text == 'b'
    assert times == [1]


def test_who_worked_on_it_from_when_to_when():
    gateway, executor = response().routes
    assert gateway.start_time == datetime(2021, 6, 23, 6, 4, 37, 896226, UTC)
    assert gateway.start_time < executor.start_time < gateway.end_time
    assert 'end_time' not in executor.dict()


def test_as_a_dict():
    shown = response([Document(id='a', text='b')], [Document(id='g')], {'n': 1}, FAILED).dict()
    assert shown['data'] == {
        'docs': [{'id': 'a', 'mime_type': 'text/plain', 'text': 'b'}],
        'groundtruths': [{'id': 'g'}],
    }
    assert shown['parameters'] == {'n': 1}
    assert shown['header'] == {'exec_endpoint': '/'}
    assert shown['status']['code'] == 'ERROR'
    assert shown['status']['exception']['name'] == 'ValueError'
    assert list(shown) == ['request_id', 'data', 'header', 'parameters', 'routes', 'status']


def test_json_is_read_back_by_any_reader():
    doc = Document(
        buffer=b'\xff', embedding=np.array([1, np.nan]), tags={'ä': np.float32(1)}, scores={'x': float('nan')}
    )
    text = response([doc], parameters={'inf': float('inf')}).json()
    read = json.loads(text, parse_constant=lambda name: pytest.fail(f'{name} is no JSON'))
    assert read['request_id'] == 'the-id'
    assert read['data']['docs'][0]['buffer'] == '/w=='
    assert read['data']['docs'][0]['tags'] == {'ä': 1}
    assert read['data']['docs'][0]['scores'] == {'x': {'value': 'NaN'}}
    assert read['parameters'] == {'inf': 'Infinity'}


def test_as_protobuf():
    doc = Document(text='a', blob=None, embedding=np.arange(3), tags={'n': 1})
    one = response([doc], [Document(text='g')], {'n': 1, 'inf': float('inf')}, FAILED)
    message = jina_pb2.RequestProto.FromString(one.binary_str())
    assert message == one.proto == jina_pb2.RequestProto.FromString(one.SerializeToString())
    assert [d.text for d in message.data.docs] == ['a']
    assert [d.text for d in message.data.groundtruths] == ['g']
    assert dict(message.parameters) == {'n': 1, 'inf': float('inf')}
    assert message.header.exec_endpoint == '/'
    assert message.routes[0].start_time.ToJsonString() == '2021-06-23T06:04:37.896226Z'
    assert message.status.code == jina_pb2.StatusProto.ERROR == one.status.code
    assert list(message.status.exception.stacks) == ['line 1\n', 'line 2\n']
    assert one.nbytes == len(one.binary_str())


def test_protobuf_of_nothing():
    message = response().proto
    assert message.status == jina_pb2.StatusProto()
    assert not message.HasField('parameters')
    assert not message.data.docs
