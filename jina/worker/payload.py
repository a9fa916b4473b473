"""The documents of one request at an Executor: decoded when they are looked at, encoded only if they were."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import msgspec

from jina.excepts import BadDocType
from jina.types.arrays.document import DocumentArray
from jina.types.document import Document
from jina.wire.codecs import codec
from jina.wire.frames import Buffer
from jina.wire.head import ANY, COUNT_UNKNOWN, JSON, MSGPACK, UNCHANGED, Body, Head, Part, body_size, split_body

_decode_parameters = msgspec.msgpack.Decoder(dict[str, Any]).decode

Encoded = tuple[tuple[Part, ...], int, Body]
"""(parts, flags, body)"""

_Arrays = list[DocumentArray | None]
_Matrix = list[DocumentArray] | None
"""``None`` where no branches join."""


class Piece:
    """What one client or Executor sent; decoded once, when somebody looks."""

    __slots__ = ('_body', '_decoded', '_part')

    def __init__(self, part: Part, body: Buffer) -> None:
        self._part = part
        self._body = body
        self._decoded: tuple[list[Document], list[Document]] | None = None

    def docs(self) -> DocumentArray | None:
        """The documents; ``None`` if there are none."""
        return _lazy(self._part.count, self._load_docs)

    def groundtruths(self) -> DocumentArray | None:
        """What they are to be compared with."""
        return _lazy(self._part.groundtruths, self._load_groundtruths)

    def _load_docs(self) -> list[Document]:
        return self._load()[0]

    def _load_groundtruths(self) -> list[Document]:
        return self._load()[1]

    def _load(self) -> tuple[list[Document], list[Document]]:
        if self._decoded is None:
            self._decoded = codec(self._part.encoding).decode(self._body)
        return self._decoded


def _lazy(count: int, load: Callable[[], list[Document]]) -> DocumentArray | None:
    """The array that ``load`` gives when first looked at; at once, if only so it can be known whether there is any."""
    if count == COUNT_UNKNOWN:
        count = len(load())
    return DocumentArray._lazy(load) if count else None


class Payload:
    """What a request brings to an Executor and what it takes away.

    :ivar docs: the documents of all pieces, in order; ``None`` if there are none, and before :meth:`open`.
    :ivar groundtruths: likewise.
    """

    __slots__ = ('_body', '_head', '_matrices', '_opened', '_replaced', 'docs', 'groundtruths')

    def __init__(self, head: Head, body: Buffer) -> None:
        self._head = head
        self._body = body
        self._matrices: tuple[_Matrix, _Matrix] = None, None
        self._opened = False
        self._replaced = False
        self.docs: DocumentArray | None = None
        self.groundtruths: DocumentArray | None = None

    def open(self) -> None:
        """Find :attr:`docs` and :attr:`groundtruths`. Where their number is known, they are decoded when looked at.

        :raises BadDocument: if the body cannot be read; also later, from whatever looks at the documents first.
        """
        if self._opened:
            return
        parts = self._head.parts
        if len(parts) == 1:
            piece = Piece(parts[0], self._body)
            self.docs, self.groundtruths = piece.docs(), piece.groundtruths()
        elif parts:
            self._open_branches()
        self._opened = True

    def _open_branches(self) -> None:
        pieces = [Piece(part, view) for part, view in split_body(self._head, self._body)]
        docs, groundtruths = [p.docs() for p in pieces], [p.groundtruths() for p in pieces]
        self.docs, self.groundtruths = _joined(docs), _joined(groundtruths)
        self._matrices = _matrix(docs), _matrix(groundtruths)

    def arguments(self) -> dict[str, Any]:
        """What a bound method may take."""
        self.open()
        docs_matrix, groundtruths_matrix = self._matrices
        return {
            'docs': self.docs,
            'parameters': _decode_parameters(self._head.parameters),
            'docs_matrix': docs_matrix,
            'groundtruths': self.groundtruths,
            'groundtruths_matrix': groundtruths_matrix,
        }

    def replace(self, result: Any) -> None:
        """Take what a bound method returned.

        :raises BadDocType: if it is no documents.
        """
        if result is None or result is self.docs:
            return
        self.docs = as_documents(result)
        self._replaced = True

    def encode(self) -> Encoded:
        """The answer, in the encoding that the head asks for; nothing, flagged, if it is what the request brought."""
        if self._untouched():
            return self._head.parts, UNCHANGED, []
        self.open()
        docs, groundtruths = self.docs, self.groundtruths
        accept = self._head.accept or MSGPACK
        body = codec(accept).encode(
            docs._docs if docs is not None else [], groundtruths._docs if groundtruths is not None else None
        )
        part = Part(accept, body_size(body), len(docs or ()), len(groundtruths or ()))
        return (part,), 0, body

    def _untouched(self) -> bool:
        parts, accept = self._head.parts, self._head.accept
        if self._replaced or len(parts) > 1:
            return False
        if not parts:
            return True
        if accept not in (ANY, parts[0].encoding) or accept == JSON:
            return False  # what a client sends as JSON may take several forms; what it gets has one
        return not _is_touched(self.docs) and not _is_touched(self.groundtruths)


def _is_touched(array: DocumentArray | None) -> bool:
    return array is not None and array._touched


def _matrix(arrays: _Arrays) -> list[DocumentArray]:
    """One for each branch, in the order of ``needs``."""
    return [DocumentArray() if array is None else array for array in arrays]


def _joined(arrays: _Arrays) -> DocumentArray | None:
    present = [array for array in arrays if array is not None]
    if len(present) < 2:
        return present[0] if present else None
    return DocumentArray(chain.from_iterable(present))


def as_documents(result: Any) -> DocumentArray:
    """What a bound method returned, as an array.

    :raises BadDocType: if it is no documents.
    """
    if isinstance(result, DocumentArray):
        return result
    if isinstance(result, Document):
        return DocumentArray([result])
    if isinstance(result, list | tuple):
        return DocumentArray(result)
    raise BadDocType(
        f'returned {type(result).__name__}: it must return a DocumentArray, a list of Documents, a Document, or None '
        'to keep the documents as they are now'
    )
