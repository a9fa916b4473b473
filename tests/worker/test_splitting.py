"""Whose are the documents that a shared call left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina import Document
from jina.excepts import BadDocType
from jina.worker.split import split

sizes = st.lists(st.integers(1, 4), min_size=1, max_size=6)


def documents(sizes):
    return [[Document(text=f'{n}.{i}') for i in range(size)] for n, size in enumerate(sizes)]


def flat(parts):
    return [doc for part in parts for doc in part]


def same(parts, others):
    return [list(map(id, part)) for part in parts] == [list(map(id, other)) for other in others]


@given(sizes)
def test_what_was_left_alone_goes_back_as_it_came(sizes):
    docs = documents(sizes)
    assert same(split(docs, flat(docs)), docs)


@given(sizes)
def test_new_ones_go_by_their_place(sizes):
    docs, new = documents(sizes), documents(sizes)
    assert same(split(docs, flat(new)), new)


@given(sizes, st.data())
def test_those_that_were_given_stay_with_their_owner_in_any_order_and_number(sizes, data):
    docs = documents(sizes)
    left = data.draw(st.lists(st.sampled_from(flat(docs)), max_size=20))
    expected = [[doc for doc in left if any(doc is mine for mine in part)] for part in docs]
    assert same(split(docs, left), expected)


def test_new_ones_among_old_ones_at_their_place():
    docs, new = documents([2, 1]), Document()
    assert same(split(docs, [docs[0][0], new, docs[1][0]]), [[docs[0][0], new], [docs[1][0]]])


@pytest.mark.parametrize(
    'left',
    [
        lambda a, b, c: [Document()],
        lambda a, b, c: [Document() for _ in range(4)],
        lambda a, b, c: [c, Document(), a],  # a stands where a document of the other request would
        lambda a, b, c: [a, Document()],
    ],
)
def test_whose_owner_cannot_be_told_is_an_error(left):
    docs = documents([2, 1])
    found = left(*flat(docs))
    with pytest.raises(BadDocType, match=rf'returned {len(found)} Documents in a call with 3 of 2 requests'):
        split(docs, found)
