import re

import pytest

from jina.excepts import BadOption
from jina.types.arrays import DocumentArray
from jina.types.document import Document


@pytest.fixture
def docs() -> DocumentArray:
    return DocumentArray(
        [
            Document(id='a', tags={'city': 'Barcelona', 'phone': '5', 'n': 15}),
            Document(id='b', tags={'city': 'Berlin', 'phone': '7', 'place': {'street': 'Ohlauer'}}),
            Document(id='c', tags={'city': 'Brussels\nB', 'list': ['x'], 'none': None, 'yes': True}),
            Document(id='d', text='Berlin', chunks=[Document(id='e', tags={'city': 'Bonn'})]),
        ]
    )


def ids(docs) -> str:
    return ''.join(doc.id for doc in docs)


@pytest.mark.parametrize(
    ('regexes', 'expected'),
    [
        ({'city': 'B'}, 'abc'),
        ({'city': 'Ber'}, 'b'),
        ({'city': 'lin'}, ''),
        ({'city': '.*lin$'}, 'b'),
        ({'city': re.compile('b', re.IGNORECASE)}, 'abc'),
        ({'city': '(?s).*B$'}, 'c'),
        ({'n': '15'}, 'a'),
        ({'yes': 'True'}, 'c'),
        ({'place__street': 'Ohl'}, 'b'),
        ({'place': '.*'}, ''),
        ({'list': '.*'}, ''),
        ({'none': '.*'}, ''),
        ({'nowhere': ''}, ''),
        ({'city__x': ''}, ''),
        ({'city': 'B', 'phone': '5'}, 'a'),
        ({}, 'abcd'),
    ],
)
def test_tags(docs, regexes, expected):
    found = docs.find(regexes)
    assert type(found) is DocumentArray
    assert ids(found) == expected


@pytest.mark.parametrize(
    ('operator', 'threshold', 'expected'),
    [
        ('>=', None, 'a'),
        ('>=', 1, 'abc'),
        ('>=', 0, 'abcd'),
        ('>', 1, 'a'),
        ('<', None, 'bcd'),
        ('<', 1, 'd'),
        ('<=', 1, 'bcd'),
        ('==', 1, 'bc'),
        ('==', None, 'a'),
        ('!=', 1, 'ad'),
    ],
)
def test_how_many_must_match(docs, operator, threshold, expected):
    assert ids(docs.find({'city': 'B', 'phone': '5'}, operator=operator, threshold=threshold)) == expected


def test_paths(docs):
    assert ids(docs.find({'city': 'B'}, traversal_paths=['c'])) == 'e'
    assert ids(docs.find({'city': 'B'}, ['r', 'c'])) == 'abce'
    assert ids(docs.find({'city': 'B'}, 'c,r')) == 'eabc'


def test_what_is_found_is_not_copied(docs):
    assert docs.find({'city': 'Ber'})[0] is docs['b']


def test_errors(docs):
    with pytest.raises(BadOption, match=r"one of >=, >, <=, <, ==, !=, not '~'"):
        docs.find({'city': 'B'}, operator='~')
    for regex in ('(', None, 5):
        with pytest.raises(BadOption, match="the regex of 'city' cannot be read"):
            docs.find({'city': regex})


def test_a_tag_may_have_underscores():
    docs = DocumentArray([Document(id='a', tags={'x__y': 'z'})])
    assert ids(docs.find({'x__y': 'z'})) == 'a'
