"""One attribute of many Documents."""

from operator import attrgetter
from typing import Any


def values(docs: list[Any], name: str) -> list[Any]:
    """Return what ``get_attributes(name)`` gives for each of ``docs``.

    :raises BadOption: for an attribute that does not exist.
    """
    # A plain name need not be taken apart for every Document: that is ten times faster.
    if '__' not in name and all(_is_plain(kind, name) for kind in set(map(type, docs))):
        return list(map(attrgetter(name), docs))
    return [doc.get_attributes(name) for doc in docs]


def _is_plain(kind: type, name: str) -> bool:
    return not name.startswith('_') and hasattr(getattr(kind, name, None), '__set__')
