"""The pages of docs/reference are those that the docstrings make."""

import importlib.util
from pathlib import Path

import pytest

REPO = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def reference():
    spec = importlib.util.spec_from_file_location('reference', REPO / 'tools' / 'reference.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_pages_are_up_to_date(reference):
    written = {path.name: path.read_text('utf-8') for path in reference.FOLDER.glob('*.md')}
    wanted = reference.pages()
    stale = sorted(name for name in written.keys() | wanted.keys() if written.get(name) != wanted.get(name))
    assert not stale, 'call: make reference'


def test_public_names_have_a_page(reference):
    pages = reference.pages()
    assert {'jina.md', 'jina.types.document.md', 'jina.types.arrays.document.md', 'jina.excepts.md'} <= set(pages)
    assert '### match' in pages['jina.types.arrays.document.md']
    assert '### plot' in pages['jina.md']


def test_a_docstring_becomes_markdown(reference):
    docstring = """Do it, as :meth:`~a.B.other` with ``x``.

    More::

        drawn
          as it is

    >>> do()
    1

    :param x: what
        it is.
    :raises ValueError: when not.
    :return: all.
    """
    assert reference.markdown(docstring) == (
        'Do it, as `other` with `x`.\n\nMore:\n\n```\ndrawn\n  as it is\n```\n\n```\n>>> do()\n1\n```\n\n'
        'Parameters:\n\n- `x`: what it is.\n\nRaises:\n\n- `ValueError`: when not.\n\nReturns:\n\n- all.'
    )


def test_a_signature_is_that_of_the_source(reference):
    class Thing:
        def method(self, a: 'int | None' = None, *, b: str = 'x') -> 'list[Thing]': ...

    assert reference._signature(Thing.method) == "(a: int | None=None, *, b: str='x') → list[Thing]"
