"""The native encoding of Documents: msgpack, with the arrays outside of it so that they need not be copied.

::

    u32   length of the msgpack part          all integers little-endian
    u32   length of the table
    …     msgpack: [docs, groundtruths]       an array is Ext(1, u32 block, u32 row)
    …     table: [[dtype, row shape, rows], …] one entry a block, empty when there are no arrays
    …     zeros up to a multiple of 16
    …     the blocks, each followed by zeros up to a multiple of 16

Arrays of the same dtype and shape form one block, in the order in which they are met.
"""

import math
from collections.abc import Callable, Sequence
from struct import Struct
from typing import Any, NoReturn

import msgspec
import numpy as np
from msgspec.msgpack import Decoder, Encoder, Ext

from jina.excepts import BadDocument
from jina.types.document import Document
from jina.types.ndarray import NUMERIC_KINDS, Array, dtype_named
from jina.types.shorten import shorten

_ALIGNMENT = 16
_BIG_ROW = 64 * 1024
_ARRAY_CODE = 1
_LIMIT = 2**32

_HEADER = Struct('<II')
_REFERENCE = Struct('<II')

Buffer = bytes | memoryview
_Body = tuple[list[Document], list[Document]]


class _MetArray(Exception):
    """Ends an encoding that was begun in the hope that there are no arrays."""


def encode(docs: Sequence[Document], groundtruths: Sequence[Document] | None = None) -> list[Buffer]:
    """Return buffers whose concatenation is the body; arrays of 64 KiB and more are not copied into them.

    :raises TypeError: when tags hold something that msgpack cannot express.
    :raises ValueError: when a part is longer than 4 GiB.
    """
    body = (list(docs), list(groundtruths) if groundtruths else [])
    try:
        packed = _encode_plain(body)
    except _MetArray:
        return _encode_with_arrays(body)
    return [_HEADER.pack(_checked_length(packed), 0) + packed]


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        raise _MetArray
    return _plain_number(value)


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'a value of type {type(value).__name__} cannot be sent: {shorten(value)}')


_encode_plain = Encoder(enc_hook=_plain).encode


def _encode_with_arrays(body: Any) -> list[Buffer]:
    blocks = _Blocks()
    packed = Encoder(enc_hook=blocks.add).encode(body)
    table = blocks.table()
    head = _HEADER.pack(_checked_length(packed), _checked_length(table)) + packed + table
    return [head + _padding(len(head)), *blocks.buffers()]


def _checked_length(part: bytes) -> int:
    if len(part) >= _LIMIT:
        raise ValueError(f'{len(part)} bytes of Documents are too many for one request')
    return len(part)


def _padding(length: int) -> bytes:
    return bytes(-length % _ALIGNMENT)


class _Blocks:
    """Collects the arrays that an encoder meets, by dtype and shape."""

    def __init__(self) -> None:
        self._rows: list[list[Array]] = []
        self._numbers: dict[Any, int] = {}

    def add(self, value: Any) -> Any:
        """Return the reference that stands for an array: the hook of an Encoder."""
        if not isinstance(value, np.ndarray):
            return _plain_number(value)
        key = value.dtype, value.shape
        number = self._numbers.get(key)
        if number is None:
            number = self._new_block(key, value)
        rows = self._rows[number]
        rows.append(value)
        return Ext(_ARRAY_CODE, _REFERENCE.pack(number, len(rows) - 1))

    def _new_block(self, key: Any, array: Array) -> int:
        if array.dtype.kind not in NUMERIC_KINDS:
            raise TypeError(f'an array of dtype {array.dtype} cannot be sent')
        self._rows.append([])
        return self._numbers.setdefault(key, len(self._numbers))

    def table(self) -> bytes:
        """Return the table part."""
        return msgspec.msgpack.encode([(rows[0].dtype.str, rows[0].shape, len(rows)) for rows in self._rows])

    def buffers(self) -> list[Buffer]:
        """Return the blocks with their padding, big rows as views of the arrays themselves."""
        return [buffer for rows in self._rows for buffer in _block_buffers(rows)]


