"""The JSON of requests and answers, without a server."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.gateway.rest import PostBody, Refused, answer, code_of, new_id, read
from jina.types.request import Status, StatusCode
from jina.wire.head import JSON, MSGPACK, Head, Part

DOCUMENTS = st.lists(st.dictionaries(st.sampled_from(['text', 'id', 'ü']), st.text()) | st.text())


def answered(pieces, status=None, encoding=JSON):
    """(code, JSON) of an answer with these pieces."""
    parts = tuple(Part(encoding, len(piece)) for piece in pieces)
    code, body = answer(PostBody(), Head('r', '/x', parts, status=status), b''.join(pieces))
    return code, json.loads(b''.join(bytes(piece) for piece in body))


def as_documents(items):
    return [{'text': item} if isinstance(item, str) else item for item in items]


@given(st.lists(st.tuples(DOCUMENTS, DOCUMENTS, st.booleans()), min_size=1, max_size=4))
def test_documents_of_several_senders_are_joined(senders):
    pieces = [
        json.dumps({'docs': docs, 'groundtruths': truths} if both else docs).encode() for docs, truths, both in senders
    ]
    code, shown = answered(pieces, Status(StatusCode.ERROR, 'why'))
    assert code == 500
    assert shown['data']['docs'] == [d for docs, _, _ in senders for d in as_documents(docs)]
    truths = [d for _, truths, both in senders if both for d in as_documents(truths)]
    assert shown['data'].get('groundtruths', []) == truths


def test_documents_in_another_encoding_are_left_out():
    assert answered([b'\x80'], Status(StatusCode.ERROR), MSGPACK)[1]['data'] == {'docs': []}


@pytest.mark.parametrize(
    ('status', 'code'),
    [
        (None, 200),
        (Status(), 200),
        (Status(StatusCode.ERROR), 500),
        (Status(StatusCode.ERROR_CHAINED), 500),
        (Status(StatusCode.ERROR, client_error=True), 400),
        (Status(StatusCode.ERROR, timed_out=True), 504),
        (Status(StatusCode.ERROR, unavailable=True), 503),
    ],
)
def test_a_status_has_a_code(status, code):
    assert code_of(status) == code


@pytest.mark.parametrize('shape', [lambda keys: keys, lambda keys: {'header': keys}])
@pytest.mark.parametrize('keys', [('execEndpoint', 'targetPeapod'), ('exec_endpoint', 'target_peapod')])
def test_where_a_request_goes(shape, keys):
    body = json.dumps(shape(dict(zip(keys, ('/x', 'pod.*'), strict=True)))).encode()
    _, head, _ = read('', body, normal=False, timeout=None)
    assert (head.endpoint, head.target) == ('/x', 'pod.*')
    assert read('/y', body, normal=False, timeout=None)[1].endpoint == '/y'


@pytest.mark.parametrize('key', ['requestId', 'request_id'])
def test_a_request_keeps_the_name_that_it_has(key):
    body = json.dumps({key: 'mine', 'execEndpoint': '/x', 'header': None}).encode()
    asked, head, data = read('', body, normal=False, timeout=None)
    assert json.loads(b''.join(answer(asked, head, data)[1]))['requestId'] == 'mine'
    with pytest.raises(Refused) as refused:
        read('', json.dumps({key: 'mine'}).encode(), normal=False, timeout=None)
    assert refused.value.request_id == 'mine'


@pytest.mark.parametrize(('asked', 'beside', 'due'), [(2, None, 2), (2, 1.0, 1), (1, 2.0, 1), (None, 3.0, 3)])
def test_the_sooner_of_two_deadlines_counts(asked, beside, due):
    assert read('/x', json.dumps({'timeout': asked}).encode(), normal=False, timeout=beside)[1].timeout == due


@pytest.mark.parametrize('data', [b'["\xff\xfe"]', b'[{"text":"\xff"}]', b'[{"\xff":1}]', b'3'])
def test_a_refusal_is_json_whatever_was_sent(data):
    status = Status(StatusCode.ERROR, 'later', unavailable=True)
    _, body = answer(PostBody(), Head('', '', (Part(JSON, len(data)),), status=status), data)
    assert json.loads(b''.join(body))['data'] == {'docs': []}


@given(DOCUMENTS)
def test_without_an_executor_documents_get_ids_and_are_else_left_alone(docs):
    _, _, data = read('/x', json.dumps({'data': docs}).encode(), normal=True, timeout=None)
    found = json.loads(bytes(data))['docs']
    assert all(doc['id'] or 'id' in docs[n] for n, doc in enumerate(found))
    assert [{'id': doc['id'], **as_documents(docs)[n]} for n, doc in enumerate(found)] == found


@given(st.binary(max_size=50))
def test_whatever_arrives_is_read_or_refused(body):
    with contextlib.suppress(Refused):
        _, head, _ = read('/x', body, normal=True, timeout=1.0)
        assert head.timeout == 1.0


def test_ids_differ():
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(i) for i in ids} == {32}
