"""What the HTTP door serves besides documents, and which paths it has."""

import asyncio
import json
import re
import sys

import msgspec
import pytest
from http_serving import Blind, Echo, serving, web

from jina import Document, Executor, requests
from jina.excepts import BadOption
from jina.gateway import openapi, rest
from jina.gateway.engine import Engine
from jina.gateway.http import HttpDoor
from jina.graph import Graph
from jina.spec import DoorSpec, EndpointSpec


async def schema_of(browser):
    status, kind, body = await browser.ask('GET', '/openapi.json')
    assert (status, kind) == (200, 'application/json')
    return json.loads(body)


def operations(schema):
    return {(method, path) for path, methods in schema['paths'].items() for method in methods}


async def headers_of(browser, method, path, body=None, **headers):
    """(status, headers)"""

    def work():
        browser.connection.request(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()})
        response = browser.connection.getresponse()
        response.read()
        return response.status, {name.lower(): value for name, value in response.getheaders()}

    return await asyncio.to_thread(work)


def test_exposed_endpoints_have_paths_of_their_own():
    exposed = {
        '/where': EndpointSpec(),
        '/echo': EndpointSpec(path='deep/echo', methods=['put', 'GET'], summary='Says it again', tags=['Mine']),
        '/new': EndpointSpec(path='/index'),
        '/index': EndpointSpec(path='größe'),
    }

    async def check():
        async with serving(Echo, expose_endpoints=exposed, no_debug_endpoints=True) as browser:
            assert (await browser.docs('/where', data=['x']))[0]['text'] == 'here'
            assert (await browser.docs('/deep/echo', 'PUT', data=['x']))[0]['tags']['was'] == 'x'
            assert (await browser.docs('/index', data=['x'])) == [], 'what was exposed has the path'
            assert (await browser.docs('/index', 'PUT', data=['x']))[0]['tags']['was'] == 'x'
            assert (await browser.ask('GET', '/deep/echo'))[0] == 200, 'a body is not needed'
            assert (await browser.docs('/gr%C3%B6%C3%9Fe', data=['x']))[0]['tags']['was'] == 'x'
            assert (await headers_of(browser, 'GET', '/gr%C3%B6%C3%9Fe'))[1]['allow'] == 'POST'
            shown = await schema_of(browser)
            assert shown['paths']['/deep/echo']['put']['summary'] == 'Says it again'
            assert shown['paths']['/deep/echo']['put']['tags'] == ['Mine']
            assert {'/where', '/deep/echo', '/größe', '/index', '/search', '/update', '/delete'} == set(shown['paths'])

    asyncio.run(check())


@pytest.mark.parametrize(
    ('exposed', 'told'),
    [
        ({'/a': EndpointSpec(path='/a/{b}')}, "path='/a/{b}': it is taken as it stands"),
        ({'/a': EndpointSpec(methods=['HEAD'])}, "'HEAD' cannot carry documents"),
        ({'/a': EndpointSpec(path='/b'), '/b': EndpointSpec()}, "POST /b is already the way to '/a'"),
    ],
)
def test_paths_that_cannot_be_are_refused_at_the_start(exposed, told):
    with pytest.raises(BadOption, match=re.escape(told)):
        HttpDoor(Engine(Graph({}), {}), DoorSpec(protocol='http'), web(expose_endpoints=exposed))


def test_what_is_not_wanted_is_not_there():
    async def check():
        async with serving(Echo, no_debug_endpoints=True, no_crud_endpoints=True) as browser:
            for method, path in (('POST', '/post'), ('GET', '/status'), ('POST', '/index'), ('DELETE', '/delete')):
                assert (await browser.ask(method, path, b'{}' if method != 'GET' else None))[0] == 404
            assert (await schema_of(browser))['paths'] == {}

    asyncio.run(check())


def test_a_path_that_is_not_there_names_those_that_are():
    async def check():
        async with serving(Echo) as browser:
            status, kind, body = await browser.ask('POST', '/nothing', b'{}')
            answer = json.loads(body)
            assert (status, kind) == (404, 'application/json')
            assert set(answer) == {'requestId', 'data', 'header', 'parameters', 'routes', 'status'}
            assert 'nothing is served at /nothing' in answer['status']['description']
            assert '/post, /redoc, /search, /status' in answer['status']['description']

    asyncio.run(check())


