"""What DocumentArrays and Documents must know of each other, so that neither file imports the other."""

from typing import TYPE_CHECKING, Self

import msgspec


class Item(msgspec.Struct):
    """The base of Document: what a DocumentArray may hold."""

    if TYPE_CHECKING:

        def __copy__(self) -> Self: ...  # msgspec's own, which its stubs do not know


class _Renames:
    """Counts the ids that were changed anywhere: as long as it stands still, an index of ids stays true."""

    __slots__ = ('count',)

    def __init__(self) -> None:
        self.count = 0


renames = _Renames()
