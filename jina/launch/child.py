"""The life of what a launcher starts: read the spec, become ready or say why not, serve, end.

The same in a process and in a thread; the line to the parent is the lifeline. ``python -m jina worker`` and
``python -m jina gateway`` end here.
"""

import asyncio
import gc
import os
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from jina.control import ControlLine, Failed, Message, Progress, Ready, Start, Stop, ToGateway
from jina.excepts import ExecutorFailToLoad
from jina.logging.logger import configure
from jina.pickling import dump, load
from jina.spec import GatewaySpec, WorkerSpec
from jina.transport.lending import LoopHost

ORPHAN_SECONDS = 5.0
EXIT_SECONDS = 3.0
YOUNG_OBJECTS = 50_000


class Service(Protocol):
    """A Worker or a Gateway."""

    async def start(self, progress: Callable[[str], None]) -> Ready:
        """Begin to serve; ``progress`` is told what is about to be done."""

    def told(self, message: ToGateway) -> None:
        """A message from the parent."""

    async def stop(self) -> None:
        """End in an orderly way."""


def preload() -> None:
    """Import all that a worker will need, whatever its Executor is. Starts no loop and keeps no file open."""
    import jina.worker  # noqa: F401

    _unpickled(dump(preload))


def run_process(kind: str, descriptor: int) -> int:
    """Serve in this process, whose parent holds the other end of the socket ``descriptor``.

    :return: the exit code.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # a daemon may have closed it
            stream.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    line = ControlLine(socket.socket(fileno=descriptor))
    line.socket.set_inheritable(False)
    start = line.receive()
    if not isinstance(start, Start):
        return 1
    sys.path[:] = start.path or sys.path
    code = run(kind, line, start, in_process=True)
    if sys.stdout is not None:
        sys.stdout.flush()
    _exit_within(EXIT_SECONDS)
    return code


def run(kind: str, line: ControlLine, start: Start, cls: type | None = None, in_process: bool = False) -> int:
    """Serve in this thread until told to stop.

    :param kind: ``worker`` or ``gateway``.
    :param cls: the Executor class, where it need not travel.
    :return: 0, or 1 if it could not start.
    """
    host = LoopHost()
    return host.run(Child(kind, line, start, host, cls, in_process).live())


class Child:
    """Joins a service to the line of its parent."""

    def __init__(
        self, kind: str, line: ControlLine, start: Start, host: LoopHost, cls: type | None, in_process: bool
    ) -> None:
        self._kind = kind
        self._line = line
        self._start = start
        self._host = host
        self._cls = cls
        self._in_process = in_process
        self._service: Service | None = None
        self._stop = asyncio.Event()
        self._orphaned = False

    async def live(self) -> int:
        """From the spec to the end."""
        loop = asyncio.get_running_loop()
        if self._in_process:
            # Not add_signal_handler(): it works only while the loop runs in this thread.
            signal.signal(signal.SIGTERM, lambda *_: _on(loop, self._stop.set))
            os.register_at_fork(after_in_child=_forget_signals(signal.getsignal(signal.SIGTERM)))
        starting = loop.create_task(self._become_ready())
        stopping = loop.create_task(self._stop.wait())
        threading.Thread(target=self._listen, args=(loop,), name=f'{self._kind}-line', daemon=True).start()
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        try:
            code = await starting if starting.done() else 0
            if code == 0:
                await stopping
        finally:
            starting.cancel()
            stopping.cancel()
            await self._end()
        return code

    async def _become_ready(self) -> int:
        try:
            self._service = self._make()
            ready = await self._service.start(self._progress)
        except (Exception, SystemExit) as error:
            self._line.send(Failed.of(error))
            return 1
        if self._in_process:
            _spare_the_collector()
        self._line.send(ready)
        return 0

    def _progress(self, doing: str) -> None:
        self._line.send(Progress(doing))

    def _make(self) -> Service:
        if self._kind == 'gateway':
            from jina.gateway import Gateway

            gateway = GatewaySpec.from_dict(self._start.spec)
            self._configure_logging(gateway.quiet, gateway.log_config)
            return Gateway(gateway, self._line.send, self._loaded())
        from jina.worker import Worker

        worker = WorkerSpec.from_dict(self._start.spec)
        self._configure_logging(worker.executor.quiet, worker.log_config)
        return Worker(worker, self._class_loader(), self._host)

    def _class_loader(self) -> Callable[[], Any] | None:
        if self._cls is not None:
            return lambda: self._cls
        return partial(_unpickled, self._start.pickled) if self._start.pickled else None

    def _loaded(self) -> Any:
        """What was sent along with the spec of a gateway."""
        return _unpickled(self._start.pickled) if self._start.pickled else None

    def _configure_logging(self, quiet: bool, config: dict[str, Any]) -> None:
        if self._in_process:
            configure(quiet=quiet, config=config)  # all that is logged here is its own

    async def _end(self) -> None:
        if self._service is not None:
            await self._service.stop()
        if self._orphaned and self._start.run_dir:
            shutil.rmtree(self._start.run_dir, ignore_errors=True)
        self._line.hang_up()

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """Pass on what the parent says; in a thread of its own, since the loop may be closed while it waits."""
        while True:
            message = self._line.receive()
            if message is None and self._in_process:
                _exit_within(ORPHAN_SECONDS)  # from here: the loop may be held by an Executor that blocks it
            if not _on(loop, self._said, message) or message is None:
                return

    def _said(self, message: Message | None) -> None:
        if isinstance(message, ToGateway) and self._service is not None:
            self._service.told(message)
        elif message is None or isinstance(message, Stop):
            self._orphaned = message is None and not self._stop.is_set()
            self._stop.set()


def _on(loop: asyncio.AbstractEventLoop, function: Callable[..., None], *args: object) -> bool:
    """Let a loop call a function, whatever thread asks. Return whether it will: not when it is closed."""
    try:
        loop.call_soon_threadsafe(function, *args)
    except RuntimeError:
        return False
    return True


def _forget_signals(on_end: Any) -> Callable[[], None]:
    """What gives a process that was forked from this one the usual handlers again, where it has ours.

    :param on_end: ours for SIGTERM.
    """

    def forget() -> None:
        if signal.getsignal(signal.SIGTERM) is on_end:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    return forget


def _spare_the_collector() -> None:
    """Let Python's collector of cycles look less often, and not at what the start has made.

    Requests come and go without cycles. With the defaults, a fifth of a gateway's time went into looking for them.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)


def _unpickled(pickled: bytes) -> Any:
    try:
        return load(pickled)
    except BaseException as error:
        raise ExecutorFailToLoad(
            f'the class could not be rebuilt in its own process: {type(error).__name__}: {error}; '
            'put it in a module of its own and name that with py_modules=[…]'
        ) from error


def _exit_within(seconds: float) -> None:
    """End the process even if a thread of the Executor, or a call that never returns, holds it."""
    timer = threading.Timer(seconds, os._exit, (1,))
    timer.daemon = True
    try:
        timer.start()
    except RuntimeError:  # Python 3.12 and later start no thread any more at the end of a process, which this is then
        pass
