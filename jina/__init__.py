"""Document, Executor, Flow: serve Python models over gRPC, HTTP and WebSocket.

An independent implementation of the Jina 2 API. Importing it does nothing but define names; each is loaded when it is
first used.
"""

from typing import TYPE_CHECKING, Any

__version__ = '0.1.0'

if TYPE_CHECKING:
    from jina.clients import Client as Client
    from jina.executors import Executor as Executor
    from jina.executors.decorators import requests as requests
    from jina.flow import AsyncFlow as AsyncFlow
    from jina.flow import Flow as Flow
    from jina.types.arrays.document import DocumentArray as DocumentArray
    from jina.types.arrays.memmap import DocumentArrayMemmap as DocumentArrayMemmap
    from jina.types.document import Document as Document

_HOMES = {
    'AsyncFlow': 'jina.flow',
    'Client': 'jina.clients',
    'Document': 'jina.types.document',
    'DocumentArray': 'jina.types.arrays.document',
    'DocumentArrayMemmap': 'jina.types.arrays.memmap',
    'Executor': 'jina.executors',
    'Flow': 'jina.flow',
    'requests': 'jina.executors.decorators',
}

__all__ = [
    'AsyncFlow',
    'Client',
    'Document',
    'DocumentArray',
    'DocumentArrayMemmap',
    'Executor',
    'Flow',
    '__version__',
    'requests',
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
