"""The demo from end to end, as a user runs it. This needs the command line, the Flow and its HTTP door."""

import ast
import http.client
import importlib.util
import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip('wordllama', reason='comes with the extra hello')

import jina.hello
from jina import Document, DocumentArray
from jina.hello.search import main
from jina.hello.search.app import default_workspace, give_up, table

COMMAND = [sys.executable, '-m', 'jina', 'hello', 'search']


def run(workspace, *arguments):
    """Run the demo and return what it printed."""
    command = [*COMMAND, *arguments, '--workspace', str(workspace)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=50)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope='module')
def first_run(tmp_path_factory):
    """A workspace in which the demo has run once, and what it printed."""
    workspace = tmp_path_factory.mktemp('workspace')
    return SimpleNamespace(workspace=workspace, printed=run(workspace))


def test_indexes_and_answers_samples(first_run):
    assert re.search(r'Indexing the \d+ docstrings', first_run.printed)
    for query, name in [
        ('read a csv file', 'csv.reader'),
        ('compress a file', 'gzip.compress'),
        ('random sample', 'random.sample'),
    ]:
        assert f'\n{query}\n' in first_run.printed
        assert re.search(rf'[1-5]   0\.\d\d  {name} ', first_run.printed)
    assert 'jina hello search --serve' in first_run.printed


def test_answers_a_query_from_the_index_that_is_there(first_run):
    printed = run(first_run.workspace, 'convert string to lower case')
    assert re.search(r'\d+ docstrings are indexed', printed)
    assert re.search(r'1   0\.\d\d  str\.lower ', printed)


def test_makes_a_damaged_index_anew(first_run):
    [file] = first_run.workspace.rglob('index')
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    assert 'Indexing the' in run(first_run.workspace, 'parse json')
    assert len(file.read_bytes()) == len(whole)
    assert list(file.parent.iterdir()) == [file]


@pytest.fixture
def served(first_run):
    """The demo with --serve: its process, and a function that asks it over HTTP."""
    command = [*COMMAND, 'a & b', '--serve', '--workspace', str(first_run.workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            address = next(found for line in process.stdout if (found := re.search(r'localhost:(\d+)/\S*', line)))
            yield SimpleNamespace(
                process=process, address=address[0], ask=lambda *request: ask(int(address[1]), *request)
            )
        finally:
            process.kill()


def ask(port, method, path, body=None):
    # Not urllib: it would go through a proxy that the environment names.
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=20)
    connection.request(method, path, body and json.dumps(body), {'Content-Type': 'application/json'})
    response = connection.getresponse()
    content = response.read().decode()
    connection.close()
    assert response.status == 200, content
    return content


def test_serves_a_page_that_searches(served):
    assert served.address.endswith('/?q=a%20%26%20b')
    page = served.ask('GET', '/')
    for file in re.findall(r'(?:src|href)="([\w.]+)"', page):
        assert served.ask('GET', f'/{file}')
    assert 'https://' not in page

    query = {'data': [{'text': 'random sample'}], 'parameters': {'limit': 3}}
    answer = json.loads(served.ask('POST', '/search', query))
    matches = answer['data']['docs'][0]['matches']
    assert len(matches) == 3
    assert matches[0]['tags']['name'] == 'random.sample'
    assert 0 < matches[0]['scores']['cosine']['value'] < 1
    assert 'embedding' not in matches[0]


def test_ends_quietly_at_ctrl_c(served):
    served.process.send_signal(signal.SIGINT)
    assert served.process.stdout.read().strip() == ''
    assert served.process.wait() == 0


def test_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr(importlib.util, 'find_spec', lambda name: None)
    assert main() == 1
    assert 'pip install wordllama' in capsys.readouterr().out


def test_workspace_is_in_the_cache(monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', '/some/cache')
    assert default_workspace() == '/some/cache/jina-hello-search'
    monkeypatch.delenv('XDG_CACHE_HOME')
    assert default_workspace() == str(Path.home() / '.cache' / 'jina-hello-search')


def test_table_shows_similarity_and_the_first_line():
    match = Document(text='First [line].\nSecond.', tags={'name': 'x.y'}, scores={'cosine': 0.25})
    columns = [[str(cell) for cell in column.cells] for column in table(DocumentArray([match])).columns]
    assert columns == [['1'], ['0.75'], ['x.y'], ['First [line].']]


def test_an_error_ends_the_program():
    with pytest.raises(RuntimeError, match='no room'):
        give_up(SimpleNamespace(status=SimpleNamespace(description='no room')))


def test_is_written_only_against_the_public_names():
    folder = Path(jina.hello.__file__).parent
    for file in folder.rglob('*.py'):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module.split('.')[0] == 'jina':
                assert node.module == 'jina' or node.module.startswith('jina.hello'), file


def test_processes_of_the_executors_do_not_load_the_rest():
    code = 'import jina.hello.search.executors, sys; print({"rich", "jina.flow", "wordllama"} & {*sys.modules})'
    process = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert process.stdout == 'set()\n', process.stderr
