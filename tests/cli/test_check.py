"""``jina check``: what it finds, and that it finds nothing where nothing is wrong."""

import re
import socket

import pytest

EXECUTOR = """
from jina import Executor, requests

class Good(Executor):
    def __init__(self, size=1, **kwargs):
        super().__init__(**kwargs)
        raise OSError('a check loads no model')

    @requests(on=['/index', '/search'])
    def work(self, docs, parameters, **kwargs):
        pass

class Strict(Executor):
    def __init__(self, size):
        self.size = size

    @requests
    def work(self, docs):
        pass

class Idle(Executor):
    pass

class BadSignature(Executor):
    @requests
    def work(self, docs, nosuch):
        pass

class NoSelf(Executor):
    @requests
    def work():
        pass

class NoExecutor:
    pass
"""


@pytest.fixture
def check(place):
    """What ``jina check`` prints, as a list of (level, text)."""
    place.write('my.py', EXECUTOR)

    def run(*subject, code=0):
        printed = place.run('-m', 'jina', 'check', *subject, code=code)
        assert printed.err == ''
        return [tuple(re.split(r' {2,}', line, maxsplit=1)) for line in printed.splitlines()]

    run.place = place
    return run


def test_the_installation(check):
    found = check()
    assert {level for level, _ in found} <= {'ok', 'warn'}
    assert re.fullmatch(r'a Flow starts, answers and ends, in .* s', found[-1][1])
    texts = ' '.join(text for _, text in found)
    assert all(
        word in texts for word in ('Python 3.', 'grpcio', 'numpy', '127.0.0.1', 'sockets can be made', 'optional:')
    )


def test_an_installation_that_is_broken(check):
    check.place.write('run.py', """
        import sys
        from importlib import metadata
        from jina.cli import main

        metadata.requires = lambda name: ['numpy>=999.0', 'no-such-thing>=1.0', "other>=2; extra == 'more'"]
        sys.modules['grpc'] = sys.modules['numpy'] = None
        sys.exit(main(['check']))
    """)  # fmt: skip
    printed = check.place.run('run.py', code=1)
    assert re.search(r"fail  numpy is [\d.]+: pip install 'numpy>=999.0'", printed)
    assert "fail  no-such-thing is not installed: pip install 'no-such-thing>=1.0'" in printed
    assert 'fail  a Flow does not start: import of numpy halted' in printed
    assert "warn  optional: other is missing or too old: pip install 'jina[more]'" in printed


@pytest.mark.parametrize('subject', ['my:Good', 'my.py:Good'])
def test_a_class(check, subject):
    [(level, text)] = check(subject)
    assert level == 'ok'
    assert text == f'{subject}: class Good of {check.place.folder}/my.py, /index, /search'


@pytest.mark.parametrize(
    ('subject', 'level', 'words'),
    [
        ('my:Nosuch', 'fail', "no Executor class 'Nosuch' in my"),
        ('my:Idel', 'fail', "did you mean 'Idle'?"),
        ('my:NoExecutor', 'fail', 'must be a class that subclasses jina.Executor'),
        ('my:BadSignature', 'fail', "work takes 'nosuch', but a bound method is given: docs"),
        ('my:NoSelf', 'fail', 'signature'),
        ('my:Strict', 'fail', "missing a required argument: 'size'"),
        ('my:Idle', 'warn', 'Idle has no method with @requests'),
        ('nosuch:X', 'fail', "No module named 'nosuch'"),
        ('broken.py:X', 'fail', 'broken.py, line 3'),
        ('syntax.py:X', 'fail', 'syntax.py, line 2'),
        ('exits.py:X', 'fail', 'SystemExit: 5'),
        ('dies.py:X', 'fail', 'importing it ended Python with code 7'),
        ('nosuch', 'fail', 'no YAML file, no folder, and no module:Class'),
        ('none.yml', 'fail', 'there is no file none.yml'),
        ('.', 'fail', 'has no YAML file with a `jtype`'),
    ],
)
def test_a_class_with_which_something_is_wrong(check, subject, level, words):
    check.place.write('broken.py', 'import os\n\nimport torchh\n')
    check.place.write('syntax.py', 'import os\ndef\n')
    check.place.write('exits.py', 'import sys\nprint("noise")\nsys.exit(5)\n')
    check.place.write('dies.py', 'import os\nos._exit(7)\n')
    found = check(subject, code=int(level == 'fail'))
    assert found[0][0] == level
    assert words in found[0][1]
    assert 'Traceback' not in str(found)


