"""Start a child as a fresh interpreter. Nothing is forked: a process that holds threads must not be."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

import jina
from jina.control import ControlLine, Ready, Start
from jina.excepts import ExecutorFailToLoad
from jina.launch.base import Handle
from jina.pickling import dump_definition


class ProcessHandle:
    """A child process."""

    def __init__(self, name: str, line: ControlLine, process: 'subprocess.Popen[bytes]') -> None:
        self.name = name
        self.where = f'process {process.pid}'
        self.line = line
        self.ready: Ready | None = None
        self.doing = 'starting Python'
        self._process = process

    def alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float) -> bool:
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def ending(self) -> str:
        code = self._process.poll()
        return 'is running' if code is None else how(code)


def launch(kind: str, name: str, start: Start, cls: type | None, env: Mapping[str, str]) -> Handle:
    """Start ``python -m jina <kind>`` with a line to it.

    :raises ExecutorFailToLoad: if ``cls`` cannot be sent.
    """
    start = with_class(start, cls)
    line, theirs = ControlLine.pair()
    with theirs:
        process = spawn(kind, theirs, env)
    line.send(start)
    return ProcessHandle(name, line, process)


def spawn(kind: str, theirs: socket.socket, env: Mapping[str, str]) -> 'subprocess.Popen[bytes]':
    """Start ``python -m jina <kind>``, which inherits a socket."""
    return subprocess.Popen(
        # -P: the current folder must not hide modules of the standard library
        [sys.executable, '-P', '-m', 'jina', kind, '--control', str(theirs.fileno())],
        env={**os.environ, **env, 'PYTHONPATH': _python_path({**os.environ, **env})},
        stdin=subprocess.DEVNULL,
        pass_fds=(theirs.fileno(),),
        process_group=0,  # Ctrl-C in the terminal reaches the parent only, which then ends its children in order
    )


def with_class(start: Start, cls: type | None) -> Start:
    """The same with the class, if there is one, pickled.

    :raises ExecutorFailToLoad: if it cannot be sent.
    """
    return start if cls is None else msgspec.structs.replace(start, pickled=_pickled(cls))


def how(code: int) -> str:
    """How a process ended, for messages.

    :param code: its exit code, or minus the signal that killed it.
    """
    return f'was killed by {signal.Signals(-code).name}' if code < 0 else f'exited with code {code}'


def _python_path(env: Mapping[str, str]) -> str:
    """So that the child finds this very package, wherever the parent has it from."""
    inherited = env.get('PYTHONPATH')
    here = str(Path(jina.__file__).parent.parent)
    return os.pathsep.join([here, inherited]) if inherited else here


def _pickled(cls: type) -> bytes:
    try:
        return dump_definition(cls)
    except Exception as error:
        raise ExecutorFailToLoad(
            f'the class {cls.__name__} cannot be sent to a process of its own: {type(error).__name__}: {error}; '
            'it, or what its methods use, holds something of this process: make that in __init__, '
            "or use runtime_backend='THREAD'"
        ) from error
