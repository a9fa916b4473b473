"""The zygote: a process that has imported what every worker needs, and forks one whenever it is asked to.

A fork takes only the calling thread along, and locks that others held stay locked: so nothing is forked unless this
process has one thread. It runs no code of users and loads no gRPC. It answers one request at a time, keeps nothing of a
child but its number, and reaps each when it ends.
"""

import gc
import os
import random
import select
import signal
import socket
import sys
import time

from jina.launch import child

REQUEST_BYTES = 64
SETTLE_SECONDS = 1.0


def serve(descriptor: int) -> int:
    """Fork children for whoever holds the other end of the socket, until that is closed; reap them all.

    Returns in the children as well, when they have ended.

    :return: the exit code: 1 if this process has threads that do not end, and can therefore fork nothing.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what it leaves alone stays shared with the children
    child.preload()
    if not _one_thread_after_a_fork():
        return 1
    gc.collect()
    gc.freeze()
    return Zygote(socket.socket(fileno=descriptor)).serve()


def _one_thread_after_a_fork() -> bool:
    """Fork once, for libraries that end their threads before a fork, and start them anew when they are needed.

    OpenBLAS, which comes with numpy, is one.
    """
    if (first := os.fork()) == 0:
        os._exit(0)
    os.waitpid(first, 0)
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (alone := _one_thread()) and time.monotonic() < deadline:
        time.sleep(0.001)  # a thread that was joined is listed a moment longer
    return alone


def _one_thread() -> bool:
    return len(os.listdir('/proc/self/task')) == 1


class Zygote:
    """Forks and reaps.

    :param line: where requests come from: the kind of child, with the socket of its control line. The answer is the
        child's number with two descriptors: of the process, and of a pipe that tells its status when it has ended; or
        nothing but a 0 if nothing could be forked.
    """

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self._children: dict[int, tuple[int, int]] = {}  # descriptor of the process → its number, its pipe
        self._events = select.poll()
        self._events.register(line, select.POLLIN)

    def serve(self) -> int:
        """Until the line is closed and no child is left."""
        asked = True
        while asked or self._children:
            for descriptor, _ in self._events.poll():
                if descriptor in self._children:
                    self._reap(descriptor)
                    continue
                kind, control = self._request()
                if not kind:
                    asked = False
                    self._events.unregister(descriptor)
                    self._line.close()
                elif self._fork(control) == 0:
                    return _become(kind, control)
        return 0

    def _request(self) -> tuple[str, int]:
        try:
            kind, descriptors, _, _ = socket.recv_fds(self._line, REQUEST_BYTES, 1, socket.MSG_CMSG_CLOEXEC)
        except ConnectionError:
            return '', -1
        return kind.decode(), descriptors[0] if descriptors else -1

    def _fork(self, control: int) -> int:
        """Fork, and answer; 0 in the child, which has no descriptors but its own."""
        try:
            pid = os.fork() if _one_thread() else -1
        except OSError:
            pid = -1
        if pid == 0:
            self._let_go()
            return 0
        os.close(control)
        if pid < 0:
            self._line.send(b'0')
        else:
            self._keep(pid)
        return pid

    def _keep(self, pid: int) -> None:
        process = os.pidfd_open(pid)
        theirs, ours = os.pipe()
        self._children[process] = pid, ours
        self._events.register(process, select.POLLIN)
        try:
            socket.send_fds(self._line, [str(pid).encode()], [process, theirs])
        except OSError:  # nobody asks any more: the child finds its line closed
            pass
        os.close(theirs)

    def _reap(self, process: int) -> None:
        pid, pipe = self._children.pop(process)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        try:
            os.write(pipe, str(status).encode())
        except BrokenPipeError:  # nobody wants to know
            pass
        self._events.unregister(process)
        os.close(process)
        os.close(pipe)

    def _let_go(self) -> None:
        self._line.close()
        for process, (_, pipe) in self._children.items():
            os.close(process)
            os.close(pipe)


def _become(kind: str, control: int) -> int:
    """Be what a fresh interpreter would be, and live."""
    os.setpgid(0, 0)
    sys.argv[1:] = [kind, '--control', str(control)]
    random.seed()
    if numpy_random := sys.modules.get('numpy.random'):
        numpy_random.seed()
    gc.enable()
    return child.run_process(kind, control)
