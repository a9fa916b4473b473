"""A Document with its chunks and matches as a tree of bounded size."""

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from jina.looks.words import CHILDREN

if TYPE_CHECKING:
    from jina.types.document import Document


class Branch(NamedTuple):
    """A Document and what is shown of what hangs on it."""

    doc: 'Document'
    groups: 'list[Group]'


class Group(NamedTuple):
    """The chunks or the matches of one Document.

    :ivar name: ``chunks`` or ``matches``.
    :ivar total: how many there are.
    :ivar branches: the first of them.
    """

    name: str
    total: int
    branches: list[Branch]

    @property
    def left(self) -> int:
        """How many are not shown."""
        return self.total - len(self.branches)


def outline_of(doc: 'Document', width: int, most: int) -> Branch:
    """Return the tree below ``doc``, level by level, until ``most`` Documents are in it.

    It ends even where a Document is among its own matches.

    :param width: how many of a group are shown at most.
    """
    root = Branch(doc, [])
    waiting = deque([root])
    while waiting:
        branch = waiting.popleft()
        for group in _groups(branch.doc, min(width, most)):
            most -= len(group.branches)
            branch.groups.append(group)
            waiting.extend(group.branches)
    return root


def _groups(doc: 'Document', width: int) -> Iterator[Group]:
    filled = doc.non_empty_fields
    for name in CHILDREN:
        if name in filled:
            children = getattr(doc, name)
            yield Group(name, len(children), [Branch(child, []) for child in islice(children, width)])
