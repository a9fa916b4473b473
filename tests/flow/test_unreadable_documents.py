"""Documents that the client could send and no Executor can read: their request is refused, and no other."""

import http.client
import json

import grpc
import pytest

from jina import Executor, Flow, requests
from jina.proto import jina_pb2 as pb


class Upper(Executor):
    @requests
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()


@pytest.fixture(scope='module')
def ports():
    with Flow(protocol=['grpc', 'http']).add(name='upper', uses=Upper) as flow:
        yield flow.ports


def request(name, depth):
    message = pb.RequestProto(request_id=name)
    message.header.exec_endpoint = '/'
    doc = message.data.docs.add(text=name)
    for _ in range(depth):
        doc = doc.chunks.add()
    return message


@pytest.mark.parametrize('depth', [97, 98, 100, 120])
def test_a_stream_of_another_client_goes_on(ports, depth):
    sent = [request('a', 0), request('deep', depth), *(request(f'b{i}', 0) for i in range(5))]
    with grpc.insecure_channel(f'127.0.0.1:{ports[0]}') as channel:
        call = channel.stream_stream(
            '/jina.JinaRPC/Call', pb.RequestProto.SerializeToString, pb.RequestProto.FromString
        )
        answers = {answer.request_id: answer for answer in call(iter(sent), timeout=30)}
    assert answers.keys() == {message.request_id for message in sent}
    refused = answers.pop('deep')
    assert [answer.data.docs[0].text for answer in answers.values()] == [name.upper() for name in answers]
    if refused.status.code:
        assert 'Error parsing message' in refused.status.description
        assert not refused.data.docs
    else:
        assert refused.data.docs[0].text == 'DEEP'


@pytest.mark.parametrize('data', [b'"\xff\xfe"', b'{"text":"\xff"}', b'{"tags":{"a":"\xff"}}'])
@pytest.mark.parametrize('target', [b'', b'('])
def test_the_answer_over_http_is_json(ports, data, target):
    connection = http.client.HTTPConnection('127.0.0.1', ports[1], timeout=30)
    body = b'{"data":[%b],"execEndpoint":"/","targetPeapod":"%b"}' % (data, target)
    connection.request('POST', '/post', body, {'content-type': 'application/json'})
    answer = connection.getresponse()
    told = json.loads(answer.read())
    connection.close()
    assert (answer.status, told['data']) == (400, {'docs': []})
    assert told['status']['description']