def _block_buffers(rows: list[Array]) -> list[Buffer]:
    size = rows[0].nbytes
    if not size:
        return []
    parts = rows if size >= _BIG_ROW else [_joined(rows)]
    return [*map(_view, parts), _padding(size * len(rows))]


def _joined(rows: list[Array]) -> Array:
    first = rows[0]
    block = np.empty((len(rows), *first.shape), first.dtype)
    if first.ndim:
        # Into a given array: left alone, concatenate may choose another order than C.
        np.concatenate(rows, out=block.reshape(-1, *first.shape[1:]))
    else:
        block[:] = rows
    return block


def _view(array: Array) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def decode(body: bytes | bytearray | memoryview) -> tuple[list[Document], list[Document]]:
    """Return the Documents and the groundtruths of a body.

    Their arrays are views of ``body``, writable if it is.

    :raises BadDocument: when it is not what :func:`encode` gives.
    """
    try:
        return _decode(body)
    except (msgspec.MsgspecError, ValueError, TypeError, OverflowError, RecursionError) as error:
        if isinstance(error, BadDocument):
            raise
        raise BadDocument(f'not Documents in the native encoding: {error}') from error


def _decode(body: bytes | bytearray | memoryview) -> tuple[list[Document], list[Document]]:
    if len(body) < _HEADER.size:
        raise BadDocument(f'a body has at least {_HEADER.size} bytes, not {len(body)}')
    packed, table = _HEADER.unpack_from(body)
    view = memoryview(body)
    start, end = _HEADER.size, _HEADER.size + packed
    if end + table > len(body):
        raise BadDocument(f'a body of {len(body)} bytes was cut: its head alone has {end + table}')
    if table:
        return _decode_with_arrays(view[start:end], view[end : end + table], view)
    if end != len(body):
        raise BadDocument(f'{len(body) - end} bytes follow the end of the body')
    return _decode_plain(view[start:])


def _refuse_ext(code: int, data: memoryview) -> NoReturn:
    raise BadDocument(f'there is no array for the reference {bytes(data)!r} of kind {code}')


_decode_plain: Callable[[memoryview], _Body] = Decoder(_Body, ext_hook=_refuse_ext).decode
_decode_table = Decoder(list[tuple[str, list[int], int]]).decode


def _decode_with_arrays(packed: memoryview, table: memoryview, body: memoryview) -> _Body:
    blocks = _read_blocks(_decode_table(table), body, _HEADER.size + len(packed) + len(table))
    counts = [len(block) for block in blocks]
    unpack = _REFERENCE.unpack

    def find(code: int, data: memoryview) -> Array:
        if code != _ARRAY_CODE or len(data) != _REFERENCE.size:
            _refuse_ext(code, data)
        number, row = unpack(data)
        if number >= len(counts) or row >= counts[number]:
            _refuse_ext(code, data)
        found: Array = blocks[number][row, ...]
        return found

    decoded: _Body = Decoder(_Body, ext_hook=find).decode(packed)
    return decoded


def _read_blocks(table: list[tuple[str, list[int], int]], body: memoryview, offset: int) -> list[Array]:
    blocks = []
    for name, shape, count in table:
        offset += -offset % _ALIGNMENT
        block = _read_block(body, offset, name, [count, *shape])
        offset += block.nbytes
        blocks.append(block)
    if offset + -offset % _ALIGNMENT != len(body):
        raise BadDocument(f'the arrays end at {offset}, the body at {len(body)}')
    return blocks


def _read_block(body: memoryview, offset: int, name: str, shape: list[int]) -> Array:
    dtype, count = dtype_named(name), math.prod(shape)
    if any(size < 0 for size in shape) or count * dtype.itemsize > len(body) - offset:
        raise BadDocument(f'an array of shape {shorten(shape)} and dtype {name} is larger than the body')
    flat = np.frombuffer(body, dtype, count, offset) if count else np.empty(0, dtype)
    block: Array = flat.reshape(shape)
    return block
