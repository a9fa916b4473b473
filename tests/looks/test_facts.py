import numpy as np

from jina.looks.facts import LOOKED_AT, cell, facts_of
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document


def facts(*docs):
    return {fact.name: (fact.number, fact.values) for fact in facts_of(DocumentArray(docs)).facts}


def test_what_is_common():
    assert facts(
        Document(text='ab', embedding=np.zeros(3, 'f4'), tags={'a': 1}, scores={'cosine': 1}, weight=0.5),
        Document(text='abcd', embedding=np.ones(3, 'f4'), tags={'b': 1}, weight=2),
        Document(buffer=b'123', chunks=[Document(), Document()], modality='m'),
    ) == {
        'mime_type': (2, 'text/plain'),
        'text': (2, '2 to 4 characters'),
        'buffer': (1, '3 bytes'),
        'embedding': (2, 'float32 (3,)'),
        'tags': (2, 'a, b'),
        'scores': (1, 'cosine'),
        'weight': (2, '0.5 to 2'),
        'chunks': (1, '2 Documents'),
        'modality': (1, 'm'),
    }


def test_what_differs_is_listed_and_counted():
    assert facts(*(Document(blob=np.zeros(n)) for n in range(1, 7)))['blob'] == (
        6,
        'float64 (1,), float64 (2,), float64 (3,), … (6 forms)',
    )


def test_ids_are_no_fact():
    assert facts(Document(id='a')) == {}


def test_an_empty_array():
    found = facts_of(DocumentArray())
    assert (found.title, found.facts, found.columns, found.rows) == ('DocumentArray of no Documents', [], [], [])


def test_of_a_long_array_the_first_are_looked_at():
    asked = []

    class Counting(DocumentArray):
        def __iter__(self):
            for doc in super().__iter__():
                asked.append(doc)
                yield doc

    found = facts_of(Counting(Document() for _ in range(LOOKED_AT + 500)))
    assert len(asked) == LOOKED_AT
    assert found.note == 'of the first 1,000 Documents'
    assert found.rest == '… 1,490 more'


def test_columns_are_those_that_occur():
    docs = DocumentArray([Document(text='a', uri='u'), Document(blob=[1, 2], tags={'a': 1}, matches=[Document()])])
    found = facts_of(docs)
    assert found.columns == ['content', 'tags', 'matches', 'uri']
    assert found.note is found.rest is None
    cells = [[cell(doc, column, 99) for column in found.columns] for doc in docs]
    assert cells == [['a', '', '', 'u'], ['int64 (2,)', 'a: 1', '1', '']]
