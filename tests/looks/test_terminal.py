import io
import sys

import numpy as np
import pytest
import rich
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from jina.looks.terminal import as_text, shared
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document

DOCUMENT = """\
Document
╭───────────┬───────────────────────────────────────────╮
│ id        │ d                                         │
│ mime_type │ text/plain                                │
│ text      │ hello                                     │
│ embedding │ float64 (128,)  [0 1 2 3 …] from 0 to 127 │
│ tags      │ a.b: 1                                    │
│           │ c: [red]                                  │
╰───────────┴───────────────────────────────────────────╯
chunks 7
├── c0  chunk 0
├── c1  chunk 1
├── c2  chunk 2
├── c3  chunk 3
├── c4  chunk 4
└── … 2 more
matches 1
└── m  cosine: 0.25  match"""

ARRAY = """\
DocumentArray of 12 Documents
╭───────────┬────────┬────────────────────╮
│ attribute │ set in │ values             │
├───────────┼────────┼────────────────────┤
│ mime_type │     12 │ text/plain         │
│ text      │     12 │ 0 to 55 characters │
│ tags      │     12 │ n                  │
╰───────────┴────────┴────────────────────╯

 id   content                          tags
 ──────────────────────────────────────────
 d0                                    n: 0
 d1   word                             n: 1
 d2   word word                        n: 2
 d3   word word word                   n: 3
 d4   word word word word              n: 4
 d5   word word word word word         n: 5
 d6   word word word word word word    n: 6
 d7   word word word word word word…   n: 7
 d8   word word word word word word…   n: 8
 d9   word word word word word word…   n: 9

… 2 more"""


@pytest.fixture
def columns(monkeypatch):
    return lambda width: monkeypatch.setenv('COLUMNS', str(width))


def a_document():
    return Document(
        id='d',
        text='hello',
        tags={'a': {'b': 1}, 'c': '[red]'},
        embedding=np.arange(128.0),
        chunks=[Document(id=f'c{n}', text=f'chunk {n}') for n in range(7)],
        matches=[Document(id='m', text='match', scores={'cosine': 0.25})],
    )


def an_array():
    return DocumentArray([Document(id=f'd{n}', text='word ' * n, tags={'n': n}) for n in range(12)])


def test_a_document(columns):
    columns(60)
    assert as_text(a_document()) == DOCUMENT


def test_an_array(columns):
    columns(45)
    assert as_text(an_array()) == ARRAY


def test_an_empty_array():
    assert as_text(DocumentArray()) == 'DocumentArray of no Documents'


def test_an_array_of_empty_documents():
    lines = as_text(DocumentArray([Document(id='a')])).splitlines()
    assert [line.strip() for line in lines if line.strip()][-1] == 'a'


@pytest.mark.parametrize('width', [20, 40, 80, 200])
@pytest.mark.parametrize('shown', [a_document, an_array])
def test_it_is_no_wider_than_the_terminal(columns, width, shown):
    columns(width)
    assert max(map(len, as_text(shown()).splitlines())) <= width


def test_columns_that_have_no_room_are_left_out(columns):
    docs = DocumentArray([Document(id='d', text='t', uri='u', weight=1, modality='m', location=[1])])
    columns(45)
    assert as_text(docs).splitlines()[-1].split() == ['d', 't', 'u']
    columns(120)
    assert as_text(docs).splitlines()[-1].split() == ['d', 't', 'u', 'm', '1', '[1]']


def test_nothing_in_a_document_acts_on_the_terminal():
    doc = Document(text='\x1b[2J', tags={'\x1b]0;': '\x07'}, chunks=[Document(id='\x1b', uri='\x1b[31m')])
    assert '\x1b' not in as_text(doc)
    assert '\x07' not in as_text(doc)
    assert '\x1b' not in as_text(DocumentArray([doc]))


def test_rich_shows_it_in_colour():
    console = Console(file=io.StringIO(), force_terminal=True, color_system='truecolor', width=60)
    console.print(a_document())
    assert '\x1b[36m' in console.file.getvalue()
    assert '\x1b' not in as_text(a_document())


def test_rich_prints_an_array(capsys):
    rich.print(an_array())
    assert 'DocumentArray of 12 Documents' in capsys.readouterr().out


def test_a_terminal_that_does_not_know_the_lines_gets_question_marks(monkeypatch):
    monkeypatch.setattr(sys, 'stdout', io.TextIOWrapper(io.BytesIO(), 'ascii'))
    assert as_text(Document(id='d')).splitlines()[2] == '? id ? d ?'


@given(st.integers(1, 200), st.lists(st.integers(1, 100), min_size=1, max_size=8))
def test_columns_share_the_room(room, wanted):
    given = shared(room, wanted)
    assert all(1 <= g <= w for g, w in zip(given, wanted, strict=True))
    assert sum(given) <= max(room, len(wanted))
    assert given == wanted or sum(given) >= room
    cut = [g for g, w in zip(given, wanted, strict=True) if g < w]
    assert not cut or max(given) - min(cut) <= 1
