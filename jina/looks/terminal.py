"""Documents in a terminal."""

import sys
from collections.abc import Iterator
from io import StringIO
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from jina.looks.facts import FACT_COLUMNS, Facts, cell, facts_of
from jina.looks.outline import Branch, outline_of
from jina.looks.words import headline, rows_of, scores_of, short_id

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

LONGEST = 400
CHILDREN_SHOWN = 5
TREE_SHOWN = 30
NARROWEST = 14
GAP = 3


def as_text(renderable: RenderableType) -> str:
    """Return what rich would show, as wide as the terminal, in plain text.

    Without colours: what ``str`` gives may as well end up in a file. ``rich.print`` has them.
    """
    out = StringIO()
    console = Console(file=out, width=get_terminal_size().columns, color_system=None, legacy_windows=False)
    console.print(renderable)
    text = '\n'.join(line.rstrip() for line in out.getvalue().splitlines())
    encoding = getattr(sys.stdout, 'encoding', None) or 'utf-8'
    return text.encode(encoding, 'replace').decode(encoding)


def document(doc: 'Document') -> RenderableType:
    """Return a table of all that is set, and below it the tree of chunks and matches."""
    table = _table(type(doc).__name__, show_header=False)
    table.add_column(style='cyan', no_wrap=True)
    table.add_column(overflow='fold')
    for name, value in rows_of(doc, LONGEST):
        table.add_row(name, Text(value))
    tree = _tree(outline_of(doc, CHILDREN_SHOWN, TREE_SHOWN))
    # What the tree would begin with has just been shown.
    return Group(table, *tree.children)


def _table(title: str, **options: Any) -> Table:
    return Table(
        title=Text(title, style='bold'), title_justify='left', caption_justify='left', box=box.ROUNDED, **options
    )


def _tree(branch: Branch) -> Tree:
    tree = Tree(_label(branch), guide_style='dim')
    for group in branch.groups:
        inner = tree.add(Text.assemble((group.name, 'cyan'), f' {group.total:,}'))
        inner.children += map(_tree, group.branches)
        if group.branches and group.left:
            inner.add(Text(f'… {group.left:,} more', style='dim'))
    return tree


def _label(branch: Branch) -> Text:
    # One line a Document: a tree whose lines wrap cannot be read.
    doc = branch.doc
    label = Text.assemble((short_id(doc), 'dim'), '  ', (scores_of(doc, LONGEST), 'green'), headline(doc, LONGEST))
    label.no_wrap, label.overflow = True, 'ellipsis'
    return label


class ArrayLook:
    """A DocumentArray for rich: its facts, then its first Documents in as many columns as there is room for."""

    def __init__(self, docs: 'DocumentArray') -> None:
        self._facts = facts_of(docs)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[RenderableType]:
        if not self._facts.length:
            yield Text(self._facts.title, style='bold')
            return
        yield _facts_table(self._facts)
        yield _rows_table(self._facts, options.max_width)


def _facts_table(facts: Facts) -> Table:
    table = _table(facts.title, caption=facts.note)
    attribute, number, values = FACT_COLUMNS
    table.add_column(attribute, style='cyan', no_wrap=True)
    table.add_column(number, justify='right', no_wrap=True)
    table.add_column(values, no_wrap=True, overflow='ellipsis')
    for fact in facts.facts:
        table.add_row(*map(Text, fact.cells))
    return table


def _rows_table(facts: Facts, width: int) -> Table:
    columns = ['id', *facts.columns[: max(width // NARROWEST - 1, 1)]]
    cells = [[cell(doc, column, width) for column in columns] for doc in facts.rows]
    widest = [max(map(cell_len, (name, *values))) for name, *values in zip(columns, *cells, strict=True)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, caption=facts.rest, caption_justify='left')
    for column, size in zip(columns, shared(width - GAP * len(columns), widest), strict=True):
        table.add_column(column, no_wrap=True, overflow='ellipsis', width=size)
    for values in cells:
        table.add_row(*map(Text, values))
    return table


def shared(room: int, wanted: list[int]) -> list[int]:
    """Return widths for columns that want so much: the narrow get it, the wide share equally what is left."""
    given = dict.fromkeys(range(len(wanted)), 0)
    for left, column in zip(range(len(wanted), 0, -1), sorted(given, key=wanted.__getitem__), strict=True):
        given[column] = max(min(wanted[column], room // left), 1)
        room -= given[column]
    return list(given.values())
