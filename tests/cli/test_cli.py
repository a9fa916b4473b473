"""The command line, as somebody types it."""

import json
import platform
import re
import shlex
import signal
import socket
from pathlib import Path

import msgspec
import numpy
import pytest
from ports import free_port
from programs import interrupt, wait_line

import jina
from jina import Document
from jina.cli.options import read_yaml
from jina.spec import ExecutorSpec, FlowSpec, GatewaySpec, WorkerSpec

COMMANDS = ('flow', 'executor', 'gateway', 'worker', 'client', 'ping', 'new', 'check', 'hello', 'completion')

EXECUTOR = """
from jina import Executor, requests

class Upper(Executor):
    def __init__(self, mark='!', **kwargs):
        super().__init__(**kwargs)
        self.mark = mark

    @requests
    def foo(self, docs, parameters, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper() + self.mark * parameters.get('times', 1)

    @requests(on='/fail')
    def fail(self, **kwargs):
        raise ValueError('no good')

    def close(self):
        print('closed')
"""

FLOW = """
jtype: Flow
with:
  port_expose: {port}
executors:
  - name: upper
    uses: Upper
    py_modules: my.py
"""


@pytest.fixture
def cli(place):
    """Runs ``jina``."""
    place.write('my.py', EXECUTOR)

    def run(*arguments, **options):
        return place.run('-m', 'jina', *arguments, **options)

    run.start = lambda *arguments: place.start('-m', 'jina', *arguments)
    run.place = place
    return run


def test_alone_it_prints_its_help(cli):
    printed = cli()
    assert printed == cli('--help')
    assert [c for c in COMMANDS if f'\n    {c} ' not in printed] == []


def test_version(cli):
    assert cli('--version') == cli('-v') == f'{jina.__version__}\n'


@pytest.mark.parametrize('command', COMMANDS)
def test_help(cli, command):
    printed = cli(command, '--help')
    assert printed.startswith(f'usage: jina {command}')
    assert printed.err == ''


@pytest.mark.parametrize(
    ('command', 'specs'),
    [
        ('flow', [FlowSpec]),
        ('executor', [ExecutorSpec, WorkerSpec]),
        ('gateway', [GatewaySpec]),
        ('worker', [WorkerSpec]),
    ],
)
def test_help_lists_every_option_of_the_spec(cli, command, specs):
    printed = cli(command, '--help')
    names = {f.name for spec in specs for f in msgspec.structs.fields(spec)}
    names -= {'executor'} if command == 'executor' else set()
    assert [n for n in names if not re.search(rf'--{n.replace("_", "-")}\b', printed)] == []


@pytest.mark.parametrize('spec', [FlowSpec, ExecutorSpec, GatewaySpec, WorkerSpec])
def test_every_option_stands_in_one_group_of_the_help(spec):
    """Add a new option to ``groups`` of its spec: what is in none of them is no option of the command line."""
    listed = sorted(name for names in spec.groups.values() for name in names)
    assert listed == sorted(spec.__struct_fields__)


def test_help_says_groups_defaults_choices_and_other_names(cli):
    printed = ' '.join(cli('executor', '--help').split()).replace(' NUMBER,', ',')  # Python 3.13 says it once
    for text in (
        'what to run: --uses ',
        'how many: --replicas, --parallel, --shards NUMBER how many of it',
        '--polling ANY|ALL|ALL_ASYNC',
        'started again, ever later; 0: never; -1: no limit (default: 10) [in a Flow only]',
        'how gateways reach it: --listen TEXT',
    ):
        assert text in printed


@pytest.mark.parametrize('arguments', [['--version'], ['--help'], ['executor', '--help'], ['completion', 'bash']])
def test_words_alone_load_nothing_heavy(cli, arguments):
    printed = cli.place.run('-X', 'importtime', '-m', 'jina', *arguments)
    loaded = set(re.findall(r'\| +(\S+)\n', printed.err))
    assert 'jina.cli.run' in loaded
    assert (
        loaded & {'grpc', 'numpy', 'google.protobuf', 'uvicorn', 'starlette', 'asyncio', 'rich', 'jina.flow'} == set()
    )


