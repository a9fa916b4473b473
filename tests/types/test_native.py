import struct
import tracemalloc

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from jina.excepts import BadDocument
from jina.types.arrays import DocumentArray
from jina.types.document import Document
from jina.types.native import decode, encode

DTYPES = ['?', 'i1', 'u2', '<i4', '>i4', '<i8', 'f2', '<f4', '>f4', 'f8', 'c8', 'c16']


def body_of(docs, groundtruths=None) -> bytes:
    return b''.join(encode(docs, groundtruths))


def parts_of(body: bytes) -> tuple[bytes, bytes, bytes]:
    packed, table = struct.unpack_from('<II', body)
    return body[8 : 8 + packed], body[8 + packed : 8 + packed + table], body[8 + packed + table :]


def made_of(packed: object, table: object = None, blocks: bytes = b'') -> bytes:
    """A body of parts that ``encode`` would not write."""
    parts = [part if isinstance(part, bytes) else msgspec.msgpack.encode(part) for part in (packed, table or b'')]
    head = struct.pack('<II', *map(len, parts)) + b''.join(parts)
    return head + bytes(-len(head) % 16 if parts[1] else 0) + blocks


def reference(block: int, row: int) -> msgspec.msgpack.Ext:
    return msgspec.msgpack.Ext(1, struct.pack('<II', block, row))


numbers = arrays(
    st.sampled_from(DTYPES),
    array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements={'allow_nan': False},
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
leaves = st.builds(
    Document,
    content=st.none() | st.text(max_size=20) | st.binary(max_size=20) | numbers,
    embedding=st.none() | numbers,
    tags=st.dictionaries(st.text(max_size=5), values, max_size=3),
    weight=st.none() | st.floats(allow_nan=False),
    location=st.lists(st.integers(0, 2**32), max_size=3),
    scores=st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False), max_size=2),
)
documents = st.lists(
    st.builds(
        lambda doc, chunks, matches: Document(doc, chunks=chunks, matches=matches),
        leaves,
        st.lists(leaves, max_size=2),
        st.lists(leaves, max_size=2),
    ),
    max_size=4,
)


@given(documents, documents)
def test_round_trip(docs, groundtruths):
    body = body_of(docs, groundtruths)
    found, truths = decode(body)
    assert [doc.dict() for doc in found] == [doc.dict() for doc in docs]
    assert [doc.dict() for doc in truths] == [doc.dict() for doc in groundtruths]
    assert body_of(found, truths) == body


BODIES = [
    body_of([Document(text='a', tags={'b': [1, 2.5, None]}, location=[1], scores={'c': 1})]),
    body_of([Document(embedding=np.float32([1, n]), blob=np.eye(2)) for n in range(3)], [Document(buffer=b'x')]),
    body_of([Document(chunks=[Document(embedding=[1])], matches=[Document(blob=np.zeros(10_000))])]),
]


