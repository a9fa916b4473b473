"""The documents of one request at an Executor: decoded when they are looked at, encoded only if they were."""

from collections.abc import Iterable
from functools import cached_property
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


class Side:
    """The docs, or the groundtruths, of one piece of a body."""

    def __init__(self, piece: 'Piece', index: int, count: int) -> None:
        self._piece = piece
        self._index = index
        self._count = count

    def array(self) -> DocumentArray | None:
        """The documents, or ``None`` if there are none; decoded when first looked at, if their number is known."""
        if self._count == COUNT_UNKNOWN:
            self._count = len(self._load())
        return DocumentArray._lazy(self._load) if self._count else None

    def _load(self) -> list[Document]:
        return self._piece.decoded()[self._index]


class Piece:
    """What one client or Executor sent."""

    def __init__(self, part: Part, body: memoryview) -> None:
        self._part = part
        self._body = body
        self._decoded: tuple[list[Document], list[Document]] | None = None

    @cached_property
    def docs(self) -> DocumentArray | None:
        """The documents."""
        return Side(self, 0, self._part.count).array()

    @cached_property
    def groundtruths(self) -> DocumentArray | None:
        """What they are to be compared with."""
        return Side(self, 1, self._part.groundtruths).array()

    def decoded(self) -> tuple[list[Document], list[Document]]:
        """Both sides."""
        if self._decoded is None:
            self._decoded = codec(self._part.encoding).decode(self._body)
        return self._decoded


class Payload:
    """What a request brings to an Executor and what it takes away.

    :raises BadDocument: if the body cannot be read; also later, from whatever looks at the documents first.
    """

    def __init__(self, head: Head, body: Buffer) -> None:
        self._head = head
        self._pieces = [Piece(part, view) for part, view in split_body(head, body)]
        self._replaced = False

    @cached_property
    def docs(self) -> DocumentArray | None:
        """The documents of all pieces, in order; ``None`` if there are none."""
        return _joined([p.docs for p in self._pieces])

    @cached_property
    def groundtruths(self) -> DocumentArray | None:
        """The groundtruths of all pieces."""
        return _joined([p.groundtruths for p in self._pieces])

    def arguments(self) -> dict[str, Any]:
        """What a bound method may take."""
        several = len(self._pieces) > 1
        return {
            'docs': self.docs,
            'parameters': _decode_parameters(self._head.parameters),
            'docs_matrix': _matrix(p.docs for p in self._pieces) if several else None,
            'groundtruths': self.groundtruths,
            'groundtruths_matrix': _matrix(p.groundtruths for p in self._pieces) if several else None,
        }

    def replace(self, result: Any) -> None:
        """Take what a bound method returned.

        :raises BadDocType: if it is no documents.
        """
        if result is None or result is self.docs:
            return
        self.docs = _as_documents(result)
        self._replaced = True

    def encode(self) -> Encoded:
        """The answer, in the encoding that the head asks for; nothing, flagged, if it is what the request brought."""
        if self._untouched():
            return self._head.parts, UNCHANGED, []
        docs, groundtruths = self.docs, self.groundtruths
        accept = self._head.accept or MSGPACK
        body = codec(accept).encode(
            docs._docs if docs is not None else [], groundtruths._docs if groundtruths is not None else None
        )
        part = Part(accept, body_size(body), len(docs or ()), len(groundtruths or ()))
        return (part,), 0, body

    def _untouched(self) -> bool:
        if self._replaced or len(self._pieces) > 1:
            return False
        if not self._pieces:
            return True
        asked_for = [self.__dict__.get('docs'), self.__dict__.get('groundtruths')]
        encoding = self._head.parts[0].encoding
        if self._head.accept not in (ANY, encoding) or self._head.accept == JSON:
            return False  # what a client sends as JSON may take several forms; what it gets has one
        return not any(side is not None and side._touched for side in asked_for)


def _matrix(arrays: Iterable[DocumentArray | None]) -> list[DocumentArray]:
    """One for each branch, in the order of ``needs``."""
    return [DocumentArray() if array is None else array for array in arrays]


def _joined(arrays: list[DocumentArray | None]) -> DocumentArray | None:
    present = [array for array in arrays if array is not None]
    if len(present) < 2:
        return present[0] if present else None
    return DocumentArray(chain.from_iterable(present))


def _as_documents(result: Any) -> DocumentArray:
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