def test_the_full_version_says_what_a_report_should(cli):
    cli.place.env['JINA_LOG_LEVEL'] = 'WARNING'
    report = dict(line.split(maxsplit=1) for line in cli('-vf').splitlines())
    assert report == dict(line.split(maxsplit=1) for line in cli('--version-full').splitlines())
    assert report['jina'] == f'{jina.__version__} in {Path(jina.__file__).parent}'
    assert report['python'].startswith(platform.python_version())
    assert report['numpy'] == numpy.__version__
    assert report['scipy'].endswith('(for jina[sparse])')
    assert report['JINA_LOG_LEVEL'] == 'WARNING'
    assert 'ruff' not in report


def test_a_flow_from_yaml_is_served_asked_and_ended(cli):
    port = str(free_port())
    cli.place.write('flow.yml', FLOW.format(port=port))
    with cli.start('flow', '--uses', 'flow.yml') as server:
        wait_line(server.stderr, f'GRPC .*:{port}')

        answer = json.loads(cli('client', '--port', port, '--text', 'a', '--text', 'b', '--parameters', '{times: 2}'))
        assert [d['text'] for d in answer['data']['docs']] == ['A!!', 'B!!']

        lines = '{"text": "c"}\n\n{"text": "d"}\n'
        answers = cli('client', '--port', port, '--json', '-', '--request-size', '1', input=lines).splitlines()
        assert [json.loads(a)['data']['docs'][0]['text'] for a in answers] == ['C!', 'D!']

        printed = cli('ping', 'localhost', port, '--retries', '2')
        assert printed.count(f'grpc://localhost:{port} answers in') == 2

        assert 'Traceback' not in interrupt(server, signal.SIGTERM)
        assert server.stdout.read() == 'closed\n'
    assert server.returncode == 0


def test_options_of_the_command_line_go_before_those_of_the_file(cli):
    cli.place.write('flow.yml', FLOW.format(port=1))
    with cli.start('flow', '--uses', 'flow.yml', '--protocol', 'http', '--port-expose', '0') as server:
        wait_line(server.stderr, r'HTTP +http://localhost:[1-9]\d+')
        interrupt(server)
    assert server.returncode == 0


@pytest.mark.parametrize('arguments', [['flow.yml', '--protocol', 'http'], ['--protocol', 'http', 'flow.yml']])
def test_the_file_of_a_flow_may_stand_alone_before_or_after_options(cli, arguments):
    cli.place.write('flow.yml', FLOW.format(port=0))
    with cli.start('flow', *arguments) as server:
        wait_line(server.stderr, r'HTTP +http://localhost:[1-9]\d+')
        interrupt(server)
    assert server.returncode == 0


def test_sigterm_while_a_flow_starts_ends_it_in_order(cli):
    cli.place.write(
        'slow.py', EXECUTOR.replace('self.mark = mark', 'print("begun", flush=True); __import__("time").sleep(30)')
    )
    with cli.start('flow', '--executors', '[{name: a, uses: Upper, py_modules: slow.py}]') as server:
        assert server.stdout.readline() == 'begun\n'
        interrupt(server, signal.SIGTERM)
    assert server.returncode == 0


def test_a_flow_without_a_file(cli):
    executors = '[{name: a, uses: Upper, py_modules: my.py, uses_with: {mark: "?"}}]'
    with cli.start('flow', '--executors', executors) as server:
        port = wait_line(server.stderr, r'GRPC +localhost:(\d+)')[1]
        answer = json.loads(cli('client', '--port', port, '--text', 'a'))
        assert answer['data']['docs'][0]['text'] == 'A?'
        interrupt(server)


