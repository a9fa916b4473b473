"""Processes that are started, measured as a whole, and ended for certain.

Some servers leave children behind, some detach them. So the benchmark adopts what loses its parent (Linux: it is a
"subreaper"), runs one system at a time, and all that is below it is that system.
"""

import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 8.0
SAMPLE_SECONDS = 0.25


class Failed(Exception):
    """A peer did not do what it should; the message says what."""


def adopt_orphans() -> None:
    """Become the parent of every process below this one that loses its own."""
    if sys.platform == 'linux':
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@contextmanager
def running(
    command: Sequence[str], variables: Mapping[str, str], folder: Path, log: Path, talk: bool = False
) -> Iterator[subprocess.Popen[str]]:
    """Start a process; at the end, end it and everything below this process.

    :param talk: whether its stdin and stdout are pipes; else its output goes to ``log``, as its errors always do.
    """
    pipe = subprocess.PIPE if talk else None
    with log.open('a') as output:
        output.write(f'$ {shlex.join(command)}\n')
        output.flush()
        process = subprocess.Popen(
            command,
            env=dict(variables),
            cwd=folder,
            stdin=pipe or subprocess.DEVNULL,
            stdout=pipe or output,
            stderr=output,
            text=True,
            start_new_session=True,  # a Ctrl-C is for the benchmark, which then ends it
        )
        try:
            yield process
        finally:
            end(process)


def end(process: subprocess.Popen[str]) -> None:
    """Ask a process to end, wait for it, and end what is left below this one."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + GRACE_SECONDS
    while descendants() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    for signal_number in (signal.SIGTERM, signal.SIGKILL, signal.SIGKILL):
        left = descendants()
        for each in left:
            _send(each, signal_number)
        psutil.wait_procs(left, timeout=2)
    for stream in (process.stdin, process.stdout):
        if stream:
            stream.close()
    process.wait(timeout=2)
    if left := descendants():
        raise RuntimeError(f'still there: {left}')


def descendants() -> list[psutil.Process]:
    """The processes below this one that live; those that ended are forgotten."""
    alive = []
    for each in psutil.Process().children(recursive=True):
        try:
            if each.status() == psutil.STATUS_ZOMBIE:
                _forget(each.pid)
            else:
                alive.append(each)
        except psutil.NoSuchProcess:
            pass
    return alive


def _forget(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        pass  # its own parent has not waited for it yet


def _send(process: psutil.Process, signal_number: int) -> None:
    try:
        process.send_signal(signal_number)
    except psutil.NoSuchProcess:
        pass


def memory() -> int:
    """Bytes of memory (PSS: what is shared counts once) of all processes below this one."""
    total = 0
    for each in descendants():
        try:
            info = each.memory_full_info()
            total += getattr(info, 'pss', info.uss)  # macOS has no PSS
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            pass
    return total


class MemoryWatch:
    """Looks at the memory again and again, while its ``with`` block runs."""

    def __enter__(self) -> 'MemoryWatch':
        self.samples: list[int] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.samples.append(memory())

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def peak(self) -> int:
        """The highest that was seen, in bytes."""
        return max(self.samples, default=0)
