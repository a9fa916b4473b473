"""A Flow that is open: the processes and threads behind it, from their start to their end."""

import atexit
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import msgspec

from jina import config
from jina.control import Connect, Ready, Start
from jina.excepts import ExecutorFailToLoad
from jina.executors import BaseExecutor
from jina.executors.loading import defined_class
from jina.graph import Graph
from jina.launch import STOP_SECONDS, Handle, launcher, stop_all, wait_ready
from jina.spec import DoorSpec, ExecutorSpec, FlowSpec, GatewaySpec, NodeSpec, WorkerSpec, did_you_mean

FATE_SECONDS = 1.0
HURRY_SECONDS = 0.8
SOCKET_PATH_LIMIT = 100  # of ~104 bytes, the least that a system allows


class Running:
    """Starts a Flow's Executors and its gateway, all at once, and ends them.

    :param spec: the Flow.
    :param graph: its graph.
    :param classes: Executor classes by the Executor's name, where ``uses`` was a class.
    :param folder: where relative paths begin.
    :raises RuntimeFailToStart: if one of them does not become ready; the others are ended first.
    """

    def __init__(self, spec: FlowSpec, graph: Graph, classes: Mapping[str, type[BaseExecutor]], folder: Path) -> None:
        self._spec = spec
        self._graph = graph
        self._classes = classes
        self._folder = folder
        self._run_dir = _make_run_dir()
        self._handles: list[Handle] = []
        self._gateway: Handle | None = None
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
            try:
                stop_all([self._gateway] if self._gateway else [], seconds)
            finally:
                stop_all(self._handles, seconds)
        finally:
            shutil.rmtree(self._run_dir, ignore_errors=True)

    def _stop_at_exit(self) -> None:
        if self._pid == os.getpid():  # else this is a fork, and its children are not ours
            self.stop()

    def casualties(self) -> list[str]:
        """Who has ended without being told to, and how."""
        everybody = [h for h in (self._gateway, *self._handles) if h is not None]
        return [f'{h.name!r} ({h.where}) {h.ending()}' for h in everybody if not h.alive()]

    def gateway_lives(self) -> bool:
        """Whether the gateway has not ended."""
        return self._gateway is not None and self._gateway.alive()

    def gateway_fate(self) -> str:
        """What became of the gateway, now that it does not answer."""
        assert self._gateway is not None
        self._gateway.wait(FATE_SECONDS)  # its sockets are closed a moment before its end is known
        return f'the gateway of this Flow ({self._gateway.where}) {self._gateway.ending()}'

    def _start(self) -> None:
        workers = [self._worker(spec) for spec in self._spec.executors]
        self._gateway = self._launch(
            'gateway', 'PROCESS', 'gateway', self._gateway_spec().to_dict(), None, self._spec.env
        )
        for executor, cls in workers:
            spec = WorkerSpec(executor=executor, listen=f'unix:{self._run_dir}/{len(self._handles)}.sock')
            env = {**self._spec.env, **executor.env} if executor.runtime_backend == 'PROCESS' else executor.env
            self._handles.append(
                self._launch('worker', executor.runtime_backend, executor.name, spec.to_dict(), cls, env)
            )
        now = time.monotonic()
        deadlines = {e.name: _deadline(now, e.timeout_ready) for e, _ in workers}
        # the gateway, too, so that a port that is taken is known before the Executors have loaded their models
        wait_ready(self._handles, deadlines, watch=[self._gateway])
        self._gateway.line.send(Connect({h.name: [h.ready.address] for h in self._handles if h.ready}))
        wait_ready([self._gateway], {'gateway': _deadline(time.monotonic(), self._spec.timeout_ready)}, self._handles)

    def _worker(self, spec: ExecutorSpec) -> tuple[ExecutorSpec, type[BaseExecutor] | None]:
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

    def _gateway_spec(self) -> GatewaySpec:
        spec = self._spec
        return GatewaySpec(
            listen=f'unix:{self._run_dir}/gateway.sock',
            doors=[
                DoorSpec(protocol=p, host=spec.host, port=n) for p, n in zip(spec.protocols, spec.ports, strict=True)
            ],
            nodes=[NodeSpec(name=name, needs=list(needs)) for name, needs in self._graph.needs.items()],
            static=str((self._folder / spec.static).resolve()) if spec.static else '',
            prefetch=spec.prefetch,
            quiet=spec.quiet,
        )

    def _launch(
        self,
        kind: str,
        backend: str,
        name: str,
        spec: dict[str, object],
        cls: type | None,
        env: Mapping[str, str],
    ) -> Handle:
        start = Start(spec, path=[p or os.getcwd() for p in sys.path], run_dir=self._run_dir)
        return launcher(backend)(kind, name, start, cls, env)

    def _gateway_ready(self) -> Ready:
        assert self._gateway is not None
        assert self._gateway.ready is not None
        return self._gateway.ready


def _deadline(now: float, milliseconds: int) -> float:
    return now + milliseconds / 1000 if milliseconds >= 0 else float('inf')


def _make_run_dir() -> str:
    """A folder for sockets that nobody else may enter."""
    folder = tempfile.mkdtemp(prefix='jina-')
    if len(folder) > SOCKET_PATH_LIMIT - len('/gateway.sock'):
        os.rmdir(folder)
        folder = tempfile.mkdtemp(prefix='jina-', dir='/tmp')
    return folder
