"""What all tests share: deadlines instead of sleeps, and a check that nothing is left behind."""

import asyncio
import faulthandler
import gc
import os
import re
import tempfile
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

DEADLINE = 20.0  # seconds: on a busy machine, what takes a moment may take many
SPARE_FDS = 64  # libraries keep what they open once, an open Flow a few for each thread that has posted

# Threads of scikit-learn that wait for one another leave a busy processor to those that work.
os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')

# Tests ask who is on this machine, whatever proxy it has for others. What is ours needs no telling; urllib does.
os.environ.update(dict.fromkeys(('no_proxy', 'NO_PROXY'), 'localhost,127.0.0.1'))

# A busy machine is not a slow program.
settings.register_profile('jina', deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile('jina')

_OUR_THREADS = re.compile(r'(executor|worker|gateway|jina)-')


def pytest_configure(config):
    if hasattr(config, 'workerinput'):
        config.pluginmanager.register(ShowsStacks(os.dup(2)))


class ShowsStacks:
    """Shows where the threads are before a test takes too long: pytest-timeout does not in a worker of pytest-xdist.

    :param stderr: descriptor of the standard error that is not captured.
    """

    def __init__(self, stderr):
        self._stderr = stderr

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item):
        mark = item.get_closest_marker('timeout')
        seconds = mark.args[0] if mark else float(item.config.getini('timeout'))
        faulthandler.dump_traceback_later(seconds - 1, file=self._stderr)
        try:
            return (yield)
        finally:
            faulthandler.cancel_dump_traceback_later()


@pytest.fixture(scope='session')
def until():
    """``await until(condition)``: let the loop work until it is true; fails when it never is."""

    async def wait(condition, seconds=DEADLINE):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, 'this never came true'
            await asyncio.sleep(0.001)

    return wait


@pytest.fixture(scope='session', autouse=True)
def own_tempdir(tmp_path_factory):
    """Folders of other programs in the system's one are none of our business."""
    before = tempfile.gettempdir()
    tempfile.tempdir = os.environ['TMPDIR'] = str(tmp_path_factory.getbasetemp())
    yield Path(tempfile.tempdir)
    tempfile.tempdir = before


@pytest.fixture(autouse=True)
def nothing_left_behind(own_tempdir):
    """Fails a test after which a thread, a child process, a folder of sockets or many open files are left."""
    before = _held(own_tempdir)
    yield
    deadline = time.monotonic() + DEADLINE
    while left := _left(before, _held(own_tempdir)):
        gc.collect()
        if time.monotonic() > deadline:
            pytest.fail(f'left behind: {left}')
        time.sleep(0.02)


def _held(tempdir):
    threads = {t for t in threading.enumerate() if _OUR_THREADS.match(t.name)}
    return threads, _children(), set(tempdir.glob('jina-*')), _open_files()


def _left(before, now):
    left = [sorted(map(str, n - b)) for b, n in zip(before[:3], now[:3], strict=True) if n - b]
    return left + ([f'{before[3]} → {now[3]} open files'] if now[3] > before[3] + SPARE_FDS else [])


def _children(of='self'):
    """The numbers of child processes, and of theirs."""
    children = {pid for task in Path(f'/proc/{of}/task').glob('*/children') for pid in _read(task).split()}
    return children.union(*map(_children, children))


def _read(path):
    try:
        return path.read_text()
    except OSError:  # a thread that ended while we looked
        return ''


def _open_files():
    return len(os.listdir('/dev/fd'))
