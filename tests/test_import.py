"""What `import jina` costs and does: next to nothing. Each test asks a fresh interpreter."""

import json
import subprocess
import sys

import pytest

import jina

CPU_SECONDS = 0.1
HEAVY = ['cloudpickle', 'google.protobuf', 'grpc', 'rich', 'starlette', 'uvicorn', 'wordllama', 'yaml']

CPU = """
import time, numpy
before = time.process_time()
import {module}
answer = time.process_time() - before
"""

STATE = """
import os, signal, sys, threading

def state():
    handlers = {int(n): repr(signal.getsignal(n)) for n in signal.valid_signals()}
    return [t.name for t in threading.enumerate()], handlers, sorted(os.listdir('/dev/fd'))

before = state()
import MODULE
after = state()
answer = [list(pair) for pair in zip(before, after)]
"""


def ask(code: str, folder) -> object:
    """What a fresh interpreter finds to be ``answer`` after it has run the code."""
    script = f'{code}\nimport json\nprint(json.dumps(answer))'
    command = [sys.executable, '-W', 'error', '-c', script]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize('module', ['jina', 'jina.hello'])
def test_it_takes_little_time(module, tmp_path):
    assert min(ask(CPU.format(module=module), tmp_path) for _ in range(5)) < CPU_SECONDS


@pytest.mark.parametrize('module', ['jina', 'jina.hello'])
def test_it_starts_no_thread_and_leaves_signals_and_files_alone(module, tmp_path):
    for before, after in ask(STATE.replace('MODULE', module), tmp_path):
        assert before == after


@pytest.mark.parametrize('module', ['jina', 'jina.hello'])
def test_it_loads_no_heavy_library(module, tmp_path):
    loaded = ask(f'import sys, {module}\nanswer = list(sys.modules)', tmp_path)
    assert not {*HEAVY, 'numpy'} & set(loaded)


def test_all_names_together_load_no_server_and_no_model(tmp_path):
    loaded = ask('import sys\nfrom jina import *\nanswer = list(sys.modules)', tmp_path)
    assert not (set(HEAVY) - {'cloudpickle', 'yaml'}) & set(loaded)


def test_star_gives_the_public_names(tmp_path):
    code = 'from jina import *\nimport jina\nanswer = sorted(set(jina.__all__) - set(globals()))'
    assert ask(code, tmp_path) == []


@pytest.mark.parametrize('name', jina.__all__)
def test_a_public_name_can_be_had(name):
    assert getattr(jina, name) is not None
    assert name in dir(jina)


def test_all_names_each_public_name_once():
    assert set(jina.__all__) == {*jina._HOMES, '__version__'}
    assert len(set(jina.__all__)) == len(jina.__all__)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match="module 'jina' has no attribute 'Flwo'"):
        jina.Flwo  # noqa: B018


def test_an_unknown_name_cannot_be_imported():
    with pytest.raises(ImportError, match='Flwo'):
        from jina import Flwo  # noqa: F401
