"""The description of the HTTP interface in OpenAPI 3.1, for people, Swagger UI, ReDoc and generators of clients."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

import jina
from jina.gateway.rest import Answer, GatewayStatus
from jina.gateway.routes import STATUS, Entry

_REF = '#/components/schemas/{name}'
_DOCUMENT = {'$ref': _REF.format(name='Document')}
_DATA = {'$ref': _REF.format(name='Data')}
_DATA_SENT = {
    'description': 'documents or texts',
    'anyOf': [
        {'type': 'array', 'items': {'anyOf': [_DOCUMENT, {'type': 'string', 'description': 'the text of a Document'}]}},
        _DOCUMENT,
        _DATA,
        {'type': 'null'},
    ],
    'examples': [[{'text': 'hello'}]],
}
_BASE64 = Meta(extra_json_schema={'contentEncoding': 'base64'})
_REFUSALS = {
    400: 'The request is not what it should be.',
    413: 'The body is too large.',
    415: 'The body is not JSON.',
    500: 'An Executor failed; `status` tells which, and how.',
    503: 'Too many clients are connected, an Executor is gone, or the Flow is being closed.',
    504: 'It took longer than `timeout` or `jina-timeout` allows.',
}
_TIMEOUT = {
    'name': 'jina-timeout', 'in': 'header', 'required': False,
    'description': 'how many seconds the client will wait', 'schema': {'type': 'number', 'exclusiveMinimum': 0},
}  # fmt: skip


class DenseArray(msgspec.Struct):
    """An array."""

    buffer: Annotated[str, _BASE64, Meta(description='the values in C order')]
    shape: list[int]
    dtype: Annotated[str, Meta(description="numpy's word for it, such as <f4")]


class SparseArray(msgspec.Struct):
    """An array of which only some values are given."""

    indices: DenseArray
    values: DenseArray
    shape: list[int]


class NdArray(msgspec.Struct):
    """An array, one of the two. Nested lists of numbers are read as well."""

    dense: DenseArray | UnsetType = UNSET
    sparse: SparseArray | UnsetType = UNSET


class NamedScore(msgspec.Struct, rename='camel'):
    """How relevant a Document is, and by which measure."""

    value: float | UnsetType = UNSET
    op_name: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    operands: 'list[NamedScore] | UnsetType' = UNSET
    ref_id: str | UnsetType = UNSET


class Graph(msgspec.Struct, rename='camel'):
    """Edges between the chunks of a Document."""

    adjacency: SparseArray | UnsetType = UNSET
    edge_features: dict[str, Any] | UnsetType = UNSET
    undirected: bool | UnsetType = UNSET


class Document(msgspec.Struct, rename='camel'):
    """One piece of data: its content, what is known of it, its parts and what was found for it."""

    id: Annotated[str | UnsetType, Meta(description='its name; one is made where there is none')] = UNSET
    text: Annotated[str | UnsetType, Meta(description='the content; this, buffer, blob or graph')] = UNSET
    buffer: Annotated[str | UnsetType, _BASE64] = UNSET
    blob: NdArray | UnsetType = UNSET
    graph: Graph | UnsetType = UNSET
    embedding: NdArray | UnsetType = UNSET
    uri: str | UnsetType = UNSET
    mime_type: str | UnsetType = UNSET
    tags: Annotated[dict[str, Any] | UnsetType, Meta(description='whatever else is known')] = UNSET
    weight: float | UnsetType = UNSET
    modality: str | UnsetType = UNSET
    chunks: Annotated['list[Document] | UnsetType', Meta(description='its parts')] = UNSET
    matches: Annotated['list[Document] | UnsetType', Meta(description='what was found for it')] = UNSET
    scores: dict[str, NamedScore] | UnsetType = UNSET
    evaluations: dict[str, NamedScore] | UnsetType = UNSET
    parent_id: str | UnsetType = UNSET
    location: list[int] | UnsetType = UNSET
    offset: int | UnsetType = UNSET
    granularity: int | UnsetType = UNSET
    adjacency: int | UnsetType = UNSET


class Data(msgspec.Struct):
    """Documents, and others to compare them with."""

    docs: list[Document]
    groundtruths: list[Document] | UnsetType = UNSET


class EndpointBody(msgspec.Struct, rename='camel'):
    """Documents, and what is to become of them."""

    data: Annotated[Any, Meta(extra_json_schema=_DATA_SENT)] = None
    parameters: Annotated[dict[str, Any] | None, Meta(description='what the Executors receive as parameters')] = None
    target_peapod: Annotated[
        str | None, Meta(description='a regular expression: only Executors whose names it matches work on them')
    ] = None
    request_id: Annotated[str | None, Meta(description='your name for the request, which its answer has, too')] = None
    timeout: Annotated[float | None, Meta(description='how many seconds you will wait; more than 0')] = None


class PostBody(EndpointBody, rename='camel', kw_only=True):
    """Documents, where they go, and what is to become of them."""

    exec_endpoint: Annotated[str, Meta(description='where the documents go', examples=['/index'])]


def openapi(
    title: str, description: str, entries: Sequence[Entry], status: bool, added: dict[str, Any]
) -> dict[str, Any]:
    """The whole description.

    :param status: whether ``GET /status`` is served.
    :param added: the description of the routes that a program added.
    """
    schemas = _schemas()
    theirs = _renamed(added, schemas)
    paths: dict[str, dict[str, Any]] = {}
    for entry in entries:
        operations = {method.lower(): _operation(entry, method) for method in entry.methods}
        paths[entry.path] = {**operations, **paths.get(entry.path, {})}
    if status:
        paths[STATUS] = {'get': _status_operation(), **paths.get(STATUS, {})}
    for path, methods in theirs.get('paths', {}).items():
        paths[path] = {**methods, **paths.get(path, {})}
    return {
        'openapi': '3.1.0',
        'info': {'title': title, 'version': jina.__version__, **({'description': description} if description else {})},
        'paths': paths,
        'components': _components(theirs.get('components', {}), schemas),
    }


def _components(theirs: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    return {**theirs, 'schemas': {**theirs.get('schemas', {}), **schemas}}


def _renamed(added: dict[str, Any], taken: dict[str, Any]) -> dict[str, Any]:
    """Their description, where no schema has the name of one of ours."""
    text = json.dumps(added)
    schemas = added.get('components', {}).get('schemas', {})
    names = {name: f'{name}Model' if name in taken else name for name in schemas}
    for name, new in names.items():
        text = text.replace(f'"{_REF.format(name=name)}"', f'"{_REF.format(name=new)}"')
    renamed: dict[str, Any] = json.loads(text)
    if schemas:
        found = renamed['components']['schemas']
        renamed['components']['schemas'] = {new: found[name] for name, new in names.items()}
    return renamed


def _schemas() -> dict[str, Any]:
    types = [PostBody, EndpointBody, Answer, Data, GatewayStatus]
    _, found = msgspec.json.schema_components(types, ref_template=_REF)
    answer = found['Answer']
    answer['properties']['data'] = _DATA
    answer['required'].append('data')
    answer['description'] = 'What a client receives, also where its request failed.'
    return found


def _operation(entry: Entry, method: str) -> dict[str, Any]:
    body = 'EndpointBody' if entry.endpoint else 'PostBody'
    told = {name: getattr(entry.spec, name) for name in ('summary', 'description', 'tags')}
    return {
        **{name: value for name, value in told.items() if value},
        'operationId': f'{method.lower()}_{entry.path.strip("/").replace("/", "_")}',
        'parameters': [_TIMEOUT],
        'requestBody': {'required': not entry.endpoint, 'content': _json(body)},
        'responses': {
            '200': {'description': 'The documents as the last Executor left them.', 'content': _json('Answer')},
            **{str(code): {'description': why, 'content': _json('Answer')} for code, why in _REFUSALS.items()},
        },
    }


def _status_operation() -> dict[str, Any]:
    return {
        'summary': 'What runs here',
        'operationId': 'get_status',
        'tags': ['Debug'],
        'responses': {'200': {'description': 'Versions and Executors.', 'content': _json('GatewayStatus')}},
    }


def _json(schema: str) -> dict[str, Any]:
    return {'application/json': {'schema': {'$ref': _REF.format(name=schema)}}}
