"""Serve one Executor behind one listener: receive → call → reply.

The Executor has a thread of its own, where it is constructed, called and closed, so that libraries that are particular
about their thread are content; documents are decoded and encoded there too. ``async def`` methods run on the event
loop. That began in another thread, but while calls are short it is the Executor's own that runs it.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine
from typing import Any

from jina.config import read_uses
from jina.control import Ready, ToGateway
from jina.executors import BaseExecutor, Handler, construct, handler_for, handlers
from jina.executors.loading import find_class
from jina.spec import WorkerSpec
from jina.transport import Listener, listen
from jina.transport.lending import LoopHost
from jina.wire.connection import ServerCall, ServerConnection
from jina.wire.head import BYPASS, Hello
from jina.worker.batch import AnyJob, Batcher, may_share
from jina.worker.thread import UserThread
from jina.worker.work import Work

WINDOW_COUNT = 1024
WINDOW_BYTES = 256 << 20
DRAIN_SECONDS = 1.0


class Worker:
    """Serves one Executor.

    :param spec: what to serve and where.
    :param load: gives the Executor class, called in its thread; else the class is found by the name in the spec.
    :param host: lends the loop to the Executor's thread; ``None``: it is never lent.
    """

    def __init__(
        self, spec: WorkerSpec, load: Callable[[], type[BaseExecutor]] | None = None, host: LoopHost | None = None
    ) -> None:
        self.name = spec.executor.name
        self.identity = f'{self.name}/{spec.replica_id}'
        self.is_brief = spec.executor.quiet_error
        self._log = logging.getLogger(f'jina.{self.name}')
        self.executor_class = ''
        self._spec = spec
        self._load = load
        self._host = host
        self._loop: asyncio.AbstractEventLoop | None = None
        self._executor: BaseExecutor | None = None
        self._handlers: dict[str, Handler] = {}
        self._batchers: dict[Handler, Batcher] = {}
        self._hello = Hello(WINDOW_COUNT, WINDOW_BYTES, self.name, os.getpid())
        self._listener: Listener | None = None
        self._thread: UserThread | None = None
        self._open = 0
        self._idle = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def who(self) -> str:
        """What messages call it."""
        return f'Executor {self.name!r} ({self.executor_class})'

    def say(self, level: int, text: str, exc_info: bool = False) -> None:
        """Log something. Never raises: an Executor may have closed the stream, or added a handler that fails."""
        try:
            self._log.log(level, '%s', text, exc_info=exc_info)
        except Exception:
            pass

    async def start(self, progress: Callable[[str], None]) -> Ready:
        """Load and construct the Executor, then listen.

        :param progress: told what is about to be done.
        :raises ExecutorFailToLoad: if there is no such class or its ``__init__`` raises.
        :raises OSError: if the address is taken.
        """
        self._loop = asyncio.get_running_loop()
        self._thread = UserThread(self._loop, f'executor-{self.name}', self._host)
        self._executor = await self._thread.call(lambda: self._construct(progress))
        self._handlers = handlers(self._executor, self._spec.executor.batching)
        self._batchers = {h: Batcher(h, h.batching, self._submit) for h in self._handlers.values() if h.batching}
        self._listener = await listen(self._spec.listen, self._accept)
        return Ready(self._listener.address)

    def told(self, message: ToGateway) -> None:
        """A worker knows nobody but its caller."""

    def _construct(self, progress: Callable[[str], None]) -> BaseExecutor:
        spec, replica = self._spec.executor, self._spec.replica_id
        config = read_uses(spec.uses)
        progress(f'importing {config.jtype}')
        cls = self._load() if self._load else find_class(config.jtype, config.py_modules)
        self.executor_class = cls.__name__
        progress(f'running {cls.__name__}.__init__()')
        return construct(
            cls,
            config.with_,
            config.metas,
            config.requests,
            {'name': self.name, 'workspace': spec.workspace}
            | dict.fromkeys(('replica_id', 'shard_id', 'pea_id'), replica),
        )

    async def stop(self) -> None:
        """Let what has begun end, within a second; then close the Executor, once."""
        for batcher in self._batchers.values():
            batcher.flush()
        if self._open:
            self._idle.clear()
            await _within(DRAIN_SECONDS, self._idle.wait())
        if self._listener is not None:
            await self._listener.close()
        if self._thread is None:
            return
        if self._executor is not None:
            await self._close(self._executor, self._thread)
        self._thread.stop()

    async def _close(self, executor: BaseExecutor, thread: UserThread) -> None:
        self._executor = None
        try:
            await thread.call(executor.close)
        except BaseException:
            self.say(logging.ERROR, f'{self.who}: close() raised', exc_info=True)

    def _accept(self) -> ServerConnection:
        return ServerConnection(self._hello, self._requested)

    def _requested(self, call: ServerCall) -> None:
        self._open += 1
        handler = None if call.head.flags & BYPASS else handler_for(self._handlers, call.head.endpoint)
        work = Work(self, call, handler, self._finished)
        if handler is not None and handler.batching is not None and may_share(call.head):
            self._batchers[handler].add(work)
        else:
            self._submit(work)

    def _submit(self, job: AnyJob) -> None:
        if job.is_async:
            self._spawn(job.run_async())
        else:
            assert self._thread is not None
            self._thread.submit(job)

    def _finished(self, work: Work) -> None:
        if work.holds:
            self._spawn(self._release(work))
        self._open -= 1
        if not self._open:
            self._idle.set()

    async def _release(self, work: Work) -> None:
        """Let the Executor's thread go on when a large answer has left."""
        try:
            await work.call.drained()
        finally:
            for hold in work.holds:
                hold.set()
            if self._thread is not None:
                self._thread.wake()

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        assert self._loop is not None
        task = self._loop.create_task(coroutine)
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)


async def _within(seconds: float, waiting: Coroutine[Any, Any, Any]) -> None:
    try:
        await asyncio.wait_for(waiting, seconds)
    except TimeoutError:
        pass
