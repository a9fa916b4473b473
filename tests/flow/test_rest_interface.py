"""What programs do to the HTTP interface of a Flow, each in a process of its own."""

import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest
from programs import interrupt, wait_line

import jina.helper
from jina import Flow
from jina.excepts import BadOption, RuntimeFailToStart

EXTEND = """
def extend_rest_function(app):
    @app.get('/hello', tags=['My Extended APIs'])
    async def foo():
        return 'hello'
    return app
"""
CLOSURE = """
def saying(word):
    return lambda app: app.add_api_route('/hello', lambda: word) or app
extend_rest_function = saying('hello')
"""
PROGRAM = """
import json
import urllib.request

import jina.helper
from jina import Flow

{definition}
jina.helper.extend_rest_interface = extend_rest_function

with Flow(protocol='http', title='Mine') as f:
    for path in ('hello', 'openapi.json'):
        print(urllib.request.urlopen(f'http://127.0.0.1:{{f.port_expose}}/{{path}}').read().decode())
"""
OPTIONS = {
    'title': 'My title',
    'description': 'My description',
    'cors': True,
    'no_crud_endpoints': True,
    'no_debug_endpoints': True,
}
EXECUTORS = """
from jina import Executor, requests

class Foo(Executor):
    @requests(on='/foo')
    def foo(self, docs, **kwargs):
        docs[0].text = 'bar'
"""


@pytest.mark.parametrize('definition', [EXTEND, 'from mine import extend_rest_function', CLOSURE])
def test_a_program_adds_routes(place, definition):
    place.write('mine.py', EXTEND)
    said, described = place.script(PROGRAM.format(definition=definition)).splitlines()
    assert json.loads(said) == 'hello'
    described = json.loads(described)
    assert described['info']['title'] == 'Mine'
    assert {'/hello', '/post'} <= set(described['paths'])


def returns_nothing(app):
    app.get('/hello')(lambda: 'hello')


def raises(app):
    raise KeyError('on purpose')


def with_a_lock():
    lock = threading.Lock()

    def extend(app):
        with lock:
            return app

    return extend


@pytest.mark.parametrize(
    ('extend', 'told'),
    [
        (returns_nothing, 'returns_nothing: it returned NoneType, and is to return the app'),
        (raises, "raises: it raised KeyError: 'on purpose'"),
        (lambda: None, 'it raised TypeError: .*takes 0 positional arguments'),
    ],
)
def test_a_function_that_fails(monkeypatch, extend, told):
    monkeypatch.setattr(jina.helper, 'extend_rest_interface', extend)
    with pytest.raises(RuntimeFailToStart, match=f'gateway.*could not start: .*extend_rest_interface = .*{told}') as e:
        Flow(protocol='http', quiet=True).start()
    assert isinstance(e.value.__cause__, BadOption)
    if extend is raises:
        assert "raise KeyError('on purpose')" in str(e.value.__cause__.__cause__)


@pytest.mark.parametrize(
    ('extend', 'told', 'cause'),
    [
        (with_a_lock(), 'with_a_lock.*cannot be sent.*TypeError: cannot pickle', TypeError),
        (5, '5: it takes a function', type(None)),
    ],
)
def test_one_that_cannot_be_sent(monkeypatch, extend, told, cause):
    monkeypatch.setattr(jina.helper, 'extend_rest_interface', extend)
    with pytest.raises(BadOption, match=f'jina.helper.extend_rest_interface = .*{told}') as e:
        Flow(protocol='http', quiet=True).start()
    assert type(e.value.__cause__) is cause


def python(place):
    return [
        place.write(
            'program.py',
            f"""
            from jina import Flow
            f = Flow(protocol='http', **{OPTIONS}).add(uses='Foo', py_modules='mine.py')
            f.expose_endpoint('/foo', summary='what it is for', methods=['PUT'])
            with f:
                f.block()
            """,
        )
    ]


def yaml(place):
    exposed = {'/foo': {'summary': 'what it is for', 'methods': ['PUT']}}
    flow = {
        'jtype': 'Flow',
        'with': {'protocol': 'http', **OPTIONS, 'expose_endpoints': exposed},
        'executors': [{'uses': 'Foo', 'py_modules': 'mine.py'}],
    }
    place.write('flow.yml', json.dumps(flow))
    return ['-m', 'jina', 'flow', '--uses', 'flow.yml']


def command_line(place):
    return [
        *('-m', 'jina', 'flow', '--protocol', 'http', '--title', 'My title', '--description', 'My description'),
        *('--cors', '--no-crud-endpoints', '--no-debug-endpoints'),
        *('--expose-endpoints', '{/foo: {summary: what it is for, methods: [PUT]}}'),
        *('--executors', '[{uses: Foo, py_modules: mine.py}]'),
    ]


@contextmanager
def served(place, arguments):
    """The URL of a server."""
    with place.start(*arguments) as server:
        yield f'http://127.0.0.1:{wait_line(server.stderr, r"HTTP +http://localhost:([0-9]+)")[1]}'
        interrupt(server)
    assert server.returncode == 0


def ask(method, url, body=None):
    """(status, headers, JSON)"""
    headers = {'content-type': 'application/json', 'origin': 'http://elsewhere'}
    request = urllib.request.Request(url, None if body is None else json.dumps(body).encode(), headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, json.load(error)


@pytest.mark.parametrize('way', [python, yaml, command_line])
def test_the_options_of_the_interface(place, way):
    place.write('mine.py', EXECUTORS)
    with served(place, way(place)) as url:
        status, headers, answer = ask('PUT', f'{url}/foo', {'data': ['x']})
        assert (status, [doc['text'] for doc in answer['data']['docs']]) == (200, ['bar'])
        assert headers['access-control-allow-origin'] == '*'
        for path in ('index', 'post'):
            assert ask('POST', f'{url}/{path}', {'data': ['x'], 'execEndpoint': '/foo'})[0] == 404
        assert ask('GET', f'{url}/status')[0] == 404
        _, headers, described = ask('GET', f'{url}/openapi.json')
        assert headers['access-control-allow-origin'] == '*'
        assert (described['info']['title'], described['info']['description']) == ('My title', 'My description')
        assert {path: list(methods) for path, methods in described['paths'].items()} == {'/foo': ['put']}
        assert described['paths']['/foo']['put']['summary'] == 'what it is for'
