"""Start a child as a thread of this process: for tests, for debugging, and for Executors that share memory."""

import threading
from collections.abc import Mapping

from jina.control import ControlLine, Ready, Start
from jina.excepts import BadOption
from jina.launch import child
from jina.launch.base import Handle


class ThreadHandle:
    """A thread that serves."""

    where = 'thread'

    def __init__(self, name: str, line: ControlLine, thread: threading.Thread) -> None:
        self.name = name
        self.line = line
        self.ready: Ready | None = None
        self.doing = 'starting a thread'
        self._thread = thread

    def alive(self) -> bool:
        return self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def kill(self) -> None:
        """Nobody can end a thread from outside: what hangs in it stays until the program ends."""

    def ending(self) -> str:
        return 'is running' if self.alive() else 'has ended'


def launch(kind: str, name: str, start: Start, cls: type | None, env: Mapping[str, str]) -> Handle:
    """Serve in a thread, with the same line to it as to a process.

    :raises BadOption: if ``env`` is given: threads share one environment.
    """
    if env:
        raise BadOption(
            f"Executor {name!r}: env={dict(env)!r} needs a process of its own, not runtime_backend='THREAD'"
        )
    ours, socket = ControlLine.pair()
    theirs = ControlLine(socket)

    def serve() -> None:
        message = theirs.receive()
        assert isinstance(message, Start)
        child.run(kind, theirs, message, cls)

    thread = threading.Thread(target=serve, name=f'{kind}-{name}', daemon=True)
    thread.start()
    ours.send(start)
    return ThreadHandle(name, ours, thread)
