"""``@requests``: which method of an Executor works on which endpoint."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from jina.excepts import BadOption
from jina.spec import BatchingSpec

F = TypeVar('F', bound=Callable[..., Any])

DEFAULT_ENDPOINT = '/default'
MARK = '__jina_endpoints__'
BATCHING = '__jina_batching__'


@overload
def requests(function: F, /) -> F: ...
@overload
def requests(
    *, on: str | Iterable[str] | None = None, batch: int | None = None, wait: float | None = None
) -> Callable[[F], F]: ...
def requests(
    function: Any = None,
    /,
    *,
    on: str | Iterable[str] | None = None,
    batch: int | None = None,
    wait: float | None = None,
) -> Any:
    """Bind a method to one or several endpoints.

    >>> class Encoder(Executor):
    ...     @requests(on='/encode', batch=32)
    ...     def encode(self, docs, **kwargs):
    ...         docs.embeddings = self.model.encode(docs.get_attributes('text'))

    With ``batch``, requests that are under way at the same time share a call; each gets its own Documents back. They
    do if they go to the same endpoint with equal parameters, and no branches join in them. The method works on each
    Document by itself, and returns ``None``, one Document for each in the same order, or some of those it was given.
    It must bear to be called twice with the same Documents: when a call raises, each of its requests is tried again
    alone, once, so that only those fail that fail by themselves.

    :param on: an endpoint such as ``'/index'``, or several; without it the method works on every endpoint that no
        other method of the Executor is bound to.
    :param batch: the most Documents of one call; a request that has more goes alone. Default: every request has a call
        of its own. ``.add(batching=…)`` goes before this.
    :param wait: milliseconds that the first request of a call waits for others, unless ``batch`` is reached or its
        deadline would pass before. Default 0: nobody waits, and those that arrived while the Executor was busy share
        its next call. Calls of an ``async def`` do not wait for each other, so there those share that arrive together.
    :raises BadOption: if ``on`` is neither a string nor several, ``batch`` is no whole number from 1 on, or ``wait`` is
        negative or given without ``batch``.
    """
    if function is not None and not callable(function):
        raise BadOption(f'@requests takes the endpoint by name: @requests(on={function!r})')
    endpoints, batching = _endpoints(on), _batching(batch, wait)

    def bind(method: F) -> F:
        setattr(method, MARK, (*getattr(method, MARK, ()), *endpoints))
        if batching is not None:
            setattr(method, BATCHING, batching)
        return method

    return bind if function is None else bind(function)


def _batching(batch: int | None, wait: float | None) -> BatchingSpec | None:
    if batch is None and wait is not None:
        raise BadOption(f'@requests(wait={wait!r}) needs batch=, the most Documents of one call')
    if batch is None:
        return None
    return BatchingSpec.from_dict({'batch': batch, 'wait': wait or 0}, '@requests')


def _endpoints(on: str | Iterable[str] | None) -> tuple[str, ...]:
    if on is None:
        return (DEFAULT_ENDPOINT,)
    endpoints = (on,) if isinstance(on, str) else tuple(on)
    if not all(isinstance(e, str) for e in endpoints):
        raise BadOption(f'@requests(on={on!r}): endpoints are strings')
    return endpoints
