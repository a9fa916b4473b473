"""Which paths of the HTTP door take documents, and with which methods."""

from collections.abc import Iterator
from typing import NamedTuple

from jina.excepts import BadOption
from jina.spec import EndpointSpec, WebSpec

POST = '/post'
STATUS = '/status'
CRUD = ('/index', '/search', '/update', '/delete')
CRUD_METHODS = ('POST', 'PUT', 'DELETE')
METHODS = ('GET', 'POST', 'PUT', 'PATCH', 'DELETE')


class Entry(NamedTuple):
    """A path that takes documents.

    :ivar endpoint: where they go; empty: the body says it.
    """

    path: str
    methods: tuple[str, ...]
    endpoint: str
    spec: EndpointSpec


def entries(spec: WebSpec) -> list[Entry]:
    """All there are. What was exposed comes first, and so has a path that is also one of the others.

    :raises BadOption: if two endpoints claim one path and method, a method is none that can carry documents,
        or a path is none.
    """
    exposed = [_exposed(endpoint, how) for endpoint, how in spec.expose_endpoints.items()]
    _no_two_alike(exposed)
    return [*exposed, *_built_in(spec)]


def _built_in(spec: WebSpec) -> Iterator[Entry]:
    if not spec.no_debug_endpoints:
        yield Entry(POST, ('POST',), '', EndpointSpec(summary='Send documents to any endpoint', tags=['Debug']))
    if not spec.no_crud_endpoints:
        for path in CRUD:
            yield Entry(path, CRUD_METHODS, path, EndpointSpec(summary=f'Send documents to {path}', tags=['CRUD']))


def _exposed(endpoint: str, how: EndpointSpec) -> Entry:
    methods = tuple(method.upper() for method in how.methods) or ('POST',)
    if unknown := set(methods) - set(METHODS):
        raise BadOption(
            f'expose_endpoint({endpoint!r}): methods={how.methods}: {unknown.pop()!r} cannot carry documents; '
            f'it takes: {", ".join(METHODS)}'
        )
    path = '/' + (how.path or endpoint).lstrip('/')
    if set(path) & set('{}?#'):
        raise BadOption(
            f'expose_endpoint({endpoint!r}): path={path!r}: it is taken as it stands, so it has no {{}}, ? or #; '
            'what varies belongs in the parameters of a request'
        )
    return Entry(path, methods, endpoint, how)


def _no_two_alike(exposed: list[Entry]) -> None:
    taken: dict[tuple[str, str], str] = {}
    for entry in exposed:
        for method in entry.methods:
            other = taken.setdefault((method, entry.path), entry.endpoint)
            if other != entry.endpoint:
                raise BadOption(
                    f'expose_endpoint({entry.endpoint!r}): {method} {entry.path} is already the way to {other!r}: '
                    'give it another path'
                )


def table(found: list[Entry]) -> dict[tuple[str, str], str]:
    """``{(method, path): endpoint}``; the first entry has it."""
    return {(method, entry.path): entry.endpoint for entry in reversed(found) for method in entry.methods}
