"""The command line, as somebody types it."""

import json
import re
import shlex
import signal

import msgspec
import pytest
from programs import free_port, interrupt, wait_line

import jina
from jina.spec import ExecutorSpec, FlowSpec, GatewaySpec, WorkerSpec

COMMANDS = ('hello', 'flow', 'executor', 'gateway', 'worker', 'client', 'ping')

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

        assert interrupt(server, signal.SIGTERM) < 4
        out, err = server.communicate()
    assert server.returncode == 0
    assert out == 'closed\n'
    assert 'Traceback' not in err


def test_options_of_the_command_line_go_before_those_of_the_file(cli):
    cli.place.write('flow.yml', FLOW.format(port=1))
    with cli.start('flow', '--uses', 'flow.yml', '--protocol', 'http', '--port-expose', '0') as server:
        wait_line(server.stderr, r'HTTP +localhost:[1-9]\d+')
        assert interrupt(server) < 4
    assert server.returncode == 0


def test_a_flow_without_a_file(cli):
    executors = '[{name: a, uses: Upper, py_modules: my.py, uses_with: {mark: "?"}}]'
    with cli.start('flow', '--executors', executors) as server:
        port = wait_line(server.stderr, r'GRPC +localhost:(\d+)')[1]
        answer = json.loads(cli('client', '--port', port, '--text', 'a'))
        assert answer['data']['docs'][0]['text'] == 'A?'
        assert interrupt(server) < 4


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
            assert interrupt(gateway, signal.SIGTERM) < 4
        assert interrupt(serving, signal.SIGTERM) < 4
        assert serving.stdout.read() == 'closed\n'
    assert (serving.returncode, gateway.returncode) == (0, 0)


def test_specs_may_be_files(cli):
    cli.place.write(
        'worker.yml', 'executor: {name: up, uses: {jtype: Upper, py_modules: [my.py]}}\nlisten: tcp:127.0.0.1:0\n'
    )
    with cli.start('worker', '--spec', 'worker.yml') as serving:
        wait_line(serving.stderr, r'ready: tcp:127.0.0.1:\d+')
        assert interrupt(serving) < 4
    assert serving.returncode == 0


@pytest.mark.parametrize(
    ('line', 'code', 'words'),
    [
        ('nosuch', 2, 'nosuch'),
        ('flow --nope 1', 2, '--nope'),
        ('flow --uses none.yml', 1, 'there is no file none.yml'),
        ('flow --uses my.py', 1, 'jtype: Flow'),
        ('flow --port-expose x', 1, "port_expose='x'"),
        ('flow --executors "[{usse: a}]"', 1, "did you mean 'uses'?"),
        ('flow --executors "[{uses: NoSuch}]"', 1, "no class 'NoSuch'"),
        ('executor --uses NoSuch', 1, "no Executor class 'NoSuch'"),
        ('executor --uses none.yml', 1, 'there is no file none.yml'),
        ('executor --uses Upper --py-modules my.py --uses-with "{a: 1}"', 1, "takes no argument 'a'"),
        ('executor --uses Upper --py-modules my.py --listen nowhere', 1, 'nowhere'),
        ('gateway', 1, 'listen'),
        ('gateway --spec none.yml', 1, 'none.yml'),
        ('gateway --doors [{protocol:', 2, 'doors'),
        ('gateway --doors "[{protocl: grpc}]"', 1, 'protocl'),
        ('worker', 1, 'executor'),
        ('client', 2, '--port'),
        ('client --port x', 2, '--port'),
        ('client --port 1 --protocol foo', 1, "protocol='foo'"),
        ('client --port 1 --text a', 1, 'nothing answers at grpc://localhost:1'),
        ('client --port 1 --parameters {', 1, '--parameters'),
        ('ping localhost 1', 1, 'nothing answers at grpc://localhost:1'),
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
        assert interrupt(server) < 4


def test_a_failed_request_ends_the_client_with_code_1(cli, served):
    printed = cli('client', '--port', served, '--on', '/fail', '--text', 'a', code=1)
    assert "Executor 'a' (Upper) failed on '/fail': ValueError: no good" in printed.err


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
    command = cli.place.start('-m', 'jina', 'flow', '--help')
    command.stdout.close()
    assert command.wait(20) in (0, 1, 120)
    command.stderr.close()
