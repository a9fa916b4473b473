"""What all tests share: deadlines instead of sleeps, and a check that nothing is left behind."""

import asyncio
import gc
import os
import re
import tempfile
import threading
import time
from pathlib import Path

import pytest

DEADLINE = 5.0
SPARE_FDS = 64  # libraries keep what they open once, an open Flow a few for each thread that has posted

_OUR_THREADS = re.compile(r'(executor|worker|gateway|jina)-')


@pytest.fixture(scope='session')
def until():
    """``await until(condition)``: let the loop work until it is true; fails after five seconds."""

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
