"""Documents out of dicts, JSON and bytes, whoever wrote them: camelCase or snake_case, known keys or not."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from math import nan
from typing import Any

import msgspec

from jina.excepts import BadDocType, BadDocument
from jina.types.document.construct import blank
from jina.types.document.edges import Graph, graph_from_dict
from jina.types.ndarray import from_base64
from jina.types.score import NamedScore
from jina.types.shorten import shorten
from jina.types.sparse import any_from_dict


def parse_json(text: str | bytes) -> dict[str, Any]:
    """Return the JSON object that ``text`` is.

    :raises BadDocument: when it is none.
    """
    try:
        obj = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadDocument(f'not JSON ({error}): {shorten(text)}; plain text goes to text=') from error
    if not isinstance(obj, dict):
        raise BadDocument(f'a Document is a JSON object, not {shorten(obj)}')
    return obj


def parse_bytes(body: bytes) -> Any:
    """Return the JSON object that ``body`` is, or the Document whose ``binary_str()`` it is.

    :raises BadDocument: when it is neither.
    """
    # Protobuf may look like JSON: its first byte is a line feed, and 123, the length of an id, is a brace.
    if body.lstrip()[:1] != b'{':
        return _parse_protobuf(body)
    try:
        return parse_json(body)
    except BadDocument:
        with suppress(BadDocument):
            return _parse_protobuf(body)
        raise


def _parse_protobuf(body: bytes) -> Any:
    from jina.types.protobuf import decode_document

    try:
        return decode_document(body)
    except BadDocument as error:
        raise BadDocument(f'neither JSON nor protobuf: {error}; bytes that are content go to buffer=') from error


def fill(doc: Any, obj: Mapping[str, Any]) -> None:
    """Set on ``doc`` what the keys of ``obj`` say; unknown keys go to its tags.

    :raises BadDocument: naming the key whose value cannot be used.
    """
    key = ''
    try:
        for key, value in obj.items():
            name = _PLAIN.get(key)
            if name is not None:
                setattr(doc, name, value)
            else:
                _fill_special(doc, key, value)
    except (BadDocType, BadDocument) as error:
        raise BadDocument(_located(key, str(error))) from error


def _fill_special(doc: Any, key: str, value: Any) -> None:
    reader = _SPECIAL.get(key)
    if reader is None:
        doc.tags[key] = value
    elif value is not None:
        reader(doc, value)


def _located(key: str, message: str) -> str:
    return f'{key}{message}' if message.startswith('[') else f'{key}: {message}'


def _read_id(doc: Any, value: Any) -> None:
    if value is not None and not (isinstance(value, str) and not value):
        doc.id = value


def _read_weight(doc: Any, value: Any) -> None:
    doc.weight = _number(value)


def _read_buffer(doc: Any, value: Any) -> None:
    doc.buffer = from_base64(value) if isinstance(value, str) else value


def _read_blob(doc: Any, value: Any) -> None:
    doc.blob = _array(value)


def _read_embedding(doc: Any, value: Any) -> None:
    doc.embedding = _array(value)


def _array(value: Any) -> Any:
    return any_from_dict(value) if isinstance(value, Mapping) else value


def _read_graph(doc: Any, value: Any) -> None:
    doc.graph = value if isinstance(value, Graph) else graph_from_dict(value)


def _read_content(doc: Any, value: Any) -> None:
    doc.content = _array(value)


def _read_tags(doc: Any, value: Any) -> None:
    if not isinstance(value, Mapping):
        raise BadDocument(f'takes an object, not {shorten(value)}')
    doc.tags = {**doc.tags, **value}


def _read_chunks(doc: Any, value: Any) -> None:
    doc.chunks = _read_documents(type(doc), value)


def _read_matches(doc: Any, value: Any) -> None:
    doc.matches = _read_documents(type(doc), value)


def _read_documents(cls: Any, items: Any) -> list[Any]:
    if isinstance(items, (str, bytes, Mapping)) or not isinstance(items, Iterable):
        raise BadDocument(f'takes a list of Documents, not {shorten(items)}')
    return [_read_document(cls, item, position) for position, item in enumerate(items)]


def _read_document(cls: Any, item: Any, position: int) -> Any:
    if isinstance(item, cls):
        return item
    if not isinstance(item, Mapping):
        raise BadDocument(f'[{position}]: takes a Document, not {shorten(item)}')
    doc = blank(cls)
    try:
        fill(doc, item)
    except BadDocument as error:
        raise BadDocument(f'[{position}].{error}') from error
    return doc


def _read_scores(doc: Any, value: Any) -> None:
    doc.scores = _read_score_map(value)


def _read_evaluations(doc: Any, value: Any) -> None:
    doc.evaluations = _read_score_map(value)


def _read_score_map(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise BadDocument(f'takes an object of scores, not {shorten(value)}')
    return {name: _read_score(score) for name, score in value.items()}


def _read_score(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return _number(value)
    try:
        parts = {_CAMEL.get(key, key): part for key, part in value.items()}
        if 'value' in parts:
            parts['value'] = _number(parts['value'])
        return msgspec.convert(parts, NamedScore)
    except (msgspec.ValidationError, RecursionError) as error:
        raise BadDocument(f'no score: {shorten(value)} ({error})') from error


def _number(value: Any) -> Any:
    """What JSON has no number for has a name there, or is null."""
    if value is None:
        return nan
    return float(value) if isinstance(value, str) and value in _NAMES else value


def _both_cases(name: str) -> tuple[str, str]:
    return name, camel(name)


def camel(name: str) -> str:
    """Return ``mime_type`` as ``mimeType``."""
    first, *rest = name.split('_')
    return first + ''.join(part.title() for part in rest)


def snake(name: str) -> str:
    """Return the attribute that a key in either case means, or the key itself."""
    return _PLAIN.get(name, name)


_NAMES = ('NaN', 'Infinity', '-Infinity')

_CAMEL = {'op_name': 'opName', 'ref_id': 'refId'}

_PLAIN = {
    key: name
    for name in (
        'text', 'uri', 'parent_id', 'mime_type', 'modality',
        'location', 'offset', 'granularity', 'adjacency',
    )
    for key in _both_cases(name)
}  # fmt: skip

_SPECIAL: dict[str, Callable[[Any, Any], None]] = {
    'id': _read_id,
    'weight': _read_weight,
    'buffer': _read_buffer,
    'blob': _read_blob,
    'graph': _read_graph,
    'embedding': _read_embedding,
    'content': _read_content,
    'tags': _read_tags,
    'chunks': _read_chunks,
    'matches': _read_matches,
    'scores': _read_scores,
    'evaluations': _read_evaluations,
}