@pytest.mark.parametrize('static', [False, True])
def test_a_wrong_method_names_the_right_ones(static, tmp_path):
    async def check():
        async with serving(Echo, static=str(tmp_path) if static else '') as browser:
            for method, path, allowed in (
                ('GET', '/post', 'POST'),
                ('PATCH', '/index', 'DELETE, POST, PUT'),
                ('OPTIONS', '/index', 'DELETE, POST, PUT'),
                ('HEAD', '/search', 'DELETE, POST, PUT'),
                ('POST', '/status', 'GET, HEAD'),
            ):
                status, headers = await headers_of(browser, method, path)
                assert (status, headers['allow']) == (405, allowed)
            _, kind, body = await browser.ask('GET', '/post')
            assert kind == 'application/json'
            assert json.loads(body)['status']['description'] == '/post takes POST, not GET'

    asyncio.run(check())


def test_other_origins_are_refused_unless_they_are_let_in():
    preflight = {'origin': 'http://a.b', 'access_control_request_method': 'POST'}

    async def check():
        async with serving(Echo) as browser:
            status, headers = await headers_of(browser, 'OPTIONS', '/index', **preflight)
            assert status == 405
            assert not [name for name in headers if name.startswith('access-control')]
            _, headers = await headers_of(browser, 'POST', '/index', b'{}', origin='http://a.b')
            assert 'access-control-allow-origin' not in headers
        async with serving(Echo, cors=True) as browser:
            wanted = {'access_control_request_headers': 'content-type,jina-timeout'}
            status, headers = await headers_of(browser, 'OPTIONS', '/index', **preflight, **wanted)
            assert (status, headers['access-control-allow-origin']) == (200, '*')
            assert 'content-type' in headers['access-control-allow-headers']
            assert 'POST' in headers['access-control-allow-methods']
            for method, path in (('POST', '/index'), ('GET', '/status')):
                body = b'{}' if method == 'POST' else None
                _, headers = await headers_of(browser, method, path, body, origin='http://a.b')
                assert headers['access-control-allow-origin'] == '*'
                assert 'access-control-allow-credentials' not in headers

    asyncio.run(check())


def test_the_description_is_whole():
    async def check():
        async with serving(Echo, title='My Flow', description='It echoes.') as browser:
            shown = await schema_of(browser)
            assert shown['openapi'].startswith('3.1')
            assert shown['info']['title'] == 'My Flow'
            assert shown['info']['description'] == 'It echoes.'
            crud = {(m, p) for m in ('post', 'put', 'delete') for p in ('/index', '/search', '/update', '/delete')}
            assert operations(shown) == crud | {('post', '/post'), ('get', '/status')}
            references = set(re.findall(r'#/components/schemas/(\w+)', json.dumps(shown)))
            assert references <= set(shown['components']['schemas'])
            ids = [o['operationId'] for methods in shown['paths'].values() for o in methods.values()]
            assert len(ids) == len(set(ids))

    asyncio.run(check())


def test_the_description_names_all_that_documents_and_answers_have():
    named = openapi.openapi('', '', [], True, {})['components']['schemas']
    assert set(named['Document']['properties']) == {f.encode_name for f in msgspec.structs.fields(Document)}
    assert set(named['PostBody']['properties']) <= {f.name for f in msgspec.structs.fields(rest.PostBody)}
    assert set(named['EndpointBody']['properties']) == set(named['PostBody']['properties']) - {'execEndpoint'}
    assert set(named['Answer']['properties']) == {
        *('requestId', 'data', 'header', 'parameters', 'routes', 'status'),
    }


@pytest.mark.parametrize('page', ['/docs', '/redoc'])
def test_the_pages_of_the_documentation_need_no_other_host(page):
    async def check():
        async with serving(Blind, title='<script>') as browser:
            status, kind, body = await browser.ask('GET', page)
            assert (status, kind) == (200, 'text/html; charset=utf-8')
            text = body.decode()
            assert '<title>&lt;script&gt;' in text
            assert not re.findall(r'https?:|//\w', text)
            _, headers = await headers_of(browser, 'GET', page)
            assert headers['content-security-policy'].startswith("default-src 'self';")
            named = re.findall(r'(?:src|href|spec-url)="([^"]+)"', text)
            assert len(named) > 2
            for name in named:
                if name != 'data:,':
                    status, _, body = await browser.ask('GET', f'/{name}')
                    assert status == 200
                    assert len(body) > 50

    asyncio.run(check())


def test_fastapi_is_not_loaded_for_a_program_that_adds_no_routes():
    code = (
        'import sys; from jina.gateway.http import HttpDoor; from jina.gateway.engine import Engine;'
        'from jina.graph import Graph; from jina.spec import DoorSpec, GatewaySpec;'
        "HttpDoor(Engine(Graph({}), {}), DoorSpec(protocol='http'), GatewaySpec(listen='x'));"
        "assert not {'fastapi', 'pydantic'} & set(sys.modules)"
    )

    async def check():
        process = await asyncio.create_subprocess_exec(sys.executable, '-c', code)
        assert await process.wait() == 0

    asyncio.run(check())


