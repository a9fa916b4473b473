"""Paths through chunks and matches."""

from collections.abc import Iterable, Iterator
from typing import Any


def parsed(paths: str | Iterable[str]) -> list[str]:
    """Return ``'r,cm'`` or ``['r', 'cm']`` as a list of paths.

    :raises ValueError: for a path with a letter other than r, c and m, or without any.
    """
    found = [path.strip() for path in (paths.split(',') if isinstance(paths, str) else paths)]
    for path in found:
        if not path or set(path) - set('rcm'):
            raise ValueError(f'a traversal path is letters r, c and m, such as "cm", not {path!r}')
    return found


def arrays_at(docs: Any, path: str) -> Iterator[Any]:
    """Yield the DocumentArrays at the end of ``path``, one for each parent."""
    step, rest = path[:1], path[1:]
    if not step:
        yield docs
    elif step == 'r':
        yield from arrays_at(docs, rest)
    else:
        for doc in docs:
            yield from arrays_at(doc.chunks if step == 'c' else doc.matches, rest)
