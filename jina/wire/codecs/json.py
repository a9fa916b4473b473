"""Documents as JSON: what HTTP clients send and see."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from jina.excepts import BadDocument
from jina.types.document import Document, document_from_dict
from jina.types.document.edges import Graph, graph_to_dict
from jina.types.ndarray import array_to_dict
from jina.types.shorten import shorten
from jina.types.sparse import any_to_dict, is_sparse
from jina.wire.frames import Buffer


class _Data(msgspec.Struct, omit_defaults=True):
    docs: list[Document]
    groundtruths: list[Document] = []


def encode(docs: Sequence[Document], groundtruths: Sequence[Document] | None = None) -> list[Buffer]:
    """Return one buffer, ``{"docs": […], "groundtruths": […]}``.

    Keys are in camelCase, bytes and arrays in base64; numbers that JSON does not know become ``null``.

    :raises TypeError: when tags hold something that JSON cannot express.
    :raises ValueError: when a value is one that JSON cannot express.
    """
    try:
        return [_encode(_Data(list(docs), list(groundtruths or ())))]
    except RecursionError as error:
        raise ValueError(f'Documents that have no form in JSON: {error}') from error


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return array_to_dict(value)
    if isinstance(value, np.generic):
        return value.item()
    if is_sparse(value):
        return any_to_dict(value)
    if isinstance(value, Graph):
        return graph_to_dict(value, 'edgeFeatures')
    raise TypeError(f'a value of type {type(value).__name__} has no form in JSON: {shorten(value)}')


_encode = msgspec.json.Encoder(enc_hook=_plain).encode


def decode(body: Buffer) -> tuple[list[Document], list[Document]]:
    """Return the documents and the groundtruths.

    A body is a list of documents or of texts, or one of them alone, or an object of such lists: ``docs`` and
    ``groundtruths``. Nothing and ``null`` are no documents.

    :raises BadDocument: if it is none of these, or not JSON; it names which document cannot be read.
    """
    data = _parse(body)
    if isinstance(data, dict) and (not data or 'docs' in data or 'groundtruths' in data):
        return _read_side('docs', data.get('docs')), _read_side('groundtruths', data.get('groundtruths'))
    return _read_side('data', data), []


def _parse(body: Buffer) -> Any:
    try:
        return msgspec.json.decode(body) if len(body) else None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadDocument(f'not JSON: {error}') from error


def _read_side(name: str, items: Any) -> list[Document]:
    if isinstance(items, str | dict):
        items = [items]
    if not isinstance(items, list | tuple | None):
        raise BadDocument(f'{name} takes a list of documents or texts, not {shorten(items)}')
    docs: list[Document] = []
    try:
        for item in items or ():
            docs.append(Document(text=item) if isinstance(item, str) else document_from_dict(item))
    except BadDocument as error:
        raise BadDocument(f'{name}[{len(docs)}]: {error}') from error
    return docs
