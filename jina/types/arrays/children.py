"""What chunks and matches share: a list that belongs to a Document and places what enters it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from jina.types.arrays.document import DocumentArray

if TYPE_CHECKING:
    from jina.types.document import Document


class Children(DocumentArray):
    """A view of a list that a Document owns; several views of it see the same.

    :param docs: the list itself, which is read and changed.
    :param reference_doc: the Document that owns it.
    """

    __slots__ = ('_parent',)
    _finer = _further = 0  # by how much they differ from the Document that owns them

    def __init__(self, docs: 'list[Document]', reference_doc: 'Document') -> None:
        super().__init__()
        self._docs = docs
        self._parent = reference_doc

    @property
    def reference_doc(self) -> 'Document':
        """The Document that these belong to."""
        return self._parent

    @property
    def granularity(self) -> int:
        """That of chunks: one more than that of the Document they belong to; of matches the same."""
        return self._parent._granularity + self._finer

    @property
    def adjacency(self) -> int:
        """That of matches: one more than that of the Document they belong to; of chunks the same."""
        return self._parent._adjacency + self._further

    def append(self, doc: 'Document') -> 'Document':  # type: ignore[override]
        """Add a Document at the end, and return it.

        :raises BadDocType: when it is none.
        """
        self._docs.append(self._accept(doc))
        return doc

    @classmethod
    def adopted(cls, docs: 'Iterable[Document]', parent: 'Document') -> 'list[Document]':
        """Return ``docs`` as a new list, each placed under ``parent``.

        :raises BadDocType: when one of them is no Document.
        """
        view = cls([], parent)
        view.extend(docs)
        return view._docs

    @staticmethod
    def _place(doc: Any, parent: Any) -> None:
        raise NotImplementedError

    def _accept(self, value: Any) -> 'Document':
        doc = super()._accept(value)
        self._place(doc, self._parent)
        return doc

    def _position(self, key: str) -> int | None:
        # No index: another view may change the list at any time, and such lists are short.
        return next((position for position, doc in enumerate(self._docs) if doc._id == key), None)

    def __reduce__(self) -> Any:
        return DocumentArray, (list(self._docs),)
