"""Objects as bytes, for a process of ours on this host. The only file that imports cloudpickle.

Pickles run code when they are read: they travel over an inherited socket pair and nowhere else.
"""

import importlib.machinery
import pickle
import sys
from typing import Any

from jina.excepts import BadOption, text_of


def dump(thing: Any) -> bytes:
    """Pickle something; what only this program defines goes by value.

    :raises Exception: whatever the objects themselves raise when they cannot be pickled.
    """
    import cloudpickle

    return cloudpickle.dumps(thing)  # type: ignore[no-any-return]


def dump_definition(thing: Any) -> bytes:
    """Pickle a class or a function: by value if a fresh interpreter could not import it, else by name.

    :raises Exception: whatever the objects that it uses raise when they cannot be pickled.
    """
    import cloudpickle

    name = getattr(thing, '__module__', None) or '__main__'
    module = sys.modules.get(name)
    if module is None or name == '__main__' or _is_importable(name):
        return dump(thing)
    root = name.partition('.')[0]
    if root in sys.modules and not _is_importable(root):  # then neither is what else of the package it uses
        module = sys.modules[root]
    cloudpickle.register_pickle_by_value(module)
    try:
        return dump(thing)
    finally:
        cloudpickle.unregister_pickle_by_value(module)


def dump_function(function: Any, name: str) -> bytes:
    """Pickle a function that a program has assigned to ``name``.

    :raises BadOption: if it is none, or what it uses cannot be pickled.
    """
    if not callable(function):
        raise BadOption(f'{name} = {function!r}: it takes a function')
    try:
        return dump_definition(function)
    except Exception as error:
        shown = getattr(function, '__qualname__', repr(function))
        raise BadOption(
            f'{name} = {shown}: it cannot be sent to the process of the gateway: {type(error).__name__}: '
            f'{text_of(error)}; it, or what it uses, holds something of this process: make that inside of it'
        ) from error


def load(pickled: bytes) -> Any:
    """What was pickled.

    :raises Exception: whatever importing or rebuilding it raises.
    """
    return pickle.loads(pickled)


def _is_importable(name: str) -> bool:
    """Whether a fresh interpreter with our ``sys.path`` would import the same module by that name."""
    origin = getattr(sys.modules[name], '__file__', None)
    parts = name.split('.')
    path: list[str] | None = None
    for depth in range(1, len(parts) + 1):
        found = importlib.machinery.PathFinder.find_spec('.'.join(parts[:depth]), path)
        if found is None:
            return name in sys.builtin_module_names
        path = list(found.submodule_search_locations or ())
    return found is not None and found.origin == origin
