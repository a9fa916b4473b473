"""The same Flow from Python, from YAML and from the command line."""

import json
from contextlib import contextmanager

import pytest
from programs import interrupt, wait_line

EXECUTORS = """
import os

from jina import Executor, requests

class Mark(Executor):
    def __init__(self, mark, **kwargs):
        super().__init__(**kwargs)
        self.mark = mark

    @requests
    def work(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text += self.mark * int(parameters.get('times', 1))

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError(f'{self.mark} {os.environ["HUE"]}')

class Join(Executor):
    @requests
    def join(self, docs, docs_matrix, **kwargs):
        texts = sorted(doc.text for doc in docs)
        docs[0].text = f'{len(docs_matrix)} {texts} {os.environ["HUE"]}'
        return docs[:1]
"""

PYTHON = """
import os
from jina import Flow

f = Flow(protocol='http', title='Same', env={'HUE': os.environ['SAME_HUE']})
f.add(name='a', uses='Mark', py_modules='my.py', uses_with={'mark': os.environ['SAME_MARK']}, REPLICAS)
f.add(name='b', uses='Mark', py_modules='my.py', uses_with={'mark': '-'}, needs='a')
f.add(name='c', uses='Mark', py_modules='my.py', uses_with={'mark': '+'}, needs='a')
f.add(name='end', uses='Join', py_modules='my.py', needs=['b', 'c'])
with f:
    f.block()
"""

YAML = """
jtype: Flow
with:
  protocol: http
  title: Same
  env: {HUE: '${{ ENV.SAME_HUE }}'}
executors:
  - {name: a, uses: Mark, py_modules: my.py, uses_with: {mark: $SAME_MARK}, REPLICAS}
  - {name: b, uses: Mark, py_modules: my.py, uses_with: {mark: '-'}, needs: a}
  - {name: c, uses: Mark, py_modules: my.py, uses_with: {mark: +}, needs: a}
  - {name: end, uses: Join, py_modules: my.py, needs: [b, c]}
"""

ON_THE_LINE = """
[{name: a, uses: Mark, py_modules: my.py, uses_with: {mark: "!"}, REPLICAS},
 {name: b, uses: Mark, py_modules: my.py, uses_with: {mark: "-"}, needs: a},
 {name: c, uses: Mark, py_modules: my.py, uses_with: {mark: "+"}, needs: a},
 {name: end, uses: Join, py_modules: my.py, needs: [b, c]}]
"""

ASK = """
import json, sys, urllib.error, urllib.request

def ask(path, content):
    body = json.dumps(content).encode()
    url = f'http://localhost:{sys.argv[1]}{path}'
    request = urllib.request.Request(url, body, {'Content-Type': 'application/json'})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)

for path, content in (
    ('/search', {'data': ['x']}),
    ('/post', {'data': [{'text': 'y'}], 'execEndpoint': '/any', 'parameters': {'times': 2}}),
    ('/post', {'data': ['z'], 'execEndpoint': '/any', 'targetPeapod': 'end'}),
    ('/post', {'data': ['z'], 'execEndpoint': '/fail'}),
):
    code, answer = ask(path, content)
    status = answer['status'] or {}
    print(json.dumps([
        code,
        [doc['text'] for doc in answer['data']['docs']],
        sorted(route['pod'] for route in answer['routes']),
        status.get('description', '').split(':')[-1],
    ]))
"""


def python(place, replicas):
    return [place.write('program.py', PYTHON.replace('REPLICAS', f'replicas={replicas}'))]


def yaml(place, replicas):
    place.write('flow.yml', YAML.replace('REPLICAS', f'parallel: {replicas}'))
    return ['-m', 'jina', 'flow', '--uses', 'flow.yml']


def command_line(place, replicas):
    executors = ON_THE_LINE.replace('REPLICAS', f'shards: {replicas}')
    options = ['--protocol', 'http', '--title', 'Same', '--env', '{HUE: red}']
    return ['-m', 'jina', 'flow', *options, '--executors', executors]


@contextmanager
def served(place, arguments):
    """The port of a server."""
    with place.start(*arguments) as server:
        yield wait_line(server.stderr, r'HTTP +http://localhost:(\d+)')[1]
        interrupt(server)
    assert server.returncode == 0


@pytest.mark.parametrize('replicas', [1, 2])  # more, once a Flow runs them
def test_three_ways_to_one_flow(place, replicas):
    place.write('my.py', EXECUTORS)
    place.env |= {'SAME_HUE': 'red', 'SAME_MARK': '!'}
    answers = {}
    for way in (python, yaml, command_line):
        with served(place, way(place, replicas)) as port:
            place.write('ask.py', ASK)
            answers[way] = [json.loads(line) for line in place.run('ask.py', port).splitlines()]
    assert answers[python] == answers[yaml] == answers[command_line]
    first, second, third, failed = answers[python]
    assert first[:2] == [200, ["2 ['x!+', 'x!-'] red"]]
    assert second[:2] == [200, ["2 ['y!!++', 'y!!--'] red"]]
    assert third[:2] == [200, ["2 ['z', 'z'] red"]]
    assert failed[0] >= 500
    assert failed[3].strip() == '! red'
