"""The native encoding of Documents: msgpack, with the arrays outside of it so that they need not be copied.

::

    u32   length of the msgpack part          all integers little-endian
    u32   length of the table
    …     msgpack: [docs, groundtruths]       an array is Ext(1, u32 block, u32 row); sparse ones and graphs
                                              are in place: Ext(2, …) and Ext(3, …), both msgpack again
    …     table: [[dtype, row shape, rows], …] one entry a block, empty when there are no arrays
    …     zeros up to a multiple of 16
    …     the blocks, each followed by zeros up to a multiple of 16

Arrays of the same dtype and shape form one block, in the order in which they are met.
"""

import math
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NoReturn

import msgspec
import numpy as np
from msgspec.msgpack import Decoder, Encoder, Ext

from jina.excepts import BadDocument
from jina.types.document import Document
from jina.types.document.edges import Graph
from jina.types.ndarray import NUMERIC_KINDS, Array, as_shape, dtype_named
from jina.types.shorten import shorten
from jina.types.sparse import SparseArray, coordinates, is_sparse, restored

_ALIGNMENT = 16
_BIG_ROW = 64 * 1024
_ARRAY_CODE = 1
_SPARSE_CODE = 2
_GRAPH_CODE = 3
_LIMIT = 2**32

_HEADER = struct.Struct('<II')
_PAIR = b'\x92'  # how msgpack begins a list of two
_REFERENCE = struct.Struct('<II')

Buffer = bytes | memoryview
_Body = tuple[list[Document], list[Document]]


class _MetArray(Exception):
    """Ends what was begun in the hope that there are no arrays, nor anything else that is not plain."""


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
    return _in_place(value)


def _in_place(value: Any) -> Any:
    if is_sparse(value):
        return Ext(_SPARSE_CODE, _encode_part(_sparse_parts(coordinates(value))))
    if isinstance(value, Graph):
        parts = _sparse_parts(value.adjacency()), value.features, value.undirected
        return Ext(_GRAPH_CODE, _encode_part(parts))
    return _plain_number(value)


def _sparse_parts(array: SparseArray) -> list[Any]:
    indices, values = array.indices, array.values
    return [array.shape, indices.dtype.str, indices.tobytes(), values.dtype.str, values.tobytes()]


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'a value of type {type(value).__name__} cannot be sent: {shorten(value)}')


_encode_plain = Encoder(enc_hook=_plain).encode
_encode_part = Encoder(enc_hook=_plain_number).encode


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
        self._last: tuple[Any, Any, int, list[Array]] = None, None, 0, []

    def add(self, value: Any) -> Any:
        """Return the reference that stands for an array: the hook of an Encoder."""
        if not isinstance(value, np.ndarray):
            return _in_place(value)
        dtype, shape, number, rows = self._last
        if value.dtype is not dtype or value.shape != shape:  # mostly they are those of the array before
            number, rows = self._block_of(value)
        rows.append(value)
        return Ext(_ARRAY_CODE, _REFERENCE.pack(number, len(rows) - 1))

    def _block_of(self, array: Array) -> tuple[int, list[Array]]:
        key = array.dtype, array.shape
        number = self._numbers.get(key)
        if number is None:
            number = self._new_block(key, array)
        self._last = *key, number, self._rows[number]
        return number, self._rows[number]

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


def is_native(body: bytes | bytearray | memoryview) -> bool:
    """Return whether ``body`` begins as :func:`encode` has it, be it cut or broken further on."""
    return bytes(body[_HEADER.size : _HEADER.size + 1]) == _PAIR


def _decode(body: bytes | bytearray | memoryview) -> tuple[list[Document], list[Document]]:
    if len(body) < _HEADER.size:
        raise BadDocument(f'a body has at least {_HEADER.size} bytes, not {len(body)}')
    packed, table = _HEADER.unpack_from(body)
    view = memoryview(body)
    start, end = _HEADER.size, _HEADER.size + packed
    if end + table > len(body):
        raise BadDocument(f'a body of {len(body)} bytes was cut: its head alone has {end + table}')
    if table:
        blocks = _read_blocks(_decode_table(view[end : end + table]), view, end + table)
        return _decode_with_arrays(view[start:end], blocks)
    if end != len(body):
        raise BadDocument(f'{len(body) - end} bytes follow the end of the body')
    try:
        return _decode_plain(view[start:])
    except _MetArray:
        return _decode_with_arrays(view[start:], [])


def _refuse_ext(code: int, data: memoryview) -> NoReturn:
    raise BadDocument(f'there is no array for the reference {bytes(data)!r} of kind {code}')


def _met(code: int, data: memoryview) -> NoReturn:
    raise _MetArray


_decode_plain: Callable[[memoryview], _Body] = Decoder(_Body, ext_hook=_met).decode
_decode_table = Decoder(list[tuple[str, list[int], int]]).decode


def _decode_with_arrays(packed: memoryview, blocks: list[Array]) -> _Body:
    rows = [_rows(block) for block in blocks]
    unpack = _REFERENCE.unpack
    arrived: list[_Arrived] = []

    def find(code: int, data: memoryview) -> Any:  # called for every array: what can be done before is
        if code != _ARRAY_CODE:
            return _read_in_place(code, data, arrived)
        try:
            number, row = unpack(data)
            return rows[number][row]
        except (struct.error, IndexError):
            _refuse_ext(code, data)

    decoded: _Body = Decoder(_Body, ext_hook=find).decode(packed)
    if arrived:
        for docs in decoded:
            _settle(docs)
    return decoded


def _rows(block: Array) -> list[Array]:
    """The rows of a block, as views; of a block of one dimension arrays, not numbers."""
    return list(block) if block.ndim > 1 else [block[row, ...] for row in range(len(block))]


class _Arrived(np.ndarray[Any, Any]):
    """Stands for a sparse array while msgspec decodes: a slot for arrays takes nothing but an ndarray."""

    array: Any


def _read_in_place(code: int, data: memoryview, arrived: list[_Arrived]) -> Any:
    if code == _GRAPH_CODE:
        parts, features, undirected = _decode_graph(data)
        return Graph.of(_read_sparse(parts), features, undirected)
    if code != _SPARSE_CODE:
        _refuse_ext(code, data)
    stand_in = np.empty(0).view(_Arrived)
    stand_in.array = restored(_read_sparse(_decode_sparse(data)))
    arrived.append(stand_in)
    return stand_in


_SparseParts = tuple[list[int], str, memoryview, str, memoryview]
_decode_sparse = Decoder(_SparseParts).decode
_decode_graph = Decoder(tuple[_SparseParts, dict[str, Any], bool]).decode


def _read_sparse(parts: _SparseParts) -> SparseArray:
    shape, index_dtype, indices, dtype, values = parts
    # Copies: in the body they are read-only, and not aligned.
    flat, numbers = np.frombuffer(indices, dtype_named(index_dtype)).copy(), np.frombuffer(values, dtype_named(dtype))
    return SparseArray(flat.reshape(len(numbers), len(shape)), numbers.copy(), as_shape(shape))


def _settle(docs: Iterable[Document]) -> None:
    """Put the sparse arrays where their stand-ins are."""
    for doc in docs:
        doc._blob, doc._embedding = _settled(doc._blob), _settled(doc._embedding)
        doc._tags = _settled(doc._tags)
        _settle(doc._chunks or ())
        _settle(doc._matches or ())


def _settled(value: Any) -> Any:
    if type(value) is _Arrived:
        return value.array
    if type(value) is dict:
        return {key: _settled(item) for key, item in value.items()}
    return [_settled(item) for item in value] if type(value) is list else value


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
