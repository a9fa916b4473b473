"""Documents as ``DataRequestProto``: what gRPC clients send and see."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import numpy as np
from google.protobuf.json_format import ParseDict
from google.protobuf.message import DecodeError, EncodeError
from google.protobuf.unknown_fields import UnknownFieldSet

from jina.excepts import BadDocument
from jina.proto.jina_pb2 import (
    DataRequestProto,
    DenseNdArrayProto,
    DocumentProto,
    GraphProto,
    NamedScoreProto,
    NdArrayProto,
    RequestProto,
    SparseNdArrayProto,
)
from jina.types.document import Document
from jina.types.document.construct import construct
from jina.types.document.edges import Graph
from jina.types.document.identity import random_identity
from jina.types.ndarray import Array, array_from_dict, dtype_named
from jina.types.protostruct import dict_to_struct, struct_to_dict
from jina.types.score import NamedScore
from jina.types.shorten import shorten
from jina.types.sparse import AnyArray, SparseArray, coordinates, restored

Fields = dict[str, Any]
"""A message before it is one. Protobuf makes it of nested dicts in one go, without copies between levels."""


def encode(docs: Sequence[Document], groundtruths: Sequence[Document] | None = None) -> list[bytes]:
    """Return one buffer, the serialized ``DataRequestProto``; weights and scores are rounded to 32 bits.

    :raises TypeError: when tags hold something that protobuf cannot express.
    :raises ValueError: when another value does not fit its field, or the whole is larger than 2 GiB.
    """
    try:
        sides = {'docs': _all_fields(docs), 'groundtruths': _all_fields(groundtruths or ())}
        return [DataRequestProto(**sides).SerializeToString()]
    except (ValueError, OverflowError, EncodeError, RecursionError) as error:
        raise ValueError(f'Documents that have no form in protobuf: {error}') from error


def encode_document(doc: Document) -> bytes:
    """Return one Document as a serialized ``DocumentProto``.

    :raises TypeError: when tags hold something that protobuf cannot express.
    :raises ValueError: when another value does not fit its field.
    """
    try:
        return DocumentProto(**_fields(doc)).SerializeToString()
    except (ValueError, OverflowError, EncodeError, RecursionError) as error:
        raise ValueError(f'a Document that has no form in protobuf: {error}') from error


def request_message(
    request_id: str, frame: Fields, docs: Sequence[Document], groundtruths: Sequence[Document]
) -> RequestProto:
    """Return a request or response as a message.

    :param frame: header, routes, status and, if there are any, parameters, in plain types.
    :raises TypeError: when tags hold something that protobuf cannot express.
    :raises ValueError: when another value does not fit its field.
    """
    parameters = frame.get('parameters')
    message = RequestProto(
        request_id=request_id,
        data=DataRequestProto.FromString(encode(docs, groundtruths)[0]),
        parameters=dict_to_struct(parameters) if parameters else None,
    )
    return ParseDict({key: value for key, value in frame.items() if key != 'parameters'}, message)


def _all_fields(docs: Sequence[Document]) -> list[Fields]:
    return [_fields(doc) for doc in docs]


def _fields(doc: Document) -> Fields:
    fields = {name: value for name, value in zip(_PLAIN, _plain_values(doc), strict=True) if value}
    for name, value in zip(_OPTIONAL, _optional_values(doc), strict=True):
        if value is not None:
            write = _WRITERS.get(name)
            fields[name] = value if write is None else write(value)
    return fields


# Where empty is the same as not set, and where it is not.
_PLAIN = ('id', 'mime_type', 'parent_id', 'granularity', 'adjacency', 'uri', 'modality', 'location', 'offset')
_OPTIONAL = (
    'text',
    'buffer',
    'blob',
    'embedding',
    'weight',
    'tags',
    'chunks',
    'matches',
    'scores',
    'evaluations',
    'graph',
)
_plain_values = attrgetter(*(f'_{name}' for name in _PLAIN))
_optional_values = attrgetter(*(f'_{name}' for name in _OPTIONAL))


def _array_fields(array: AnyArray) -> Fields:
    if isinstance(array, np.ndarray):
        return {'dense': _dense_fields(array)}
    return {'sparse': _sparse_fields(coordinates(array))}


def _dense_fields(array: Array) -> Fields:
    return {'buffer': array.tobytes(), 'shape': array.shape, 'dtype': array.dtype.str}


def _sparse_fields(array: SparseArray) -> Fields:
    return {'indices': _dense_fields(array.indices), 'values': _dense_fields(array.values), 'shape': array.shape}


def _graph_fields(graph: Graph) -> Fields:
    fields: Fields = {'undirected': graph.undirected, 'edge_features': dict_to_struct(graph.features, 'edge_features')}
    return {**fields, 'adjacency': _sparse_fields(graph.adjacency())} if graph.edges else fields


def _score_protos(scores: dict[str, NamedScore]) -> dict[str, NamedScoreProto]:
    return {name: NamedScoreProto(**_score_fields(score)) for name, score in scores.items()}


def _score_fields(score: NamedScore) -> Fields:
    return {
        'value': score.value,
        'op_name': score.op_name,
        'description': score.description,
        'operands': [_score_fields(operand) for operand in score.operands or ()],
        'ref_id': score.ref_id,
    }


_WRITERS: dict[str, Callable[[Any], Any]] = {
    'blob': _array_fields,
    'embedding': _array_fields,
    'tags': lambda tags: dict_to_struct(tags, 'tags'),
    'chunks': _all_fields,
    'matches': _all_fields,
    'scores': _score_protos,
    'evaluations': _score_protos,
    'graph': _graph_fields,
}


def decode(body: bytes | bytearray | memoryview) -> tuple[list[Document], list[Document]]:
    """Return the documents and the groundtruths. A document without an id gets one.

    :raises BadDocument: if the bytes are no ``DataRequestProto``, or an array in it is none.
    """
    try:
        data = DataRequestProto.FromString(bytes(body))
    except DecodeError as error:
        raise BadDocument(f'not a DataRequestProto: {error}') from error
    return _read_side('docs', data.docs), _read_side('groundtruths', data.groundtruths)


def decode_document(body: bytes) -> Document:
    """Return the Document that a ``DocumentProto`` is. Without an id it gets one.

    :raises BadDocument: if the bytes are none, or an array in it is none.
    """
    try:
        proto = DocumentProto.FromString(body)
    except DecodeError as error:
        raise BadDocument(f'not a DocumentProto ({error}): {shorten(body)}') from error
    # Many a short text can be read as fields, of numbers that no DocumentProto has.
    if len(UnknownFieldSet(proto)):
        raise BadDocument(f'not a DocumentProto, it has fields that are unknown: {shorten(body)}')
    return _read(proto)


def decode_array(body: bytes) -> list[Document]:
    """Return the Documents of a ``DocumentArrayProto``, as release 2 wrote it to files.

    :raises BadDocument: if the bytes are none, or an array in it is none.
    """
    try:
        data = DataRequestProto.FromString(body)  # the same on the wire, as long as there are no groundtruths
    except DecodeError as error:
        raise BadDocument(f'not a DocumentArrayProto: {error}') from error
    if data.groundtruths or any(len(UnknownFieldSet(message)) for message in (data, *data.docs)):
        raise BadDocument('not a DocumentArrayProto: it has fields that are unknown')
    return _read_side('docs', data.docs)


def _read_side(name: str, protos: Sequence[DocumentProto]) -> list[Document]:
    docs: list[Document] = []
    try:
        for proto in protos:
            docs.append(_read(proto))
    except BadDocument as error:
        raise BadDocument(f'{name}[{len(docs)}]: {error}') from error
    return docs


def _read(proto: DocumentProto) -> Document:
    slots: dict[str, Any] = {}
    for field, value in proto.ListFields():
        if reader := _READERS.get(field.number):
            slot, read = reader
            slots[slot] = value if read is None else read(value)
    if '_id' not in slots:
        slots['_id'] = random_identity()
    return construct(Document, **slots)  # type: ignore[no-any-return]


def _read_all(protos: Sequence[DocumentProto]) -> list[Document]:
    return [_read(proto) for proto in protos]


def _read_array(proto: NdArrayProto) -> AnyArray | None:
    kind = proto.WhichOneof('content')
    if kind == 'sparse':
        return restored(_read_sparse(proto.sparse))
    return None if kind is None else _read_dense(proto.dense)


def _read_sparse(proto: SparseNdArrayProto) -> SparseArray:
    return SparseArray(_read_dense(proto.indices), _read_dense(proto.values), list(proto.shape))


def _read_graph(proto: GraphProto) -> Graph:
    features = struct_to_dict(proto.edge_features)
    # Without edges the matrix may be there all the same, with nothing in it.
    if not proto.adjacency.indices.buffer:
        return Graph(None, features, proto.undirected)
    return Graph.of(_read_sparse(proto.adjacency), features, proto.undirected)


def _read_dense(proto: DenseNdArrayProto) -> Array:
    stored = {'buffer': proto.buffer, 'shape': list(proto.shape), 'dtype': proto.dtype}
    array = array_from_dict(stored)
    return _restored(array, proto) if proto.quantization else array


def _restored(array: Array, proto: DenseNdArrayProto) -> Array:
    """The array as it was before its numbers were made smaller."""
    dtype = dtype_named(proto.original_dtype or 'float32')
    # The numbers are a stranger's: what does not fit becomes infinite or anything, but no warning of ours.
    with np.errstate(all='ignore'):
        if proto.quantization == DenseNdArrayProto.UINT8:
            array = array * proto.scale + proto.min_val
        return array.astype(dtype)


def _read_scores(protos: Any) -> dict[str, NamedScore]:
    return {name: _read_score(proto) for name, proto in protos.items()}


def _read_score(proto: NamedScoreProto) -> NamedScore:
    operands = [_read_score(operand) for operand in proto.operands] or None
    return NamedScore(proto.value, proto.op_name, proto.description, operands, proto.ref_id)


def _readers() -> dict[int, tuple[str, Callable[[Any], Any] | None]]:
    """For each field's number the slot that takes it, and what makes its value from the message's."""
    read: dict[str, Callable[[Any], Any]] = {
        'tags': struct_to_dict,
        'location': list,
        'blob': _read_array,
        'embedding': _read_array,
        'chunks': _read_all,
        'matches': _read_all,
        'scores': _read_scores,
        'evaluations': _read_scores,
        'graph': _read_graph,
    }
    numbers = {field.name: field.number for field in DocumentProto.DESCRIPTOR.fields}
    return {numbers[name]: (f'_{name}', read.get(name)) for name in (*_PLAIN, *_OPTIONAL)}


_READERS = _readers()
