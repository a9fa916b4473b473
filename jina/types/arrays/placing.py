"""Where a Document stands in the tree of its chunks and matches, kept true all the way down."""

from typing import Any


def place_chunk(doc: Any, parent: Any) -> None:
    """Put ``doc`` one level finer than ``parent``, which becomes its parent."""
    doc._parent_id = parent._id
    _move(doc, parent._granularity + 1, doc._adjacency)


def place_match(doc: Any, parent: Any) -> None:
    """Put ``doc`` one step along matches from ``parent``."""
    _move(doc, parent._granularity, parent._adjacency + 1)


def _move(doc: Any, granularity: int, adjacency: int) -> None:
    if doc._granularity == granularity and doc._adjacency == adjacency:
        return
    doc._granularity, doc._adjacency = granularity, adjacency
    for chunk in doc._chunks or ():
        place_chunk(chunk, doc)
    for match in doc._matches or ():
        place_match(match, doc)
