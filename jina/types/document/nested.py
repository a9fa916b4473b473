"""Values deep inside a Document by one name: ``tags__a__b``."""

from collections.abc import Mapping, Sequence
from typing import Any

from jina.types.document.attribute import unknown


def read_path(doc: Any, path: str) -> Any:
    """Return the value at ``path``, or None where it ends in nothing.

    :raises BadOption: when its first part is no attribute of ``doc``.
    """
    name, *keys = path.split('__')
    descriptor = None if name.startswith('_') else getattr(type(doc), name, None)
    if not hasattr(descriptor, '__set__'):
        raise unknown(name, type(doc)._settable)
    value = getattr(doc, name)
    for key in keys:
        value = _step(value, key)
    return value


def _step(value: Any, key: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return value[int(key)] if key.isdigit() and int(key) < len(value) else None
    return None if key.startswith('_') else getattr(value, key, None)
