"""What DocumentArray.load(file_format='binary') reads beside what is written here, and what it says of the rest."""

import io

import numpy as np
import pytest

from jina import Document, DocumentArray
from jina.excepts import BadDocument
from jina.types.native import decode

# What release 2.0.24 writes for
#   d = Document(id='a', text='hi', tags={'k': 1}); d.chunks.append(Document(id='b', text='c'))
#   d.scores['s'].value = .5; d.embedding = np.array([1, 2], dtype=np.float32)
#   DocumentArray([d, Document(id='e', buffer=b'xy')]).save('two.bin', file_format='binary')
FROM_2_0_24 = (
    b'\nc\n\x01a"\x18\n\x01bR\ntext/plainj\x01cp\x01\x82\x01\x01'
    b'aR\ntext/plainZ\x10\n\x0e\n\x01k\x12\t\x11\x00\x00\x00\x00\x00\x00\xf0'
    b'?j\x02hi\x9a\x01\x14\n\x12\n\x08\x00\x00\x80?\x00\x00\x00@\x12\x01\x02\x1a\x03<f4\xe2\x01'
    b'\n\n\x01s\x12\x05\r\x00\x00\x00?\n\x07\n\x01e\x1a\x02xy'
)


def load(body: bytes) -> DocumentArray:
    return DocumentArray.load(io.BytesIO(body), file_format='binary')


def saved(*docs: Document) -> bytes:
    handle = io.BytesIO()
    DocumentArray(docs).save(handle, file_format='binary')
    return handle.getvalue()


def test_a_file_of_release_2(tmp_path):
    (tmp_path / 'two.bin').write_bytes(FROM_2_0_24)
    docs = DocumentArray.load_binary(tmp_path / 'two.bin')
    assert type(docs) is DocumentArray
    assert docs.get_attributes('id') == ['a', 'e']
    assert (docs[0].text, docs[0].tags, docs[0].scores['s'].value) == ('hi', {'k': 1}, 0.5)
    assert (docs[0].chunks[0].text, docs[0].chunks[0].parent_id) == ('c', 'a')
    assert docs[1].buffer == b'xy'
    docs[0].embedding += 1
    assert docs[0].embedding.tolist() == [2, 3]


def test_release_2_writes_nothing_for_no_documents():
    assert len(load(b'')) == 0


def test_what_is_written_is_our_own():
    body = saved(*load(FROM_2_0_24))
    assert decode(body)[0] == list(load(FROM_2_0_24))


def test_a_file_that_begins_as_ours_do():
    # The ninth byte of ours is 0x92; here it is half a letter of the id.
    body = b'\n\t\n\x07abc' + 'В'.encode() + b'ef'
    assert body[8] == saved(Document())[8] == 0x92
    assert load(body)[0].id == 'abcВef'


@pytest.mark.parametrize(
    'body',
    [
        b'hello',
        b'{"text": "x"}\n',
        b'\x89PNG\r\n\x1a\n' + bytes(40),
        b'\x12\x00',
        b'\x08\x01',
        b'\n\x02hi',
        b'\n\n',
        bytes(20),
    ],
)
def test_a_file_that_is_neither(body):
    with pytest.raises(BadDocument, match=r'neither here nor in 2\.x') as told:
        load(body)
    assert ('if 2.x wrote it, it was cut' in str(told.value)) == body.startswith(b'\n')


@pytest.mark.parametrize('length', [100, len(FROM_2_0_24) - 1])
def test_a_file_of_release_2_that_was_cut(length):
    with pytest.raises(BadDocument, match=r'if 2\.x wrote it, it was cut'):
        load(FROM_2_0_24[:length])


@pytest.mark.parametrize('embedding', [None, np.arange(3.0)])
def test_a_file_of_ours_that_was_cut(embedding):
    body = saved(Document(text='hello', embedding=embedding))
    with pytest.raises(BadDocument) as told:
        load(body[:-1])
    assert '2.x' not in str(told.value)