@given(st.sampled_from(BODIES), st.data())
@settings(max_examples=200)
def test_broken_bodies_are_bad_documents(whole, data):
    body = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, min(300, len(body)) - 1))
        body[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    for broken in (bytes(body), bytes(body[:cut]), bytes(body) + b'\0'):
        try:
            decode(broken)
        except BadDocument:
            pass


@given(st.binary(max_size=200))
def test_noise(noise):
    try:
        decode(noise)
    except BadDocument:
        pass


class TestLayout:
    def test_without_arrays(self):
        docs = [Document(text='a')]
        packed, table, rest = parts_of(body_of(docs, [Document(text='b')]))
        plain = msgspec.msgpack.decode(packed)
        assert [[doc['text'] for doc in part] for part in plain] == [['a'], ['b']]
        assert (table, rest) == (b'', b'')

    def test_nothing(self):
        assert body_of([]) == b'\x03\0\0\0\0\0\0\0\x92\x90\x90'
        assert decode(body_of([])) == ([], [])

    def test_arrays_of_one_form_are_one_block(self):
        docs = [Document(embedding=np.float32([n, 0, 1]), blob=np.arange(n, n + 2)) for n in range(5)]
        body = body_of(docs)
        _, table, rest = parts_of(body)
        assert msgspec.msgpack.decode(table) == [['<i8', [2], 5], ['<f4', [3], 5]]
        assert len(body) % 16 == 0
        assert len(rest) - len(rest) % 16 == 80 + 64
        embeddings = np.frombuffer(body[-64:], '<f4', 15).reshape(5, 3)
        assert embeddings.tolist() == [[n, 0, 1] for n in range(5)]

    def test_a_document_array(self):
        docs = DocumentArray([Document(text='a')])
        assert decode(body_of(docs, docs))[1] == list(docs)


class TestCopies:
    def test_big_arrays_are_not_copied(self):
        big = np.zeros((100, 1000))
        buffers = encode([Document(blob=big), Document(blob=big[::-1])])
        views = [buffer for buffer in buffers if isinstance(buffer, memoryview)]
        assert [np.shares_memory(np.frombuffer(view), big) for view in views] == [True, False]

    def test_arrays_are_views_of_the_body(self):
        body = bytearray(body_of([Document(embedding=[1.0, 2.0])]))
        docs, _ = decode(body)
        docs[0].embedding[0] = 5
        assert decode(body)[0][0].embedding.tolist() == [5, 2]

    def test_arrays_of_immutable_bodies_are_read_only(self):
        assert not decode(body_of([Document(embedding=[1.0])]))[0][0].embedding.flags.writeable

    def test_embeddings_are_the_block_itself(self):
        body = body_of([Document(embedding=np.full(128, n, 'f4')) for n in range(100)])
        docs = DocumentArray(decode(body)[0])
        assert np.shares_memory(docs.embeddings, np.frombuffer(body, np.uint8))
        assert docs.embeddings[:, 0].tolist() == list(range(100))

    def test_a_view_of_the_body_somewhere_in_memory(self):
        body = body_of([Document(embedding=[1.0, 2.0])])
        assert decode(memoryview(b'xyz' + body)[3:])[0][0].embedding.tolist() == [1, 2]


@pytest.mark.parametrize(
    'array',
    [
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(12).reshape(3, 4)[:, ::2],
        np.arange(3)[::-1],
        np.array(5.0),
        np.zeros((0, 3)),
        np.zeros((3, 0)),
        np.asfortranarray(np.random.default_rng(0).normal(size=(200, 100))),
    ],
)
@pytest.mark.parametrize('count', [1, 3])
def test_any_layout_in_memory(array, count):
    docs, _ = decode(body_of([Document(blob=array) for _ in range(count)]))
    for doc in docs:
        assert np.array_equal(doc.blob, array)
        assert (doc.blob.shape, doc.blob.dtype) == (array.shape, array.dtype)


def test_numpy_values_in_tags():
    docs, _ = decode(body_of([Document(tags={'a': np.float32(0.5), 'b': np.int64(3), 'c': np.eye(2)})]))
    assert (docs[0].tags['a'], docs[0].tags['b']) == (0.5, 3)
    assert np.array_equal(docs[0].tags['c'], np.eye(2))


def test_what_cannot_be_sent():
    with pytest.raises(TypeError, match='type object cannot be sent'):
        encode([Document(tags={'a': object()})])
    with pytest.raises(TypeError, match='dtype object'):
        encode([Document(tags={'a': np.array([None])})])


F4 = ['<f4', [2], 1]


@pytest.mark.parametrize(
    'body',
    [
        b'',
        b'\0' * 7,
        b'\0' * 8,
        struct.pack('<II', 2**32 - 1, 2**32 - 1),
        made_of([[], []]) + b'x',
        made_of([[]]),
        made_of([[], [], []]),
        made_of([[5], []]),
        made_of([[{'text': 5}], []]),
        made_of([[{'embedding': [1.0]}], []]),
        made_of([[{'embedding': 'x'}], []]),
        made_of([[{'blob': b'x'}], []]),
        made_of([[{'text': b'x'}], []]),
        made_of([[{'tags': {1: 2}}], []]),
        made_of([[{'embedding': reference(0, 0)}], []]),
        made_of([[{'tags': {'a': reference(0, 0)}}], []]),
        made_of(b'\x92\x91\x81\xa4text\xa2\xff\xff\x90'),
        made_of(b'\xdd\xff\xff\xff\xff'),
        made_of(b'\x92\xdd\xff\xff\xff\xff\x90'),
        made_of(b'\x92\x91\x81\xa6chunks' + b'\x91\x81\xa6chunks' * 5000 + b'\x90\x90'),
        made_of([[{'embedding': reference(1, 0)}], []], [F4], bytes(16)),
        made_of([[{'embedding': reference(0, 1)}], []], [F4], bytes(16)),
        made_of([[{'embedding': reference(2**32 - 1, 2**32 - 1)}], []], [F4], bytes(16)),
        made_of([[{'embedding': msgspec.msgpack.Ext(1, b'short')}], []], [F4], bytes(16)),
        made_of([[{'embedding': msgspec.msgpack.Ext(2, bytes(8))}], []], [F4], bytes(16)),
        made_of([[{'text': reference(0, 0)}], []], [F4], bytes(16)),
        made_of([[], []], [F4], bytes(8)),
        made_of([[], []], [F4], bytes(32)),
        made_of([[], []], [F4]),
        made_of([[], []], {'a': 1}),
        made_of([[], []], [['<f4', [2]]]),
        made_of([[], []], [['O', [2], 1]], bytes(16)),
        made_of([[], []], [['V8', [2], 1]], bytes(16)),
        made_of([[], []], [['<f4,<f4', [2], 1]], bytes(16)),
        made_of([[], []], [['nonsense', [2], 1]], bytes(16)),
        made_of([[], []], [['<f4', [-2], -1]], bytes(16)),
        made_of([[], []], [['<f4', [2**40, 2**40], 1]], bytes(16)),
        made_of([[], []], [['<f4', [2**63 - 1, 0], 2**40]]),
        made_of([[], []], [['<f4', [1] * 100, 1]], bytes(16)),
        made_of([[], []], [['<f4', [2**64 - 1], 1]], bytes(16)),
    ],
)
def test_malformed(body):
    tracemalloc.start()
    with pytest.raises(BadDocument):
        decode(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000
