"""``jina new``: what it writes works at once."""

import json
import sys

import pytest
from programs import interrupt, wait_line

from jina.cli.new import Names
from jina.excepts import BadOption


@pytest.mark.parametrize(
    ('text', 'names'),
    [
        ('MyExecutor', ('MyExecutor', 'my_executor', 'my-executor')),
        ('my-executor', ('MyExecutor', 'my_executor', 'my-executor')),
        (' my  executor_2', ('MyExecutor2', 'my_executor_2', 'my-executor-2')),
        ('BERTEncoder', ('BERTEncoder', 'bertencoder', 'bertencoder')),
        ('Übersetzer', ('Übersetzer', 'übersetzer', 'übersetzer')),
    ],
)
def test_a_name_becomes_names(text, names):
    made = Names(text)
    assert (made.cls, made.module, made.project) == names


@pytest.mark.parametrize('text', ['', '3d', '--', 'class', 'json', 'Flow', 'client', 'jina'])
def test_a_name_that_python_or_something_else_has_is_refused(text):
    with pytest.raises(BadOption, match=r'for a class|of something else'):
        Names(text)


def test_a_path_in_place_of_a_name_is_refused_with_the_way_to_say_it():
    with pytest.raises(BadOption, match=r'is a path: jina new foo --path /there/foo$'):
        Names('/there/foo')


@pytest.fixture
def project(place):
    """A new project; the place is inside it."""
    printed = place.run('-m', 'jina', 'new', 'cool executor')
    assert 'cd cool-executor' in printed
    place.folder /= 'cool-executor'
    return place


def test_a_project_works_at_once(project):
    assert sorted(path.name for path in project.folder.iterdir()) == [
        *('README.md', 'client.py', 'config.yml', 'cool_executor.py', 'flow.yml', 'pyproject.toml'),
        'test_cool_executor.py',
    ]
    with project.start('-m', 'pytest', '-q', '-p', 'no:cacheprovider') as tests:
        assert '3 passed' in tests.communicate(timeout=50)[0]
    checked = project.run('-m', 'jina', 'check', '.').splitlines()
    assert [line for line in checked if not line.startswith('ok ')] == []
    assert len(checked) == 4


def test_its_flow_is_served_and_asked(project):
    with project.start('-m', 'jina', 'flow', '--uses', 'flow.yml', '--port-expose', '0') as server:
        port = wait_line(server.stderr, r'GRPC +localhost:(\d+)')[1]
        answer = json.loads(project.run('-m', 'jina', 'client', '--port', port, '--text', 'you'))
        assert answer['data']['docs'][0]['text'] == 'Hello, you!'
        client = (project.folder / 'client.py').read_text()
        assert project.script(client.replace('54321', port), 'other.py') == 'Hello, world!\nHello, you!\n'
        interrupt(server)
    assert server.returncode == 0


def test_the_readme_names_every_file(project):
    readme = (project.folder / 'README.md').read_text()
    names = {path.name for path in project.folder.iterdir()} - {'README.md'}
    assert [name for name in names if f'`{name}`' not in readme] == []
    assert '$' not in readme


def test_nothing_is_overwritten(project):
    project.folder = project.folder.parent
    before = {path: path.read_bytes() for path in (project.folder / 'cool-executor').iterdir()}
    printed = project.run('-m', 'jina', 'new', 'CoolExecutor', code=1)
    assert 'not empty: nothing was written' in printed.err
    assert {path: path.read_bytes() for path in (project.folder / 'cool-executor').iterdir()} == before


def test_another_place(place):
    (place.folder / 'there').mkdir()
    place.run('-m', 'jina', 'new', 'Mine', '--path', 'there')
    assert (place.folder / 'there' / 'mine.py').exists()
    place.write('file', '')
    assert 'file' in place.run('-m', 'jina', 'new', 'Mine', '--path', 'file', code=1).err
    assert 'cannot be written' in place.run('-m', 'jina', 'new', 'Mine', '--path', 'file/below', code=1).err


def test_the_project_is_a_package_that_pip_understands(project):
    tomllib = pytest.importorskip('tomllib')
    content = tomllib.loads((project.folder / 'pyproject.toml').read_text())
    assert content['project']['name'] == 'cool-executor'
    assert content['tool']['setuptools']['py-modules'] == ['cool_executor']
    assert sys.version_info >= (3, 11)
