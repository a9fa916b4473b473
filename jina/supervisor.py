"""Watches over the replicas of an open Flow: what dies is started again, ever later, up to a limit.

One thread reads the lines of the gateway and of all replicas. The requests that a dead replica worked on have failed by
then; those that wait for one go to the next, which the gateway is told of.
"""

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from typing import Any

from jina.control import Connect, Connected, Failed, GiveUp, Message, Open, Progress, Ready
from jina.excepts import ServerUnreachable
from jina.launch import Handle
from jina.logging.logger import SUCCESS
from jina.spec import WorkerSpec

STEADY_SECONDS = 60.0  # who has lived that long has not failed in a row
FIRST_DELAY, LONGEST_DELAY = 0.1, 10.0
FATE_SECONDS = 1.0  # its sockets are closed a moment before the end of a process is known

_log = logging.getLogger('jina.Flow')


@dataclass
class Place:
    """The place of one replica.

    :ivar worker: what to start.
    :ivar cls: the Executor class, where this process has it.
    :ivar handle: what was started last.
    :ivar failures: how often in a row it died.
    :ivar since: when it became ready; ``inf`` before.
    :ivar due: when to start it again; ``inf``: not at all.
    """

    worker: WorkerSpec
    cls: type | None
    handle: Handle
    failures: int = 0
    since: float = float('inf')
    due: float = float('inf')
    deadline: float = float('inf')

    @property
    def name(self) -> str:
        return self.worker.executor.name

    @property
    def number(self) -> int:
        return self.worker.replica_id


