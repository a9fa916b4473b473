"""What forks have in common with fresh interpreters, what they do not share, and how they fare without a zygote."""

import json
import logging
import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from jina import Executor
from jina.launch import stop_all
from jina.launch.inherited import inherited
from jina.launch.zygote import Zygote
from launch.launchers import Launch, eventually

pytestmark = pytest.mark.skipif(not Zygote.is_possible(), reason='Linux only')


OF_A_CHILD = 2  # files: the process, and the pipe that tells its status
LOADED_BESIDES = {'jina.launch.forking', 'cloudpickle', 'cloudpickle.cloudpickle'}


class Telling(Executor):
    """Writes down what it finds around it."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        Path(self.metas.path).write_text(json.dumps(self.facts()))

    def facts(self):
        """What is looked for."""


class Everything(Telling):
    """What a program may find different in another process."""

    def facts(self):
        import gc
        import resource
        import threading
        import warnings

        signals = [str(signal.getsignal(n)) for n in sorted(signal.valid_signals()) if n != signal.SIGTERM]
        status = dict(line.split(':', 1) for line in Path('/proc/self/status').read_text().splitlines())
        return {
            'sys': [sys.argv[1:3], sys.path, list(sys.flags), sys.warnoptions, sys.executable, sys.prefix],
            'main': [sys.modules['__main__'].__name__, sys.modules['__main__'].__spec__.name],
            'warnings': [str(each) for each in warnings.filters],
            'environment': dict(os.environ),
            'folder': os.getcwd(),
            'masks': [status[name] for name in ('Umask', 'SigBlk', 'SigIgn')],
            'signals': signals,
            'files': sorted(_kind(f'/proc/self/fd/{fd}') for fd in os.listdir('/proc/self/fd')),
            'streams': [stream.line_buffering for stream in (sys.stdout, sys.stderr)],
            'standard input': os.readlink('/proc/self/fd/0'),
            'group': os.getpgid(0) == os.getpid(),
            'threads': sorted(thread.name.partition('-')[0] for thread in threading.enumerate()),
            'collector': [gc.isenabled(), gc.get_threshold()],
            'limits': [resource.getrlimit(n) for n in range(resource.RLIMIT_NOFILE + 1)],
            'modules': sorted(sys.modules),
        }


def _kind(path):
    try:
        return re.sub(r'\d+', 'N', os.readlink(path))
    except OSError:  # that by which the folder was read
        return ''


class Calculating(Telling):
    """Multiplies with all the threads that numpy has."""

    def facts(self):
        import numpy as np

        a = np.arange(600 * 600, dtype=float).reshape(600, 600) % 7
        product = a @ a
        right = bool((product.astype(int) == np.einsum('ij,jk->ik', a.astype(int), a.astype(int))).all())
        return right, len(os.listdir('/proc/self/task'))


class Random(Telling):
    """Draws from all the wells of chance."""

    def facts(self):
        import random
        import ssl
        import tempfile
        import uuid

        import numpy as np

        from jina import Document
        from jina.helper import random_identity

        return [
            *(
                random.random(),
                random.getrandbits(64),
                float(np.random.random()),
                float(np.random.default_rng().random()),
            ),
            *(random_identity(), Document().id, str(uuid.uuid1()), str(uuid.uuid4()), ssl.RAND_bytes(8).hex()),
            *(next(tempfile._get_candidate_names()), os.urandom(8).hex()),
        ]


@pytest.fixture
def launch(tmp_path):
    launch = Launch('ZYGOTE', tmp_path)
    yield launch
    launch.end()


@pytest.fixture
def fresh(tmp_path):
    launch = Launch('PROCESS', tmp_path)
    yield launch
    launch.end()


def told(launch, cls, name, **options):
    """What an Executor writes down."""
    path = launch.folder / f'{name}.json'
    launch.ready(cls, name, metas={'path': str(path)}, **options)
    return json.loads(path.read_text())


def process(handle):
    return psutil.Process(int(handle.where.split()[1]))


def zygote_of(launch):
    return psutil.Process(launch.zygote._process.pid)


def is_forked(launch, handle):
    return process(handle).parent() == zygote_of(launch)


def test_a_fork_finds_all_as_a_fresh_interpreter_does(launch, fresh):
    forked, own = told(launch, Everything, 'forked'), told(fresh, Everything, 'own')
    assert is_forked(launch, launch.handles[0])
    assert set(forked.pop('modules')) ^ set(own.pop('modules')) == LOADED_BESIDES
    assert {name: value for name, value in forked.items() if value != own[name]} == {}


def test_a_fork_calculates_with_as_many_threads_as_a_fresh_interpreter(launch, fresh):
    forked, own = told(launch, Calculating, 'forked'), told(fresh, Calculating, 'own')
    assert forked == own
    assert forked[0]
    assert zygote_of(launch).num_threads() == 1


def test_forks_share_no_randomness(launch):
    first, second = told(launch, Random, 'first'), told(launch, Random, 'second')
    assert not set(first) & set(second)
    assert first[4][:16] != second[4][:16]


def test_a_fork_holds_no_line_of_others(launch):
    first, second = launch.ready(name='first'), launch.ready(name='second')
    first.line.hang_up()
    assert first.wait(20)
    assert second.alive()
    assert first.ending() == 'exited with code 0'


def test_the_zygote_keeps_nothing_of_those_that_have_ended(launch):
    first = launch.ready(name='first')
    zygote, before = zygote_of(launch), zygote_of(launch).num_fds()
    stop_all([first])
    for number in range(3):
        stop_all([launch.ready(name=f'w{number}')])
    assert launch.handles[-1].ending() == 'exited with code 0'
    assert eventually(lambda: zygote.children() == [] and zygote.num_fds() == before - OF_A_CHILD)


@contextmanager
def changed(what, monkeypatch, folder):
    """Another world for children than that in which the zygote started."""
    if what == 'environment':
        monkeypatch.setenv('OMP_NUM_THREADS', '1')
    elif what == 'folder':
        monkeypatch.chdir(folder)
    elif what == 'umask':
        before = os.umask(0o012)
    elif what == 'stdout':
        before = os.dup(1)
        with open(folder / 'stdout', 'w') as file:
            os.dup2(file.fileno(), 1)
    yield
    if what == 'umask':
        os.umask(before)
    elif what == 'stdout':
        os.dup2(before, 1)
        os.close(before)


@pytest.mark.parametrize('what', ['nothing', 'environment', 'folder', 'umask', 'stdout'])
def test_what_would_inherit_something_else_than_the_zygote_is_a_fresh_interpreter(launch, monkeypatch, tmp_path, what):
    assert is_forked(launch, launch.ready(name='before'))
    with changed(what, monkeypatch, tmp_path):
        handle = launch.ready()
    assert is_forked(launch, handle) == (what == 'nothing')


def test_what_has_an_environment_of_its_own_is_a_fresh_interpreter(launch):
    assert not is_forked(launch, launch.ready(env={'A': '1'}))


def test_the_environment_of_the_zygote_is_that_of_its_children(tmp_path):
    launch = Launch('ZYGOTE', tmp_path)
    launch.zygote = Zygote({'A_OF_ALL': '1'})
    facts = told(launch, Everything, 'w', env={'A_OF_ALL': '1'})
    assert is_forked(launch, launch.handles[0])
    assert facts['environment']['A_OF_ALL'] == '1'
    launch.end()


def test_what_is_inherited_is_the_same_until_it_changes(monkeypatch):
    before = inherited({'A': '1'})
    assert inherited({'A': '1'}) == before
    assert inherited({'A': '2'}) != before
    monkeypatch.setenv('A', '1')
    assert inherited({}) == before


@pytest.fixture
def logged(caplog, monkeypatch):
    """What is logged, whatever Flows of other tests have configured."""
    monkeypatch.setattr(logging.getLogger('jina'), 'propagate', True)
    caplog.set_level(logging.WARNING, 'jina.Flow')
    return caplog


def test_without_its_zygote_what_runs_goes_on_and_what_starts_is_a_fresh_interpreter(launch, logged):
    before = launch.ready(name='before')
    assert is_forked(launch, before)
    zygote_of(launch).kill()
    after = launch.ready(name='after')
    assert process(after).ppid() == os.getpid()
    assert 'was killed by SIGKILL; from now on each is a fresh interpreter' in logged.text
    assert before.alive()
    assert before.ending() == 'is running'
    launch.ready(name='later')
    assert logged.text.count('fresh interpreter') == 1
    stop_all([before])
    assert before.ending() == 'has ended, and so had its parent, which would know how'


def test_a_zygote_with_threads_forks_nothing(tmp_path, monkeypatch, logged):
    (tmp_path / 'sitecustomize.py').write_text(
        "import sys, threading\nif 'zygote' in sys.orig_argv:\n"
        '    threading.Thread(target=threading.Event().wait, daemon=True).start()\n'
    )
    monkeypatch.setenv('PYTHONPATH', str(tmp_path), prepend=os.pathsep)
    launch = Launch('ZYGOTE', tmp_path)
    handle = launch.ready()
    assert process(handle).ppid() == os.getpid()
    assert 'exited with code 1; from now on' in logged.text
    launch.end()


def test_a_kill_that_comes_late_harms_nobody(launch):
    handle = launch.ready()
    process(handle).kill()
    assert handle.wait(20)
    assert handle.ending() == 'was killed by SIGKILL'
    handle.kill()
    assert not handle.alive()


def test_one_that_is_still_starting_can_be_killed(launch):
    handle = launch()
    handle.kill()
    assert handle.ending() == 'was killed by SIGKILL'


def test_a_zygote_that_does_not_answer_is_not_waited_for(tmp_path, monkeypatch, logged):
    monkeypatch.setattr('jina.launch.zygote.ANSWER_SECONDS', 0.2)
    launch = Launch('ZYGOTE', tmp_path)
    os.kill(zygote_of(launch).pid, signal.SIGSTOP)
    monkeypatch.setattr('jina.launch.zygote.FATE_SECONDS', 0.1)
    handle = launch.ready()
    assert process(handle).ppid() == os.getpid()
    assert 'timed out; from now on' in logged.text
    launch.end()


ORPHANED = """
import os, sys, time
from jina.launch.zygote import Zygote
zygote = Zygote({})
print(zygote._process.pid, flush=True)
os._exit(0)
"""


def test_a_zygote_whose_parent_is_gone_ends(tmp_path):
    done = subprocess.run([sys.executable, '-c', ORPHANED], stdout=subprocess.PIPE, text=True, check=True)
    try:
        psutil.Process(int(done.stdout)).wait(30)
    except psutil.NoSuchProcess:  # it has ended already
        pass
