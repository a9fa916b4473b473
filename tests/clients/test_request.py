"""From ``inputs`` to batches."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import Document, DocumentArray
from jina.clients.request import async_batches, batches, called, is_async, size_hint
from jina.excepts import BadClientInput

A, B, C = (Document(text=text) for text in 'abc')


async def stream(items):
    for item in items:
        yield item


def sync_way(items, size):
    return list(batches(iter(items), size))


def async_way(items, size):
    async def collect():
        return [batch async for batch in async_batches(stream(items), size)]

    return asyncio.run(collect())


both_ways = pytest.mark.parametrize('cut', [sync_way, async_way])


@both_ways
@given(st.integers(0, 30), st.integers(-1, 12))
def test_all_documents_in_order_in_batches_of_the_size_asked_for(cut, count, size):
    docs = [Document(text=str(n)) for n in range(count)]
    got = [docs for docs, _ in cut(docs, size)]
    assert [doc for batch in got for doc in batch] == docs
    assert all(len(batch) == size for batch in got[:-1])
    assert len(got) == (-(-count // size) if size > 0 else bool(count))


@both_ways
def test_an_iterator_without_documents_is_no_request(cut):
    assert cut([], 5) == []


@pytest.mark.parametrize('inputs', [None, [], (), DocumentArray()])
def test_no_documents_are_one_empty_request(inputs):
    assert list(batches(inputs, 5)) == [([], [])]


@both_ways
def test_pairs_bring_their_groundtruth(cut):
    assert cut([(A, B), C, (B, None)], 10) == [([A, C, B], [B])]


@pytest.mark.parametrize(
    ('inputs', 'expected'),
    [
        (None, []),
        (A, [A]),
        ([A, B], [A, B]),
        ((A, B), [A, B]),  # several Documents: a pair stands inside of an iterable
        (DocumentArray([A, B]), [A, B]),
        (lambda: A, [A]),
        (lambda: [A, B], [A, B]),
        (lambda: (doc for doc in (A, B)), [A, B]),
        ({A.id: A}.values(), [A]),
    ],
)
def test_what_inputs_may_be(inputs, expected):
    [(docs, groundtruths)] = batches(called(inputs), 100)
    assert (list(docs), groundtruths) == (expected, [])


@pytest.mark.parametrize('inputs', ['the-id', lambda: 'the-id'])
def test_an_id_alone_is_a_document(inputs):
    [([doc], [])] = batches(called(inputs), 100)
    assert (doc.id, doc.content) == ('the-id', None)
    assert size_hint(called(inputs)) == 1


@pytest.mark.parametrize('inputs', [b'bytes', {'text': 'x'}, 5, object()])
def test_what_inputs_may_not_be_is_named_with_what_to_do(inputs):
    with pytest.raises(BadClientInput, match=rf'inputs is a {type(inputs).__name__}: .*wrap content as Document'):
        list(batches(inputs, 10))


@both_ways
@pytest.mark.parametrize('bad', ['text', 5, None, (A, 'text'), (A, B, C)])
def test_an_item_that_is_no_document_is_named_with_its_position(cut, bad):
    with pytest.raises(BadClientInput, match=r'inputs holds a \w+ at position 3'):
        cut([A, B, C, bad], 2)


@both_ways
def test_inputs_that_raise_are_told_from_where(cut):
    def broken():
        yield from (A, B, C)
        raise KeyError('disk')

    with pytest.raises(BadClientInput, match=r"inputs raised KeyError after \d Documents or more: 'disk'") as raised:
        cut(broken(), 2)
    assert isinstance(raised.value.__cause__, KeyError)


def test_batches_are_read_as_they_are_asked_for():
    read = []

    def endless():
        while True:
            read.append(1)
            yield A

    first = next(batches(endless(), 3))
    assert (len(first[0]), len(read)) == (3, 3)


def test_sizes_are_known_where_there_is_a_length():
    assert [size_hint(i) for i in (None, A, [A, B], DocumentArray([A]), iter([A]))] == [0, 1, 2, 1, None]


def test_async_inputs_are_recognised():
    assert is_async(stream([]))
    assert not is_async([A])