@pytest.mark.parametrize('command', ['executor', 'worker'])
def test_an_executor_and_a_gateway_started_apart(cli, command):
    executor = {'name': 'up', 'uses': {'jtype': 'Upper', 'py_modules': ['my.py']}}
    worker = (
        ['--uses', 'Upper', '--py-modules', 'my.py'] if command == 'executor' else ['--executor', json.dumps(executor)]
    )
    port = free_port()
    with cli.start(command, *worker, '--listen', 'tcp:127.0.0.1:0') as serving:
        address = wait_line(serving.stderr, r'ready: (tcp:127.0.0.1:\d+)')[1]
        nodes, doors = (
            [{'name': 'up', 'needs': ['gateway'], 'addresses': [address]}],
            [{'protocol': 'grpc', 'port': port}],
        )
        with cli.start('gateway', '--nodes', json.dumps(nodes), '--doors', json.dumps(doors)) as gateway:
            wait_line(gateway.stderr, rf'ready: .*{port}')
            answer = json.loads(cli('client', '--port', port, '--text', 'a'))
            assert answer['data']['docs'][0]['text'] == 'A!'
            interrupt(gateway, signal.SIGTERM)
        interrupt(serving, signal.SIGTERM)
        assert serving.stdout.read() == 'closed\n'
    assert (serving.returncode, gateway.returncode) == (0, 0)


def test_an_executor_has_its_environment_and_workspace_and_says_what_it_does_not_use(cli):
    cli.place.write(
        'my.py', EXECUTOR.replace('self.mark = mark', 'print(__import__("os").environ["HUE"], self.workspace)')
    )
    options = ['--name', 'up', '--env', '{HUE: red}', '--workspace', 'kept', '--parallel', '3']
    with cli.start('executor', '--uses', 'Upper', '--py-modules', 'my.py', *options) as serving:
        wait_line(serving.stderr, r'\[W\]: replicas changes nothing here')
        wait_line(serving.stderr, 'ready: tcp:')
        interrupt(serving)
        assert serving.stdout.read() == f'red {cli.place.folder}/kept/up/0\nclosed\n'


def test_specs_may_be_files(cli):
    cli.place.write(
        'worker.yml', 'executor: {name: up, uses: {jtype: Upper, py_modules: [my.py]}}\nlisten: tcp:127.0.0.1:0\n'
    )
    with cli.start('worker', '--spec', 'worker.yml') as serving:
        wait_line(serving.stderr, r'ready: tcp:127.0.0.1:\d+')
        interrupt(serving)
    assert serving.returncode == 0


@pytest.mark.parametrize(
    ('line', 'code', 'words'),
    [
        ('nosuch', 2, 'nosuch'),
        ('flwo', 2, "did you mean 'flow'?"),
        ('flow --port 1', 2, "--port: did you mean '--port-expose'?"),
        ('executor --replica 2', 2, "did you mean '--replicas'?"),
        ('executor --parallel x', 1, "replicas='x'"),
        ('flow a.yml b.yml', 2, "no place for the argument 'b.yml'"),
        ('flow a.yml --uses b.yml', 2, 'two Flows'),
        ('flow --nope 1', 2, '--nope'),
        ('flow --uses none.yml', 1, 'there is no file none.yml'),
        ('flow --uses my.py', 1, 'jtype: Flow'),
        ('flow --port-expose x', 1, "port_expose='x'"),
        ('flow --executors "[{usse: a}]"', 1, "did you mean 'uses'?"),
        ('flow --executors "[{uses: NoSuch}]"', 1, "no class 'NoSuch'"),
        ('executor --uses NoSuch', 1, "no Executor class 'NoSuch'"),
        ('executor --uses none.yml', 1, 'there is no file none.yml'),
        ('executor --uses Upper --py-modules my.py --listen nowhere', 1, 'nowhere'),
        ('gateway', 1, 'listen'),
        ('gateway --spec none.yml', 1, 'none.yml'),
        ('gateway --doors [{protocol:', 2, 'doors'),
        ('gateway --doors "[{protocl: grpc}]"', 1, 'protocl'),
        ('worker', 1, 'executor'),
        ('client', 2, 'the port of localhost is missing'),
        ('ping localhost', 2, 'the port of localhost is missing'),
        ('client --port x', 2, '--port'),
        ('client --port 1 --protocol foo', 1, "protocol='foo'"),
        ('client --port 1 --text a', 1, 'nothing answers at grpc://localhost:1'),
        ('client --port 1 --parameters {', 1, '--parameters'),
        ('ping localhost 1 --retries 1', 1, 'nothing answers at grpc://localhost:1'),
        ('hello nosuch', 2, 'nosuch'),
    ],
)
def test_bad_input_is_one_clear_error(cli, line, code, words):
    printed = cli(*shlex.split(line), code=code)
    assert printed in ('', 'closed\n')
    assert words in printed.err
    assert ('Traceback' in printed.err) == ('--uses-with' in line)  # only there code of the user's is on the way
    assert '<lambda>' not in printed.err
    told = [text for text in printed.err.splitlines() if text.startswith('jina')]
    assert len(told) == 1
    assert 'caused by' not in printed.err


