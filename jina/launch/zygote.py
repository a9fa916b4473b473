"""Start children by way of a zygote: a fresh interpreter that imports once what all of them need, and forks them.

They start sooner and share memory, and are otherwise what fresh interpreters are. Where they would not be, and where
there is no zygote any more, a fresh interpreter it is.
"""

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from typing import NamedTuple

from jina.control import ControlLine, Ready, Start
from jina.forks import leave_to_parent
from jina.launch import process
from jina.launch.base import Handle

ANSWER_SECONDS = 10.0  # it imports before it answers
ANSWER_BYTES = 32
END_SECONDS = 1.0
FATE_SECONDS = 1.0

_log = logging.getLogger('jina.Flow')


class Forked(NamedTuple):
    """What a zygote answers.

    :ivar pid: the child's number.
    :ivar process: descriptor of the child; readable when it has ended.
    :ivar status: descriptor of a pipe that tells the exit code, or minus the signal, when it has ended.
    """

    pid: int
    process: int
    status: int


class Zygote:
    """A launcher, with a zygote of its own until it is closed.

    :param env: environment variables to set for the zygote and its children.
    """

    def __init__(self, env: Mapping[str, str]) -> None:
        from jina.launch.inherited import inherited  # what it needs is not everywhere

        self._inherited = inherited
        self._same = inherited(env)
        self._turn = threading.Lock()
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._line.settimeout(ANSWER_SECONDS)
        leave_to_parent(self)
        with theirs:
            self._process = process.spawn('zygote', theirs, env)

    def descriptors(self) -> list[int]:
        """For :mod:`jina.forks`."""
        return [self._line.fileno()]

    @staticmethod
    def is_possible() -> bool:
        """Whether this system has what it takes: Linux has, unless it is forbidden."""
        try:
            os.close(os.pidfd_open(os.getpid()))
        except (AttributeError, OSError):
            return False
        return sys.platform == 'linux'

    def launch(self, kind: str, name: str, start: Start, cls: type | None, env: Mapping[str, str]) -> Handle:
        """Start a child; returns when its process is there.

        It is a fresh interpreter if it would inherit something else than the zygote has, or the zygote is gone.

        :raises ExecutorFailToLoad: if ``cls`` cannot be sent.
        """
        start = process.with_class(start, cls)
        line, theirs = ControlLine.pair()
        try:
            with theirs:
                forked = self._fork(kind, theirs) if self._inherited(env) == self._same else None
        except BaseException:
            line.hang_up()
            raise
        if forked is None:
            line.hang_up()
            return process.launch(kind, name, start, None, env)
        line.send(start)
        return ZygoteHandle(name, line, forked)

    def close(self) -> None:
        """End the zygote; its children have ended."""
        self._line.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _fork(self, kind: str, theirs: socket.socket) -> Forked | None:
        with self._turn:
            if self._line.fileno() < 0:
                return None
            try:
                answer, descriptors = self._ask(kind, theirs)
            except OSError as error:
                answer, descriptors = b'', []
                self._give_up(str(error))
            except BaseException:
                self._line.close()  # its answer would be taken for that to the next request
                raise
            return Forked(int(answer), *descriptors) if descriptors else None

    def _ask(self, kind: str, theirs: socket.socket) -> tuple[bytes, list[int]]:
        socket.send_fds(self._line, [kind.encode()], [theirs.fileno()])
        answer, descriptors, _, _ = socket.recv_fds(self._line, ANSWER_BYTES, 2, socket.MSG_CMSG_CLOEXEC)
        if not answer:
            raise ConnectionResetError('it is gone')
        return answer, descriptors

    def _give_up(self, why: str) -> None:
        self._line.close()
        try:
            why = process.how(self._process.wait(FATE_SECONDS))
        except subprocess.TimeoutExpired:
            self._process.kill()
        _log.warning(
            'the zygote (process %d), of which workers are forked: %s; from now on each is a fresh interpreter, '
            'which takes longer to start',
            self._process.pid,
            why,
        )


class ZygoteHandle:
    """A process that a zygote forked, and reaps."""

    def __init__(self, name: str, line: ControlLine, forked: Forked) -> None:
        self.name = name
        self.where = f'process {forked.pid}'
        self.line = line
        self.ready: Ready | None = None
        self.doing = 'starting'
        self._forked = forked
        self._how = ''
        self._reading = threading.Lock()
        weakref.finalize(self, _close, forked)

    def alive(self) -> bool:
        return not self.wait(0)

    def wait(self, seconds: float) -> bool:
        return _readable(self._forked.process, seconds)

    def kill(self) -> None:
        try:
            signal.pidfd_send_signal(self._forked.process, signal.SIGKILL)
        except ProcessLookupError:  # it has ended
            pass
        _events(self._forked.process).poll()

    def ending(self) -> str:
        if self.alive():
            return 'is running'
        with self._reading:
            self._how = self._how or self._read()
        return self._how

    def _read(self) -> str:
        """Its parent learns of the end of a process a moment later than others do."""
        told = os.read(self._forked.status, ANSWER_BYTES) if _readable(self._forked.status, FATE_SECONDS) else b''
        return process.how(int(told)) if told else 'has ended, and so had its parent, which would know how'


def _readable(descriptor: int, seconds: float) -> bool:
    return bool(_events(descriptor).poll(seconds * 1000))


def _events(descriptor: int) -> select.poll:
    events = select.poll()
    events.register(descriptor, select.POLLIN)
    return events


def _close(forked: Forked) -> None:
    os.close(forked.process)
    os.close(forked.status)