def extended(app):
    from pydantic import BaseModel

    class Document(BaseModel):
        size: int

    @app.get('/hello')
    async def hello(name: str):
        return {'hello': name}

    @app.post('/size')
    def size(doc: Document) -> Document:
        return doc

    @app.get('/index')
    def index():
        return 'a page'

    @app.get('/fails')
    def fails():
        raise ValueError('on purpose')

    return app


def test_a_program_adds_routes(tmp_path):
    (tmp_path / 'a.txt').write_text('a file')

    async def check():
        async with serving(Echo, extend=extended, static=str(tmp_path)) as browser:

            async def get(path):
                status, _, body = await browser.ask('GET', path)
                return status, body

            assert await get('/hello?name=you') == (200, b'{"hello":"you"}')
            assert await get('/index') == (200, b'"a page"')
            assert await get('/a.txt') == (200, b'a file')
            assert (await get('/hello'))[0] == 422
            assert (await browser.docs('/index', data=['x']))[0]['tags']['was'] == 'x'
            json_type = {'content-type': 'application/json'}
            assert (await browser.ask('POST', '/size', b'{"size": 3}', json_type))[2] == b'{"size":3}'
            shown = await schema_of(browser)
            assert {('get', '/hello'), ('get', '/index'), ('post', '/index'), ('post', '/size')} <= operations(shown)
            schemas = shown['components']['schemas']
            assert set(schemas['DocumentModel']['properties']) == {'size'}
            assert 'text' in schemas['Document']['properties']
            references = set(re.findall(r'#/components/schemas/(\w+)', json.dumps(shown)))
            assert references <= set(schemas)
            assert '"#/components/schemas/DocumentModel"' in json.dumps(shown['paths']['/size'])
        async with serving(Echo, extend=extended) as browser:
            status, _, body = await browser.ask('GET', '/nothing')
            assert status == 404
            assert '/hello' in json.loads(body)['status']['description']

    asyncio.run(check())


def test_a_route_that_fails_leaves_the_door_open(caplog):
    async def check():
        async with serving(Echo, extend=extended) as browser:
            assert (await browser.ask('GET', '/fails'))[0] == 500
            assert (await browser.ask('GET', '/hello?name=a'))[0] == 200

    asyncio.run(check())
    assert 'on purpose' in caplog.text


def test_a_route_that_ours_hide_is_warned_of(caplog):
    def extend(app):
        @app.post('/index')
        @app.get('/status')
        def mine():
            return 'mine'

        return app

    async def check():
        async with serving(Echo, extend=extend) as browser:
            assert (await browser.docs('/index', data=['x']))[0]['text'] == 'x'
        assert 'POST /index of yours is never reached' in caplog.text
        caplog.clear()
        async with serving(Echo, extend=extend, no_crud_endpoints=True, no_debug_endpoints=True) as browser:
            assert (await browser.ask('POST', '/index', b'{}'))[2] == b'"mine"'
        assert not caplog.text

    asyncio.run(check())


@pytest.mark.parametrize('returned', [None, 5])
def test_a_function_that_returns_no_application_is_refused(returned):
    with pytest.raises(BadOption, match='is to return the app'):
        HttpDoor(Engine(Graph({}), {}), DoorSpec(protocol='http'), web(), lambda app: returned)


def test_an_application_that_is_added_starts_and_ends_with_the_door():
    from contextlib import asynccontextmanager

    seen = []

    def extend(app):
        @asynccontextmanager
        async def life(_):
            seen.append('starts')
            yield
            seen.append('ends')

        app.router.lifespan_context = life
        return app

    async def check():
        async with serving(Echo, extend=extend):
            assert seen == ['starts']
        assert seen == ['starts', 'ends']

    asyncio.run(check())


class Fails(Executor):
    """Fails where it is told to."""

    @requests
    def f(self, **kwargs):
        raise ValueError('on purpose')


@pytest.mark.parametrize(
    ('data', 'docs'),
    [
        (['a', {'text': 'b'}], [{'text': 'a'}, {'text': 'b'}]),
        ({'docs': [{'id': 'x'}]}, [{'id': 'x'}]),
        ({'text': 'alone'}, [{'text': 'alone'}]),
        (None, []),
        (5, []),
    ],
)
def test_a_request_that_fails_comes_back_with_its_documents(data, docs):
    async def check():
        async with serving(Fails) as browser:
            status, answer = await browser.post('/index', data=data)
            assert status == (400 if data == 5 else 500)
            assert answer['data']['docs'] == docs

    asyncio.run(check())