def test_an_init_that_raises_is_told_with_its_traceback(cli):
    cli.place.write('bad.py', EXECUTOR.replace('self.mark = mark', 'raise OSError("no model")'))
    printed = cli('flow', '--executors', '[{name: a, uses: Upper, py_modules: bad.py}]', code=1)
    assert "jina: 'a' (process" in printed.err
    assert 'Upper.__init__() raised OSError: no model' in printed.err
    assert 'raise OSError("no model")' in printed.err
    assert printed.err.count('Traceback') <= 2


@pytest.fixture
def served(cli):
    """The port of a Flow."""
    with cli.start('flow', '--executors', '[{name: a, uses: Upper, py_modules: my.py}]') as server:
        yield wait_line(server.stderr, r'GRPC +localhost:(\d+)')[1]
        interrupt(server)


def test_a_failed_request_ends_the_client_with_code_1(cli, served):
    printed = cli('client', '--port', served, '--on', '/fail', '--text', 'a', code=1)
    assert "Executor 'a' (Upper) failed on '/fail': ValueError: no good" in printed.err


def test_a_client_sends_files_and_only_to_whom_it_says(cli, served):
    cli.place.write('texts/a/1.txt', 'one')
    cli.place.write('texts/2.txt', 'two')
    arguments = ['client', '--host', f'grpc://localhost:{served}', '--target-peapod', 'nobody']
    answer = json.loads(cli(*arguments, '--files', 'texts/**/*.txt', '--files', 'texts/2.txt'))
    docs = [Document(doc) for doc in answer['data']['docs']]
    assert sorted(doc.buffer for doc in docs) == [b'one', b'two', b'two']
    assert answer['routes'] == [] or [r['pod'] for r in answer['routes']] == ['gateway']
    assert 'none/*: there are none' in cli(*arguments, '--files', 'none/*', code=1).err


def test_a_client_whose_reader_ends_says_nothing_of_it(cli, served):
    lines = '{"text": "c"}\n' * 500
    cli.place.write('lines.json', lines)
    client = cli.start('client', '--port', served, '--json', 'lines.json', '--request-size', '1')
    with client:
        assert json.loads(client.stdout.readline())['data']['docs'][0]['text'] == 'C!'
        client.stdout.close()
        assert client.wait(30) == 0
        assert client.stderr.read() == ''


def test_ping_takes_an_address(cli, served):
    assert cli('ping', f'grpc://localhost:{served}', '--retries', '1').startswith(f'grpc://localhost:{served} answers')


def test_ping_gives_up_in_time(cli):
    with socket.create_server(('127.0.0.1', 0)) as silent:
        where = f'localhost:{silent.getsockname()[1]}'
        printed = cli('ping', f'grpc://{where}', '--retries', '1', '--timeout', '0.3', code=1)
    assert printed.err == f'jina: nothing answers at grpc://{where} within 0.3 s\n'


def test_a_client_that_is_given_what_it_cannot_send(cli, served):
    for line, words in (
        ('--parameters [1]', 'parameters'),
        ('--json none.json', 'none.json'),
        ('--json my.py', 'JSON'),
    ):
        printed = cli('client', '--port', served, *line.split(), code=1)
        assert words in printed.err
        assert 'Traceback' not in printed.err


def test_output_may_be_cut_short(cli):
    """``jina --help | head -1``"""
    with cli.start('flow', '--help') as command:
        command.stdout.close()
        assert command.wait(30) == 0
        assert command.stderr.read() == ''


def test_an_option_that_is_yaml_may_name_the_class_by_a_tag():
    assert read_yaml('!X {with: {a: 1}}') == {'jtype': 'X', 'with': {'a': 1}}