@pytest.mark.parametrize(
    ('yaml', 'level', 'words'),
    [
        ('{jtype: Good, py_modules: my.py, with: {size: 2}}', 'ok', '/index, /search'),
        ('!Good {py_modules: my.py, with: {size: 2}}', 'ok', '/index, /search'),
        ('{jtype: Good, py_modules: my.py, with: {size: !Foo {}}}', 'fail', "the tag '!Foo' means nothing here"),
        ('{jtype: Good, py_modules: my.py, with: {sise: 2}}', 'warn', "no __init__ of Good names the argument 'sise'"),
        ('{jtype: Strict, py_modules: my.py, with: {size: 2}}', 'ok', '/default'),
        ('{jtype: Strict, py_modules: my.py, with: {sise: 2}}', 'fail', 'Strict.__init__(): missing'),
        ('{jtype: Good, py_modules: my.py, requests: {/a: nosuch}}', 'fail', "has no method 'nosuch'"),
        ('{jtype: Good, py_modules: none.py}', 'fail', 'there is no file'),
        ('{jtype: Good, py_module: my.py}', 'fail', "did you mean 'py_modules'?"),
        ('{jtype: Good}', 'fail', "no Executor class 'Good'"),
        ('{a: 1}', 'fail', 'the key `jtype`'),
        ('[a]', 'fail', 'it takes a mapping'),
        ('{', 'fail', 'is not YAML'),
    ],
)
def test_the_yaml_of_an_executor(check, yaml, level, words):
    check.place.write('executor.yml', yaml)
    found = check('executor.yml', code=int(level == 'fail'))
    assert found[0][0] == level
    assert words in found[0][1]


FLOW = """
jtype: Flow
with:
  {options}
executors:
  - {{name: a, uses: Good, py_modules: my.py}}
  - {executor}
"""


@pytest.mark.parametrize(
    ('options', 'executor', 'level', 'words'),
    [
        ('port_expose: 0', '{name: b, uses: BaseExecutor}', 'ok', 'a → b'),
        ('prot: 1', '{}', 'fail', 'prot'),
        ('port_expose: 0', '{usse: X}', 'fail', "did you mean 'uses'?"),
        ('port_expose: 0', '{name: b, needs: nosuch}', 'fail', "needs 'nosuch', which is not in this Flow"),
        ('port_expose: 0', '{name: b, needs: b}', 'fail', 'b'),
        ('port_expose: 0', '{name: a}', 'fail', "the name 'a' is in use"),
        ('port_expose: 0', '{name: b, needs: gateway}', 'warn', 'nobody takes the output of a'),
        ('workspace: $NOSUCH_X', '{name: b}', 'warn', 'the variable NOSUCH_X is not set'),
        ('static: nosuch', '{name: b}', 'fail', 'there is no folder nosuch'),
        ('log_config: no.yml', '{name: b}', 'fail', 'there is no file no.yml'),
        ('workspace: my.py/in', '{name: b}', 'fail', 'workspace: my.py/in cannot be written'),
        ('host: 192.0.2.1', '{name: b}', 'fail', 'grpc at 192.0.2.1:'),
        ('port_expose: 70000', '{name: b}', 'fail', 'grpc at 127.0.0.1:70000: '),
        (
            'port_expose: 0',
            '{name: b, uses: Nosuch, py_modules: my.py}',
            'fail',
            "b: there is no Executor class 'Nosuch'",
        ),
        ('port_expose: 0', '{name: b, uses: none.yml}', 'fail', 'there is no file none.yml'),
        (
            'port_expose: 0',
            '{name: b, uses_before: Nosuch}',
            'fail',
            "b, uses_before: there is no Executor class 'Nosuch'",
        ),
        ('port_expose: 0', '{name: b, external: true, host: "localhost:1"}', 'fail', 'nothing listens at localhost:1'),
        ('port_expose: 0', '{name: b, external: true, host: "unix:/no"}', 'fail', 'nothing listens at unix:/no'),
        ('port_expose: 0', '{name: b, external: true, host: "nowhere"}', 'fail', 'nothing listens at nowhere'),
    ],
)
def test_a_flow(check, options, executor, level, words):
    check.place.write('flow.yml', FLOW.format(options=options, executor=executor))
    found = check('flow.yml', code=int(level == 'fail'))
    assert [text for at, text in found if at == level and words in text], found


def test_a_port_that_is_taken(check):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        check.place.write('flow.yml', FLOW.format(options=f'port_expose: {port}', executor='{name: b}'))
        assert [text for level, text in check('flow.yml', code=1) if level == 'fail' and 'already in use' in text]
        check.place.write(
            'flow.yml',
            FLOW.format(options='port_expose: 0', executor=f'{{name: b, external: true, host: "localhost:{port}"}}'),
        )
        assert ('ok', f'b: something listens at localhost:{port}') in check('flow.yml')


def test_the_environment_of_an_executor_is_that_of_its_import(check):
    check.place.write('hue.py', 'import os\nfrom jina import Executor\nos.environ["HUE"]\nclass Hue(Executor): ...\n')
    for env, code in (('{HUE: red}', 0), ('{}', 1)):
        executor = f'{{name: b, uses: Hue, py_modules: hue.py, env: {env}}}'
        check.place.write('flow.yml', FLOW.format(options='port_expose: 0', executor=executor))
        check('flow.yml', code=code)
