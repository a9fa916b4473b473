"""Values in few words, as every look shows them."""

from collections.abc import Iterable, Mapping
from reprlib import Repr
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from jina.types.document import Document

Array: TypeAlias = np.ndarray[Any, Any]

_REPR = Repr()  # of a long list it shows the first values, and does not look at the others
_REPR.maxstring = _REPR.maxother = 100

CONTENTS = ('text', 'buffer', 'blob', 'graph')
CHILDREN = ('chunks', 'matches')

ID_WIDTH = 10
FIRST_VALUES = 4
FIRST_BYTES = 8
ENTRIES = 12
MEASURED = 10_000_000  # of larger arrays, to find minimum and maximum would be felt


def cut(text: str, limit: int) -> str:
    """Return at most ``limit`` characters of ``text`` on one line, with control characters made visible."""
    shown = ''.join(map(_printable, text[: limit + 1]))
    return shown if len(shown) <= limit else f'{shown[: limit - 1]}…'


def _printable(character: str) -> str:
    """Return what may be sent to a terminal: an escape sequence in a text must not act on it."""
    if character == '\n':
        return '⏎'
    return character if character.isprintable() else character.encode('unicode_escape', 'surrogatepass').decode()


def counted(number: int, noun: str) -> str:
    """Return ``1 Document``, ``1,000 Documents``."""
    return f'{number:,} {noun}' if number == 1 else f'{number:,} {noun}s'


def form_of(array: Any) -> str:
    """Return ``float32 (128,)``; of a sparse array also its kind and how many values it has."""
    shown = f'{getattr(array, "dtype", "")} {tuple(array.shape)}'.strip()
    if isinstance(array, np.ndarray):
        return shown
    values = f', {counted(array.nnz, "value")}' if isinstance(getattr(array, 'nnz', None), int) else ''
    return f'{type(array).__name__} {shown}{values}'


def values_of(array: Any) -> str:
    """Return the first values of an ndarray, and between which bounds all are; '' for any other."""
    if not isinstance(array, np.ndarray) or not array.size:
        return ''
    first = ' '.join(_number(value) for value in array.flat[:FIRST_VALUES])
    return f'[{first}]' if array.size <= FIRST_VALUES else f'[{first} …]{_bounds(array)}'


def _bounds(array: Array) -> str:
    if array.dtype.kind not in 'iuf' or array.size > MEASURED:
        return ''
    # fmin and fmax pass over NaN without a warning.
    return f' from {_number(np.fmin.reduce(array, axis=None))} to {_number(np.fmax.reduce(array, axis=None))}'


def _number(value: Any) -> str:
    return f'{value:.4g}' if isinstance(value, (float, complex, np.inexact)) else str(value)


def brief(value: Any, limit: int) -> str:
    """Return any value of a Document on one line of at most ``limit`` characters."""
    if isinstance(value, str):
        return cut(value, limit)
    if isinstance(value, bytes):
        return cut(_bytes(value), limit)
    if hasattr(value, 'shape'):
        return cut(f'{form_of(value)}  {values_of(value)}'.rstrip(), limit)
    if isinstance(value, Mapping):
        return cut(', '.join(entries(value, limit)), limit)
    if hasattr(value, 'op_name'):
        return cut(_score(value), limit)
    if hasattr(value, 'edges'):
        return counted(len(value.edges), 'edge')
    return cut(_number(value) if isinstance(value, float) else _REPR.repr(value), limit)


def _bytes(value: bytes) -> str:
    first = value[:FIRST_BYTES].hex(' ')
    return f'{counted(len(value), "byte")}  {first}{" …" if len(value) > FIRST_BYTES else ""}'


def _score(score: Any) -> str:
    notes = ', '.join(filter(None, (score.op_name, score.description)))
    return f'{_number(score.value)} ({notes})' if notes else _number(score.value)


def entries(mapping: Mapping[str, Any], limit: int) -> list[str]:
    """Return ``name: value`` for the first entries, nested ones as ``name.inner: value``."""
    flat = _flat(mapping, '')
    shown = [cut(f'{name}: {brief(value, limit)}', limit) for name, value in _first(flat, ENTRIES)]
    left = len(mapping) - ENTRIES
    return [*shown, f'… {left:,} more'] if left > 0 else shown


def _flat(mapping: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in mapping.items():
        name = f'{prefix}{key}'
        if isinstance(value, Mapping) and value and name.count('.') < ENTRIES:
            yield from _flat(value, f'{name}.')
        else:
            yield name, value


def _first(pairs: Iterable[tuple[str, Any]], count: int) -> Iterable[tuple[str, Any]]:
    return (pair for pair, _ in zip(pairs, range(count), strict=False))


def rows_of(doc: 'Document', limit: int) -> list[tuple[str, str]]:
    """Return name and value of all that is set, chunks and matches aside; a value may have several lines."""
    names = [name for name in doc.non_empty_fields if name not in CHILDREN]
    return [(name, _lines(getattr(doc, name), limit)) for name in names]


def _lines(value: Any, limit: int) -> str:
    return '\n'.join(entries(value, limit)) if isinstance(value, Mapping) else brief(value, limit)


def headline(doc: 'Document', limit: int) -> str:
    """Return a Document in a few words: its content, or what else it has."""
    filled = doc.non_empty_fields
    for name in (*CONTENTS, 'uri', 'tags', 'embedding'):
        if name in filled:
            return brief_form(getattr(doc, name), limit)
    return ''


def scores_of(doc: 'Document', limit: int) -> str:
    """Return its scores, as they go before a :func:`headline`; '' if it has none."""
    return f'{brief(doc.scores, limit)}  ' if 'scores' in doc.non_empty_fields else ''


def brief_form(value: Any, limit: int) -> str:
    """Return :func:`brief`, but of an array only its form."""
    return form_of(value) if hasattr(value, 'shape') else brief(value, limit)


def short_id(doc: 'Document') -> str:
    """Return the id, or the end of one that no person has given: such ids begin alike."""
    name = cut(doc.id, 100)
    return name if len(name) <= ID_WIDTH else f'…{name[1 - ID_WIDTH :]}'