class Supervisor:
    """Keeps the replicas of a Flow alive.

    :param gateway: the gateway, ready.
    :param places: the replicas, ready.
    :param launch: starts what belongs to a place and returns at once.
    """

    def __init__(self, gateway: Handle, places: Sequence[Place], launch: Callable[[Place], Handle]) -> None:
        self._gateway = gateway
        self._places = list(places)
        self._launch = launch
        self._selector = selectors.DefaultSelector()
        self._wake, self._waking = socket.socketpair()
        self._jobs: deque[Callable[[], None]] = deque()
        self._replaced: dict[tuple[str, int], Future[None]] = {}
        self._opened: deque[Future[list[int]]] = deque()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name='jina-supervisor', daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        now = time.monotonic()
        for place in self._places:
            place.since = now
            self._watch(place)
        self._selector.register(self._wake, selectors.EVENT_READ, self._woken)
        self._selector.register(self._gateway.line, selectors.EVENT_READ, self._gateway_speaks)
        self._thread.start()

    def stop(self) -> None:
        """Watch no longer; what runs goes on."""
        self._stopping = True
        self._waking.send(b'.')
        self._thread.join()
        self._selector.close()
        self._wake.close()
        self._waking.close()

    def replace(self, place: Place, worker: WorkerSpec, handle: Handle) -> 'Future[None]':
        """Let what was started anew, and is ready, take a place.

        :return: done when the one before it has answered everything, and may end.
        """
        done = self._replaced[place.name, place.number] = Future()

        def replace() -> None:
            self._unwatch(place)
            place.worker, place.handle = worker, handle
            place.failures, place.due, place.deadline = 0, float('inf'), float('inf')
            self._watch(place)
            if not self._serves(place):
                self._gateway_ended()

        self._do(replace)
        return done

    def open(self, message: Open) -> 'Future[list[int]]':
        """Let the gateway have other doors.

        :return: their ports; or the error of the one that cannot be opened.
        """
        ports: Future[list[int]] = Future()

        def send() -> None:
            self._opened.append(ports)
            if not self._gateway.line.send(message):
                self._gateway_ended()

        self._do(send)
        return ports

    def _do(self, job: Callable[[], None]) -> None:
        self._jobs.append(job)
        self._waking.send(b'.')

    def _woken(self) -> None:
        self._wake.recv(1)
        while self._jobs:
            self._jobs.popleft()()

    def _run(self) -> None:
        while not self._stopping:
            soonest = min((min(place.due, place.deadline) for place in self._places), default=float('inf'))
            wait = None if soonest == float('inf') else max(0.0, soonest - time.monotonic())
            for key, _ in self._selector.select(wait):
                key.data()
            self._look_at_the_clock(time.monotonic())

    def _look_at_the_clock(self, now: float) -> None:
        for place in self._places:
            if now >= place.due and not self._stopping:
                self._start_again(place, now)
            if now >= place.deadline:
                place.deadline = float('inf')
                _log.error('%r was not ready in time: it was still %s', place.handle.name, place.handle.doing)
                place.handle.kill()  # its line ends with it, and the rest follows from there

    def _start_again(self, place: Place, now: float) -> None:
        place.due = float('inf')
        timeout = place.worker.executor.timeout_ready
        place.deadline = now + timeout / 1000 if timeout >= 0 else float('inf')
        try:
            place.handle = self._launch(place)
        except Exception as error:
            self._failed(place, f'{place.handle.name!r} could not be started again: {error}')
        else:
            self._watch(place)

    def _watch(self, place: Place) -> None:
        self._selector.register(
            place.handle.line, selectors.EVENT_READ, partial(self._place_speaks, place, place.handle)
        )

    def _unwatch(self, place: Place) -> None:
        if place.handle.line in self._selector.get_map():
            self._selector.unregister(place.handle.line)

    def _place_speaks(self, place: Place, handle: Handle) -> None:
        if handle is not place.handle:  # it was replaced within this turn
            return
        message = handle.line.receive()
        if isinstance(message, Ready):
            handle.ready = message
            self._serves(place)
            _log.log(SUCCESS, '%r (%s) took its place', handle.name, handle.where)
        elif isinstance(message, Progress):
            handle.doing = message.doing
        elif isinstance(message, Failed):
            _log.error('%r could not start: %s: %s', handle.name, message.name, message.message)
        elif message is None:
            self._ended(place)

    def _serves(self, place: Place) -> bool:
        """Tell the gateway where it listens; whether there is a gateway."""
        assert place.handle.ready is not None
        place.since, place.deadline = time.monotonic(), float('inf')
        return self._gateway.line.send(Connect({place.name: {place.number: place.handle.ready.address}}))

    def _ended(self, place: Place) -> None:
        handle = place.handle
        self._unwatch(place)
        handle.wait(FATE_SECONDS)
        handle.line.hang_up()
        self._failed(place, f'{handle.name!r} ({handle.where}) {handle.ending()}')

    def _failed(self, place: Place, what: str) -> None:
        if time.monotonic() - place.since > STEADY_SECONDS:
            place.failures = 0
        place.failures += 1
        place.since = place.deadline = float('inf')
        most = place.worker.executor.restarts
        if 0 <= most < place.failures:
            self._give_up(place, what, most)
            return
        delay = min(FIRST_DELAY * 2 ** (place.failures - 1), LONGEST_DELAY)
        place.due = time.monotonic() + delay
        _log.error('%s; it is started again in %.1f s', what, delay)

    def _give_up(self, place: Place, what: str, most: int) -> None:
        told = f'{what}; ' + (
            f'it was started again {most} times in a row, no more' if most else 'it is not started again'
        )
        _log.error('%s', told)
        self._gateway.line.send(
            GiveUp(place.name, place.number, f'Executor {place.name!r} is no longer running: {told}')
        )

    def _gateway_speaks(self) -> None:
        message: Message | None = self._gateway.line.receive()
        if isinstance(message, Connected):
            if done := self._replaced.pop((message.name, message.number), None):
                done.set_result(None)
        elif isinstance(message, Ready):
            self._opened.popleft().set_result(message.ports)
        elif isinstance(message, Failed):
            self._opened.popleft().set_exception(message.error())
        elif message is None:
            self._selector.unregister(self._gateway.line)
            self._gateway_ended()

    def _gateway_ended(self) -> None:
        self._gateway.wait(FATE_SECONDS)
        error = ServerUnreachable(f'the gateway ({self._gateway.where}) {self._gateway.ending()}')
        waiting: list[Future[Any]] = [*self._replaced.values(), *self._opened]
        for future in waiting:
            future.set_exception(error)
        self._replaced.clear()
        self._opened.clear()
