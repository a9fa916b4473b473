"""Documents in a notebook: HTML that needs nothing from anywhere else, on a light or a dark page."""

from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING

from jina.looks.facts import FACT_COLUMNS, Facts, cell, facts_of
from jina.looks.outline import Branch, Group, outline_of
from jina.looks.thumbnail import data_uri, thumbnail
from jina.looks.words import counted, rows_of

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

LONGEST = 1000
LONGEST_CELL = 80
CHILDREN_SHOWN = 5
TREE_SHOWN = 30
PLACES = ('parent_id', 'granularity', 'adjacency')  # to be seen from where it stands
IMAGE = 128
SMALL_IMAGE = 48

# Colours of the page are kept; lines and hints are of a grey that is seen on white and on black.
STYLE = """<style>
.jina-look table {border-collapse: collapse; margin: .3em 0 .6em; font-size: 90%; color: inherit}
.jina-look td, .jina-look th {text-align: left; vertical-align: top; padding: .25em .8em .25em .4em;
  border: 0; border-top: 1px solid rgba(128, 128, 128, .4); background: none; white-space: pre-wrap;
  overflow-wrap: anywhere; max-width: 60em}
.jina-look th {font-weight: 600; white-space: nowrap}
.jina-look details {margin-left: 1.2em}
.jina-look summary {cursor: pointer}
.jina-look .hint {color: #808080}
.jina-look img {image-rendering: auto; border-radius: 3px}
</style>"""


def document(doc: 'Document') -> str:
    """Return a table of all that is set, with an image if it holds one; chunks and matches fold out."""
    outline = outline_of(doc, CHILDREN_SHOWN, TREE_SHOWN)
    return _page(f'<strong>{escape(type(doc).__name__)}</strong>{_branch(outline)}')


def array(docs: 'DocumentArray') -> str:
    """Return what an array has in common, and a table of its first Documents."""
    facts = facts_of(docs)
    title = f'<strong>{escape(facts.title)}</strong>'
    if not facts.length:
        return _page(title)
    common = _table([_texts(fact.cells) for fact in facts.facts], FACT_COLUMNS)
    return _page(f'{title}{common}{_hint(facts.note)}{_rows(facts)}{_hint(facts.rest)}')


def _rows(facts: Facts) -> str:
    columns = ['id', *facts.columns]
    images = [_image(doc, SMALL_IMAGE) for doc in facts.rows]
    cells = [_texts(cell(doc, column, LONGEST_CELL) for column in columns) for doc in facts.rows]
    if not any(images):
        return _table(cells, columns)
    return _table(([image, *row] for image, row in zip(images, cells, strict=True)), ['', *columns])


def _page(content: str) -> str:
    return f'<div class="jina-look">{STYLE}{content}</div>'


def _branch(branch: Branch, nested: bool = False) -> str:
    known = PLACES if nested else ()
    rows = [_texts(row) for row in rows_of(branch.doc, LONGEST) if row[0] not in known]
    image = _image(branch.doc, SMALL_IMAGE if nested else IMAGE)
    table = _table([*rows, ['image', image]] if image else rows)
    return table + ''.join(map(_group, branch.groups))


def _group(group: Group) -> str:
    inner = ''.join(_branch(branch, nested=True) for branch in group.branches)
    rest = f'… {group.left:,} more' if group.left else None
    summary = f'{group.name} <span class="hint">{counted(group.total, "Document")}</span>'
    return f'<details><summary>{summary}</summary>{inner}{_hint(rest)}</details>'


def _image(doc: 'Document', size: int) -> str:
    image = thumbnail(doc, size)
    return '' if image is None else f'<img alt="" src="{data_uri(image)}">'


def _texts(values: Iterable[object]) -> list[str]:
    return [escape(str(value)) for value in values]


def _table(rows: Iterable[Iterable[str]], head: Iterable[str] = ()) -> str:
    """Return a table of cells that are HTML already; without a head, the first column is one."""
    titles = ''.join(f'<th>{escape(title)}</th>' for title in head)
    top = f'<thead><tr>{titles}</tr></thead>' if titles else ''
    return f'<table>{top}<tbody>{"".join(_row(list(row), bool(titles)) for row in rows)}</tbody></table>'


def _row(cells: list[str], below_head: bool) -> str:
    first = 'td' if below_head else 'th'
    rest = ''.join(f'<td>{content}</td>' for content in cells[1:])
    return f'<tr><{first}>{cells[0]}</{first}>{rest}</tr>'


def _hint(text: str | None) -> str:
    return f'<div class="hint">{escape(text)}</div>' if text else ''
