import io
import os
import pty
import subprocess
import sys

import pytest

from jina.types.arrays.document import DocumentArray
from jina.types.document import Document

PROGRAM = """
from jina import Document, DocumentArray
print(Document(id='d', text='hello'))
print(DocumentArray([Document(id='d')]))
print(repr(Document(id='d')))
"""


@pytest.mark.parametrize('value', [Document(text='a'), DocumentArray([Document()])])
def test_where_there_is_no_terminal_it_is_the_repr(value):
    assert str(value) == repr(value)
    assert f'{value}' == repr(value)


@pytest.mark.parametrize('stdout', [None, object(), io.StringIO()])
def test_it_is_the_repr_whatever_stdout_is(monkeypatch, stdout):
    monkeypatch.setattr(sys, 'stdout', stdout)
    assert str(Document(id='d')).startswith('<jina.types.document.Document id=d at ')


def test_it_is_the_repr_when_stdout_is_closed(monkeypatch):
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, 'stdout', closed)
    assert str(DocumentArray()).startswith('<jina.types.arrays.document.DocumentArray length=0 at ')


def test_in_a_terminal_it_is_a_table():
    ours, theirs = pty.openpty()
    with open(ours, 'rb', buffering=0) as out:
        subprocess.run([sys.executable, '-W', 'error', '-c', PROGRAM], stdout=theirs, check=True, timeout=30)
        os.close(theirs)
        printed = read_all(out)
    assert '│ text      │ hello' in printed
    assert 'DocumentArray of 1 Document' in printed
    assert '<jina.types.document.Document id=d at ' in printed
    assert '\x1b' not in printed


def read_all(out):
    parts = []
    try:
        while part := out.read(4096):
            parts.append(part)
    except OSError:  # Linux says so that the other end is closed
        pass
    return b''.join(parts).decode()
