"""One Document as protobuf; the codec itself has the suite tests/wire/test_codecs.py."""

import numpy as np
import pytest

from jina import Document
from jina.excepts import BadDocument
from jina.proto.jina_pb2 import DocumentProto
from jina.types.document.multimodal import MultimodalDocument

# What release 2.0.24 gives for
#   d = Document(id='a', text='hi', tags={'k': [1, 'x']}, weight=.5, embedding=np.array([1, 2], dtype=np.float32))
#   d.chunks.append(Document(id='b', buffer=b'c')); d.matches.append(Document(id='m'))
#   d.scores['s'].value = .5; d.evaluations['e'].op_name = 'o'; d.binary_str()
FROM_2_0_24 = (
    b'\n\x01a"\x18\n\x01b\x1a\x01cR\ntext/plainp\x01\x82\x01\x01a-'
    b'\x00\x00\x00?B\x06\n\x01m\xb0\x01\x01R\ntext/plainZ\x19\n\x17\n\x01'
    b'k\x12\x122\x10\n\t\x11\x00\x00\x00\x00\x00\x00\xf0?\n\x03\x1a\x01xj\x02hi\x9a\x01\x14\n\x12'
    b'\n\x08\x00\x00\x80?\x00\x00\x00@\x12\x01\x02\x1a\x03<f4\xe2\x01\n\n\x01s\x12\x05\r\x00\x00\x00'
    b'?\xea\x01\x08\n\x01e\x12\x03\x12\x01o'
)


def test_a_document_is_bytes_that_others_read():
    doc = Document(text='hello', tags={'a': 1}, embedding=np.array([1, 2], np.float32), chunks=[Document(text='he')])
    read = DocumentProto.FromString(doc.binary_str())
    assert (read.id, read.text, read.tags['a'], read.chunks[0].text) == (doc.id, 'hello', 1, 'he')
    assert list(read.embedding.dense.shape) == [2]


def test_bytes_of_release_2():
    doc = Document(FROM_2_0_24)
    assert (doc.id, doc.text, doc.tags, doc.weight) == ('a', 'hi', {'k': [1, 'x']}, 0.5)
    assert doc.embedding.tolist() == [1, 2]
    assert [(chunk.id, chunk.buffer, chunk.parent_id, chunk.granularity) for chunk in doc.chunks] == [
        ('b', b'c', 'a', 1)
    ]
    assert [(match.id, match.adjacency) for match in doc.matches] == [('m', 1)]
    assert (doc.scores['s'].value, doc.evaluations['e'].op_name) == (0.5, 'o')


def test_they_are_where_a_document_begins():
    doc = MultimodalDocument(Document(id='a', text='b').binary_str(), id='c', weight=1)
    assert (type(doc), doc.id, doc.text, doc.weight) == (MultimodalDocument, 'c', 'b', 1.0)


@pytest.mark.parametrize('body', [b'{"id": "x", "text": "y"}', b' \r\n\t{"id": "x", "text": "y"}'])
def test_bytes_of_json(body):
    assert Document(body).get_attributes('id', 'text') == ['x', 'y']


@pytest.mark.parametrize('name', ['{' * 123, '{' + 8 * ' ', '{"a"' + 28 * ' '])
def test_protobuf_that_looks_like_json(name):
    body = Document(id=name).binary_str()
    assert body.lstrip()[:1] == b'{'
    assert Document(body).id == name


@pytest.mark.parametrize('body', [b'hi', b'hello', b'[1]', b'"x"', b'\x00', b'\xff' * 99, FROM_2_0_24[:-1]])
def test_bytes_that_are_neither(body):
    with pytest.raises(BadDocument, match=r'neither JSON nor protobuf: .*; bytes that are content go to buffer='):
        Document(body)


@pytest.mark.parametrize('body', [b'{"a":', b'\n{"a'])
def test_json_that_is_cut(body):
    with pytest.raises(BadDocument, match='not JSON'):
        Document(body)
