"""``py_modules: [__init__.py]``: an Executor that is a package, with modules that import each other relatively."""

import sys

import pytest

from jina import Executor
from jina.excepts import ExecutorFailToLoad
from jina.executors.loading import find_class


@pytest.fixture(autouse=True)
def modules():
    before = {*sys.modules}
    yield
    for name in {*sys.modules} - before:
        if name.startswith('user_package_'):
            del sys.modules[name]


def make_package(folder, said, init='from .executor import MyX'):
    """A package as Jina Hub has them: the class is in one module, and uses another."""
    folder.mkdir(parents=True)
    (folder / 'helper.py').write_text(f'def say():\n    return {said!r}\n')
    (folder / 'executor.py').write_text(
        'from jina import Executor, requests\n'
        'from .helper import say\n\n'
        'class MyX(Executor):\n'
        '    @requests\n'
        '    def foo(self, docs=None, **kwargs):\n'
        '        for doc in docs or ():\n'
        '            doc.tags["said"] = doc.tags.get("said", "") + say()\n'
        '        return None if docs else say()\n'
    )
    (folder / '__init__.py').write_text(init)
    (folder / 'config.yml').write_text('jtype: MyX\nmetas:\n  py_modules: [__init__.py]\n')
    return folder


def said(executor):
    return executor.foo()


@pytest.mark.parametrize('init', ['from .executor import MyX', 'from . import executor'])
def test_the_program_loads_it(tmp_path, init):
    package = make_package(tmp_path / 'exec', 'hello', init)
    assert said(Executor.load_config(str(package / 'config.yml'))) == 'hello'
    assert said(Executor.load_config({'jtype': 'MyX', 'py_modules': str(package / '__init__.py')})) == 'hello'


def test_packages_of_the_same_name_and_modules_of_the_same_name_are_not_taken_for_each_other(tmp_path):
    packages = [make_package(tmp_path / place / 'exec', place, 'from . import executor') for place in ('a', 'b', 'c')]
    files = [str(package / 'config.yml') for package in packages]
    assert [said(Executor.load_config(file)) for file in files * 2] == ['a', 'b', 'c'] * 2


def test_nor_for_a_module_that_has_the_name_of_the_folder(tmp_path):
    package = make_package(tmp_path / 'json', 'mine')
    (package / 'executor.py').write_text(
        (package / 'executor.py').read_text().replace('import say', 'import say\nimport json\njson.dumps')
    )
    assert said(Executor.load_config(str(package / 'config.yml'))) == 'mine'
    assert not any(p == str(package) for p in sys.path)


def test_one_that_cannot_be_imported_is_read_again_when_it_is_mended(tmp_path):
    package = make_package(tmp_path / 'exec', 'hello', 'from .executor import MyX\n1 / 0')
    with pytest.raises(ExecutorFailToLoad, match='ZeroDivisionError'):
        find_class('MyX', [str(package / '__init__.py')])
    assert not any(name.startswith('user_package_exec') for name in sys.modules)


def test_it_is_saved_with_its_file(tmp_path):
    package = make_package(tmp_path / 'exec', 'hello')
    Executor.load_config(str(package / 'config.yml')).save_config(tmp_path / 'saved.yml')
    assert 'exec/__init__.py' in (tmp_path / 'saved.yml').read_text()
    assert said(Executor.load_config(str(tmp_path / 'saved.yml'))) == 'hello'


PROGRAM = """
from pathlib import Path
from jina import Document, Flow
from jina.executors.loading import find_class

def texts(flow):
    with flow as f:
        f.post('/', Document(), on_done=lambda r: print(r.docs[0].tags['said']))

a, b = 'a/exec/__init__.py', 'b/exec/__init__.py'
texts(Flow().add(uses='a/exec/config.yml'))  # one alone is a fresh interpreter
# several are forked
texts(Flow().add(uses='MyX', py_modules=[a]).add(uses=Path('b/exec/config.yml')).add(uses='MyX', py_modules=b))
thread = {'runtime_backend': 'THREAD'}
texts(Flow().add(uses='a/exec/config.yml', replicas=3, **thread).add(uses='b/exec/config.yml', **thread))
texts(Flow().add(uses=find_class('MyX', [a])).add(uses=find_class('MyX', [b])))
texts(Flow(uses='flow.yml'))
"""


def test_a_flow_runs_it_in_processes_and_threads(place):
    for name in ('a', 'b'):
        make_package(place.folder / name / 'exec', name)
    place.write(
        'flow.yml', 'jtype: Flow\nexecutors: [{uses: a/exec/config.yml}, {uses: MyX, py_modules: b/exec/__init__.py}]'
    )
    assert place.script(PROGRAM).split() == ['a', 'abb', 'ab', 'ab', 'ab']


def test_modules_that_are_no_package_import_each_other_by_name(place):
    """In whatever order they are listed, and whether they are."""
    place.write(
        'exec/first.py',
        """
        import beside
        from jina import Executor
        from second import TEXT, InSecond
        """,
    )
    place.write(
        'exec/second.py',
        """
        from jina import Executor
        TEXT = 'second'
        class InSecond(Executor):
            text = TEXT
        """,
    )
    place.write('exec/beside.py', 'import second')
    for number, listed in enumerate(('first.py', 'first.py, second.py', 'second.py, first.py', 'beside.py')):
        place.write(f'exec/{number}.yml', f'jtype: InSecond\nmetas: {{py_modules: [{listed}]}}')
    program = 'import sys\nfrom jina import Executor\nprint(Executor.load_config(sys.argv[1]).text)'
    for number in range(4):
        assert place.run(place.write('program.py', program), f'exec/{number}.yml') == 'second\n'
