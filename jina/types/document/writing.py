"""Documents as dicts, as JSON and as a line of text."""

from base64 import b64encode
from math import isfinite, isnan
from typing import Any

import msgspec
import numpy as np

from jina.types.document.construct import filled
from jina.types.document.edges import Graph, graph_to_dict
from jina.types.score import NamedScore
from jina.types.shorten import shorten
from jina.types.sparse import any_to_dict, any_to_lists, is_sparse

_PLAIN = frozenset({str, int, float, bool})


def to_dict(doc: Any, prettify_ndarrays: bool = False) -> dict[str, Any]:
    """Return the attributes of ``doc`` that are set, in snake_case and plain types."""
    return {name: _plain(value, prettify_ndarrays) for name, value in filled(doc)}


def _plain(value: Any, prettify_ndarrays: bool) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, np.ndarray) or is_sparse(value):
        return any_to_lists(value) if prettify_ndarrays else any_to_dict(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if isinstance(value, list):
        return [_plain(item, prettify_ndarrays) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, prettify_ndarrays) for key, item in value.items()}
    if isinstance(value, NamedScore):
        return _score(value)
    if isinstance(value, Graph):
        return graph_to_dict(value)
    return to_dict(value, prettify_ndarrays) if hasattr(value, 'content_hash') else value


def _score(score: NamedScore) -> dict[str, Any]:
    pairs = ((name, getattr(score, name)) for name in score.__struct_fields__)
    return {name: _plain(value, False) for name, value in pairs if value or name == 'value'}


def to_json(obj: dict[str, Any]) -> str:
    """Return what :func:`to_dict` gave as JSON text; numpy values in tags become plain ones.

    What JSON has no number for is ``"NaN"``, ``"Infinity"`` or ``"-Infinity"``, as in the JSON of protobuf.
    """
    text = msgspec.json.encode(obj, enc_hook=_plain_number)
    if b'null' in text:  # it stands for these too
        text = msgspec.json.encode(_with_names(obj), enc_hook=_plain_number)
    return text.decode()


def _with_names(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_names(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_with_names(item) for item in value]
    if isinstance(value, float | np.floating) and not isfinite(value):
        return 'NaN' if isnan(value) else 'Infinity' if value > 0 else '-Infinity'
    return value


def _plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'a value of type {type(value).__name__} has no form in JSON: {shorten(value)}')


def describe(doc: Any) -> str:
    """Return ``<jina.types.document.Document id=… text=… at …>``: all that is set, shortened."""
    shown = ' '.join(f'{name}={_shown(value)}' for name, value in filled(doc))
    cls = type(doc)
    return f'<{cls.__module__}.{cls.__qualname__} {shown} at {id(doc)}>'


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value if len(value) <= 60 else f'{value[:57]}…'
    if isinstance(value, list) and hasattr(value[0], 'content_hash'):
        return f'{len(value)} Documents' if len(value) > 1 else '1 Document'
    if is_sparse(value):
        return f'{type(value).__name__}({tuple(value.shape)}, {value.dtype})'
    return shorten(value)
