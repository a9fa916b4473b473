"""The constructor under the constructor: msgspec's own, which takes slots and checks nothing."""

from collections.abc import Iterator
from typing import Any

from msgspec import StructMeta

from jina.types.document.identity import random_identity

construct: Any = StructMeta.__call__


def blank(cls: Any) -> Any:
    """Return a Document of that class with a new id and nothing else."""
    return construct(cls, _id=random_identity())


def slots_of(doc: Any) -> dict[str, Any]:
    """Return every slot of a Document with its value, which is not copied."""
    return {slot: getattr(doc, slot) for slot in doc.__struct_fields__}


def restore(cls: Any, slots: dict[str, Any]) -> Any:
    """Return the Document of that class with those slots: what unpickling calls."""
    return construct(cls, **slots)


def filled(doc: Any) -> Iterator[tuple[str, Any]]:
    """Yield (attribute, value) for all that is set; an empty text counts, an empty list does not."""
    for slot in doc.__struct_fields__:
        value = getattr(doc, slot)
        if value is None or (type(value) in (str, int, list, dict) and not value and slot != '_text'):
            continue
        yield slot[1:], value
