"""Run programs as users do, each in a folder of its own, and see what they leave behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from jina.excepts import StartTimeout

MARK = 'JINA_TEST_PLACE'


def until(condition, seconds=20.0):
    """Wait until a condition holds; its value, which is false if it never did."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return value


def alive(pid):
    """Whether a process runs."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Program(subprocess.Popen):
    """A process that does not outlive the test that failed."""

    def __exit__(self, *exc):
        if exc[0] is not None:
            self.kill()
        super().__exit__(*exc)

    def clear(self):
        self.kill()
        self.__exit__(None, None, None)


class Place:
    """A folder to run programs in. What they start is known by a mark in its environment."""

    def __init__(self, folder):
        self.folder = folder
        self.mark = uuid.uuid4().hex
        self._programs = []
        self.temp = Path(tempfile.mkdtemp(prefix='place-', dir='/tmp'))  # short: sockets are made in it
        # Unbuffered: the order of what a program and its Executors print into one pipe is then that of time.
        own = {'TMPDIR': str(self.temp), 'PYTHONWARNINGS': 'error', 'PYTHONUNBUFFERED': '1', MARK: self.mark}
        self.env = {**os.environ, **own}

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def start(self, *arguments, **options):
        """Start Python with these arguments."""
        pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.PIPE, 'stdin': subprocess.DEVNULL}
        command = [sys.executable, *map(str, arguments)]
        program = Program(command, cwd=self.folder, env=self.env, text=True, **{**pipes, **options})
        self._programs.append(program)
        return program

    def run(self, *arguments, input='', code=0):
        """Run Python to its end and return what it printed.

        :param code: the exit code that it must have.
        """
        process = self.start(*arguments, stdin=subprocess.PIPE)
        with process:
            out, err = process.communicate(input, timeout=40)
        assert process.returncode == code, f'exit code {process.returncode}\n{out}\n{err}'
        assert code or 'Traceback' not in err, err
        return Printed(out, err)

    def script(self, text, name='program.py', code=0):
        """Run a script to its end and return what it printed."""
        return self.run(self.write(name, text), code=code)

    def processes(self):
        """The processes that were started from here and are alive."""
        return [p for p in psutil.process_iter() if self._is_ours(p)]

    def _is_ours(self, process):
        try:
            return process.status() != psutil.STATUS_ZOMBIE and process.environ().get(MARK) == self.mark
        except psutil.Error:
            return False

    def left(self):
        """What is left of the programs that ran here."""
        return [str(p) for p in self.processes()] + [  # its command line may be gone by now
            str(path) for path in self.temp.rglob('*') if not path.is_dir() or path.name.startswith('jina-')
        ]

    def assert_nothing_left(self):
        until(lambda: not self.left())
        assert self.left() == []

    def clear(self):
        for program in self._programs:
            program.clear()
        for process in self.processes():
            process.kill()
        shutil.rmtree(self.temp, ignore_errors=True)


class Printed(str):
    """What a program wrote to its standard output; ``err`` is the rest."""

    def __new__(cls, out, err):
        self = super().__new__(cls, out)
        self.err = err
        return self


def wait_line(stream, pattern):
    """Read lines until one has the pattern; the match."""
    lines = []
    for line in stream:
        lines.append(line)
        if found := re.search(pattern, line):
            return found
    raise AssertionError(f'{pattern!r} is not in:\n{"".join(lines)}')


def interrupt(process, number=signal.SIGINT):
    """Send a signal and wait for the end; what it says on standard error meanwhile.

    However long a busy machine takes: nobody may have been waited for in vain, and killed.
    """
    process.send_signal(number)
    process.wait(30)
    told = process.stderr.read()
    assert 'still busy after' not in told, told
    return told


def start_timeout(flow_of, doing):
    """The error of a Flow that is not ready in time, which has as long as a busy machine needs to come so far.

    :param flow_of: makes the Flow; called with ``timeout_ready``.
    :param doing: where it hangs.
    """
    for milliseconds in (500, 4000, 30_000):
        with pytest.raises(StartTimeout) as raised:
            flow_of(milliseconds).start()
        if doing in str(raised.value):
            return raised.value
    raise AssertionError(raised.value)


@pytest.fixture
def place(tmp_path):
    """A place for programs, where nothing may be left at the end of the test."""
    place = Place(tmp_path)
    try:
        yield place
        place.assert_nothing_left()
    finally:
        place.clear()
