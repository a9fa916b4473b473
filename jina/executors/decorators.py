"""``@requests``: which method of an Executor works on which endpoint."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, overload

from jina.excepts import BadOption

F = TypeVar('F', bound=Callable[..., Any])

DEFAULT_ENDPOINT = '/default'
MARK = '__jina_endpoints__'


@overload
def requests(function: F, /) -> F: ...
@overload
def requests(*, on: str | Iterable[str] | None = None) -> Callable[[F], F]: ...
def requests(function: Any = None, /, *, on: str | Iterable[str] | None = None) -> Any:
    """Bind a method to one or several endpoints.

    :param on: an endpoint such as ``'/index'``, or several; without it the method works on every endpoint that no
        other method of the Executor is bound to.
    :raises BadOption: if ``on`` is neither a string nor several.
    """
    if function is not None and not callable(function):
        raise BadOption(f'@requests takes the endpoint by name: @requests(on={function!r})')
    endpoints = _endpoints(on)

    def bind(method: F) -> F:
        setattr(method, MARK, (*getattr(method, MARK, ()), *endpoints))
        return method

    return bind if function is None else bind(function)


def _endpoints(on: str | Iterable[str] | None) -> tuple[str, ...]:
    if on is None:
        return (DEFAULT_ENDPOINT,)
    endpoints = (on,) if isinstance(on, str) else tuple(on)
    if not all(isinstance(e, str) for e in endpoints):
        raise BadOption(f'@requests(on={on!r}): endpoints are strings')
    return endpoints
