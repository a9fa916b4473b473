"""What can be said of a DocumentArray as a whole, and which columns a table of it has."""

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from jina.looks.words import CHILDREN, brief, brief_form, counted, cut, form_of, headline, short_id

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray
    from jina.types.document import Document

LOOKED_AT = 1000  # an array may be long, or on a disk: a look must not take longer for it
ROWS = 10
VALUES = 4

# What a table shows first, where there is little room. The three contents share one column.
PRIORITY = ('content', 'tags', 'scores', 'embedding', 'chunks', 'matches', 'uri', 'modality', 'weight', 'location')


class Fact(NamedTuple):
    """One attribute over the Documents looked at: in how many it is set, and what the values have in common."""

    name: str
    number: int
    values: str

    @property
    def cells(self) -> tuple[str, str, str]:
        """What a table shows of it."""
        return self.name, f'{self.number:,}', self.values


FACT_COLUMNS = ('attribute', 'set in', 'values')


class Facts(NamedTuple):
    """What is said of a DocumentArray.

    :ivar title: its class and length.
    :ivar looked_at: how many Documents, the first ones, the facts hold for.
    :ivar columns: names of columns for a table, the most telling first.
    :ivar rows: the Documents for that table.
    """

    title: str
    length: int
    looked_at: int
    facts: list[Fact]
    columns: list[str]
    rows: 'list[Document]'

    @property
    def note(self) -> str | None:
        """For which Documents the facts hold, if not for all."""
        return f'of the first {self.looked_at:,} Documents' if self.looked_at < self.length else None

    @property
    def rest(self) -> str | None:
        """How many Documents the table leaves out, if any."""
        left = self.length - len(self.rows)
        return f'… {left:,} more' if left else None


def facts_of(docs: 'DocumentArray') -> Facts:
    """Look at the first Documents of an array."""
    first = list(islice(docs, LOOKED_AT))
    values: dict[str, list[Any]] = {}
    for doc in first:
        for name in doc.non_empty_fields:
            values.setdefault(name, []).append(getattr(doc, name))
    values.pop('id', None)
    facts = [Fact(name, len(found), _common(name, found)) for name, found in values.items()]
    rows = first[:ROWS]
    length = counted(len(docs), 'Document') if len(docs) else 'no Documents'
    return Facts(f'{type(docs).__name__} of {length}', len(docs), len(first), facts, _columns(rows), rows)


def _common(name: str, values: Sequence[Any]) -> str:
    """Return what the values of an attribute have in common, in a few words."""
    if name in CHILDREN:
        return counted(sum(map(len, values)), 'Document')
    if hasattr(values[0], 'shape'):
        return _listed([form_of(value) for value in values], 'form')
    if name in ('tags', 'scores', 'evaluations'):
        return _listed([key for value in values for key in value], 'name')
    if name in ('text', 'buffer'):
        return _lengths([len(value) for value in values], 'character' if name == 'text' else 'byte')
    if isinstance(values[0], (int, float)):
        return f'{brief(min(values), 20)} to {brief(max(values), 20)}' if len(set(values)) > 1 else str(values[0])
    return _listed([brief(value, 40) for value in values], 'value')


def _listed(words: list[str], noun: str) -> str:
    different = list(dict.fromkeys(words))
    if len(different) <= VALUES:
        return ', '.join(cut(word, 40) for word in different)
    return f'{", ".join(cut(word, 40) for word in different[: VALUES - 1])}, … ({counted(len(different), noun)})'


def _lengths(lengths: list[int], noun: str) -> str:
    least, most = min(lengths), max(lengths)
    return counted(most, noun) if least == most else f'{least:,} to {counted(most, noun)}'


def _columns(rows: 'list[Document]') -> list[str]:
    filled = {name for doc in rows for name in doc.non_empty_fields}
    if any(doc.content_type for doc in rows):
        filled.add('content')
    return [name for name in PRIORITY if name in filled]


def cell(doc: 'Document', column: str, limit: int) -> str:
    """Return what a table shows of a Document in a column; '' where there is nothing."""
    if column == 'id':
        return short_id(doc)
    if column == 'content':
        return headline(doc, limit) if doc.content_type else ''
    if column not in doc.non_empty_fields:
        return ''
    value = getattr(doc, column)
    return f'{len(value):,}' if column in CHILDREN else brief_form(value, limit)
