"""A Flow that is open: the processes and threads behind it, from their start to their end."""

import atexit
import itertools
import logging
import math
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

import jina.helper
from jina import config
from jina.control import Connect, Open, Ready, Start
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.loading import defined_class
from jina.launch import STOP_SECONDS, Handle, launcher, stop_all, wait_ready
from jina.launch.zygote import Zygote
from jina.pickling import dump_function
from jina.spec import (
    DoorSpec,
    ExecutorSpec,
    FlowSpec,
    GatewaySpec,
    NodeSpec,
    Spec,
    WebSpec,
    WorkerSpec,
    did_you_mean,
)
from jina.supervisor import Place, Supervisor
from jina.topology import stations

_log = logging.getLogger('jina.Flow')

ENOUGH_TO_FORK = 2  # one that is forked is ready no sooner than one that is not
FATE_SECONDS = 1.0
HURRY_SECONDS = 0.8
SOCKET_PATH_LIMIT = 100  # of ~104 bytes, the least that a system allows


class Running:
    """Starts a Flow's Executors and its gateway, all at once, and ends them.

    :param spec: the Flow.
    :param classes: Executor classes by the name of the node, where ``uses`` was a class.
    :param folder: where relative paths begin.
    :raises RuntimeFailToStart: if one of them does not become ready; the others are ended first.
    """

    def __init__(self, spec: FlowSpec, classes: Mapping[str, type[BaseExecutor]], folder: Path) -> None:
        self._spec = spec
        self._classes = classes
        self._folder = folder
        self._log_config = config.log_config(spec, folder)
        self._run_dir = _make_run_dir()
        self._sockets = itertools.count()
        self._places: list[Place] = []
        self._zygote: Zygote | None = None
        self._gateway: Handle | None = None
        self._supervisor: Supervisor | None = None
        self._pid = os.getpid()
        atexit.register(self._stop_at_exit)
        try:
            self._start()
        except BaseException:
            self.stop(hurry=True)
            raise

    @property
    def address(self) -> str:
        """Where clients of this host reach the gateway."""
        return self._gateway_ready().address

    @property
    def ports(self) -> list[int]:
        """The port of each of the Flow's protocols."""
        return self._gateway_ready().ports

    def stop(self, hurry: bool = False) -> None:
        """End everything; the gateway first, so that nothing new begins.

        :param hurry: the user waits for it: what is still busy after a moment is killed.
        """
        atexit.unregister(self._stop_at_exit)
        seconds = HURRY_SECONDS if hurry else STOP_SECONDS
        try:
            if self._supervisor is not None:
                self._supervisor.stop()
            try:
                stop_all([self._gateway] if self._gateway else [], seconds)
            finally:
                stop_all([place.handle for place in self._places], seconds)
        finally:
            if self._zygote is not None:
                self._zygote.close()
            shutil.rmtree(self._run_dir, ignore_errors=True)

    @property
    def is_ours(self) -> bool:
        """Whether this process started it. One that was forked later has no part in it."""
        return self._pid == os.getpid()

    def _stop_at_exit(self) -> None:
        if self.is_ours:
            self.stop()

    def gateway_lives(self) -> bool:
        """Whether the gateway has not ended."""
        return self._gateway is not None and self._gateway.alive()

    def gateway_fate(self) -> str:
        """What became of the gateway, now that it does not answer."""
        assert self._gateway is not None
        self._gateway.wait(FATE_SECONDS)  # its sockets are closed a moment before its end is known
        return f'the gateway of this Flow ({self._gateway.where}) {self._gateway.ending()}'

    def open(self, doors: list[DoorSpec]) -> None:
        """Have other doors from now on.

        :raises NoAvailablePortError: if a port is taken; the doors are then those that were.
        """
        assert self._supervisor is not None
        ready = self._gateway_ready()
        ready.ports = self._supervisor.open(Open([door.to_dict() for door in doors])).result()

    def update(self, spec: ExecutorSpec) -> None:
        """Put new replicas in the place of all of an Executor, one after another; none of its requests is lost.

        :raises RuntimeFailToStart: if a new one does not become ready; those in whose place none was put go on.
        """
        assert self._supervisor is not None
        for place in [place for place in self._places if place.name == spec.name]:
            self._update(place, self._supervisor, spec)

    def _update(self, place: Place, supervisor: Supervisor, spec: ExecutorSpec) -> None:
        executor, _ = self._resolved(spec)
        worker = msgspec.structs.replace(place.worker, executor=executor)
        seconds = _seconds(spec.timeout_ready)
        handle = self._launch_worker(worker, place.cls)
        try:
            wait_ready([handle], {handle.name: time.monotonic() + seconds})
        except BaseException:
            stop_all([handle], HURRY_SECONDS)
            raise
        before = place.handle
        try:
            supervisor.replace(place, worker, handle).result(None if math.isinf(seconds) else seconds)
        except TimeoutError:
            _log.warning('%r (%s) is still busy after %g s, and is ended', before.name, before.where, seconds)
        finally:  # an interrupt, too: nobody else knows of it any more
            stop_all([before])

    def _start(self) -> None:
        found = stations(self._spec)
        workers = [(s.node, *self._resolved(s.executor)) for s in found if not s.node.addresses]
        if Zygote.is_possible() and sum(n.replicas for n, e, _ in workers if _is_plain(e)) >= ENOUGH_TO_FORK:
            self._zygote = Zygote(self._spec.env)  # first: the workers wait for it
        self._gateway = self._launch_gateway([s.node for s in found])
        for node, executor, cls in workers:
            for number in range(node.replicas):
                worker = WorkerSpec(executor=executor, replica_id=number, log_config=self._log_config)
                self._places.append(Place(worker, cls, self._launch_worker(worker, cls)))
        now = time.monotonic()
        handles = [place.handle for place in self._places]
        deadlines = {p.handle.name: now + _seconds(p.worker.executor.timeout_ready) for p in self._places}
        # the gateway, too, so that a port that is taken is known before the Executors have loaded their models
        wait_ready(handles, deadlines, watch=[self._gateway])
        if handles:
            self._gateway.line.send(Connect(self._addresses()))
        wait_ready([self._gateway], {'gateway': time.monotonic() + _seconds(self._spec.timeout_ready)}, handles)
        self._supervisor = Supervisor(
            self._gateway, self._places, lambda place: self._launch_worker(place.worker, place.cls)
        )
        self._supervisor.start()

    def _addresses(self) -> dict[str, dict[int, str]]:
        addresses: dict[str, dict[int, str]] = {}
        for place in self._places:
            assert place.handle.ready is not None
            addresses.setdefault(place.name, {})[place.number] = place.handle.ready.address
        return addresses

    def _resolved(self, spec: ExecutorSpec) -> tuple[ExecutorSpec, type[BaseExecutor] | None]:
        """What to send to a worker: everything that only this process knows, looked up."""
        resolved = config.resolve(spec, self._folder)
        assert isinstance(resolved.uses, dict)
        workspace = spec.workspace or self._spec.workspace
        defaults = {
            'workspace': os.path.abspath(os.path.expanduser(workspace or '.')),
            'quiet': spec.quiet or self._spec.quiet,
        }
        return msgspec.structs.replace(resolved, **defaults), self._class_of(spec.name, resolved.uses)

    def _class_of(self, name: str, uses: Mapping[str, object]) -> type[BaseExecutor] | None:
        """The class itself, unless the worker is to import it.

        :raises ExecutorFailToLoad: if nothing says where it comes from.
        """
        jtype = str(uses['jtype'])
        if name in self._classes:
            return self._classes[name]
        if uses.get('py_modules') or '.' in jtype:
            return None
        found = defined_class(jtype)
        if found is None:
            known = {c.__name__ for c in BaseExecutor.__subclasses__()} | {'BaseExecutor'}
            raise ExecutorFailToLoad(
                f'Executor {name!r}: this program defines no class {jtype!r}, and no py_modules=[…] names '
                f'a file that does{did_you_mean(jtype, known)}'
            )
        return found

    def _launch_gateway(self, nodes: list[NodeSpec]) -> Handle:
        flow = self._spec
        shared = {name: getattr(flow, name) for name in WebSpec.__struct_fields__}
        spec = GatewaySpec(
            **{**shared, 'static': str((self._folder / flow.static).resolve()) if flow.static else ''},
            listen=f'unix:{self._run_dir}/gateway.sock',
            doors=flow.doors(flow.ports),
            nodes=nodes,
            prefetch=flow.prefetch,
            log_config=self._log_config,
            quiet=flow.quiet,
        )
        extend = jina.helper.extend_rest_interface
        pickled = b'' if extend is None else dump_function(extend, 'jina.helper.extend_rest_interface')
        return self._launch('gateway', 'PROCESS', 'gateway', spec, None, flow.env, pickled)

    def _launch_worker(self, worker: WorkerSpec, cls: type | None) -> Handle:
        executor = worker.executor
        name = f'{executor.name}/{worker.replica_id}' if executor.replicas > 1 else executor.name
        listening = msgspec.structs.replace(worker, listen=f'unix:{self._run_dir}/{next(self._sockets)}.sock')
        env = {**self._spec.env, **executor.env} if executor.runtime_backend == 'PROCESS' else executor.env
        return self._launch('worker', executor.runtime_backend, name, listening, cls, env)

    def _launch(
        self,
        kind: str,
        backend: str,
        name: str,
        spec: Spec,
        cls: type | None,
        env: Mapping[str, str],
        pickled: bytes = b'',
    ) -> Handle:
        path = [p or os.getcwd() for p in sys.path]
        start = Start(spec.to_dict(), pickled, path, self._run_dir)
        if self._zygote is not None and (kind, backend) == ('worker', 'PROCESS'):
            return self._zygote.launch(kind, name, start, cls, env)
        return launcher(backend)(kind, name, start, cls, env)

    def _gateway_ready(self) -> Ready:
        assert self._gateway is not None
        assert self._gateway.ready is not None
        return self._gateway.ready


def _is_plain(spec: ExecutorSpec) -> bool:
    """Whether a fork of the zygote will be as good as a fresh interpreter."""
    return spec.runtime_backend == 'PROCESS' and not spec.env


def _seconds(milliseconds: int) -> float:
    return milliseconds / 1000 if milliseconds >= 0 else math.inf


def _make_run_dir() -> str:
    """A folder for sockets that nobody else may enter."""
    folder = tempfile.mkdtemp(prefix='jina-')
    if len(folder) > SOCKET_PATH_LIMIT - len('/gateway.sock'):
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix='jina-', dir='/tmp')
    return folder
