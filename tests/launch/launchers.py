"""Start workers and gateways by any launcher."""

import sys
import time
from functools import cached_property

import pytest

from jina.control import Start
from jina.excepts import StartTimeout
from jina.launch import launcher, stop_all, wait_ready
from jina.launch.zygote import Zygote
from jina.spec import ExecutorSpec, GatewaySpec, WorkerSpec


class Launch:
    """Starts workers and gateways, and ends them all."""

    def __init__(self, backend, folder):
        self.backend, self.folder, self.handles = backend, folder, []

    def __call__(self, cls=None, name='w', env=(), run_dir='', **options):
        jtype = cls.__name__ if cls else 'BaseExecutor'
        executor = ExecutorSpec(name=name, uses={'jtype': jtype, **options})
        spec = WorkerSpec(executor=executor, listen=f'unix:{self.folder}/{name}.sock')
        return self._start('worker', name, spec, cls, dict(env), run_dir)

    def gateway(self, **options):
        return self._start('gateway', 'gateway', GatewaySpec(**options), None, {}, '')

    def _start(self, kind, name, spec, cls, env, run_dir):
        start = Start(spec.to_dict(), path=list(sys.path), run_dir=run_dir)
        start_it = self.zygote.launch if self.backend == 'ZYGOTE' else launcher(self.backend)
        handle = start_it(kind, name, start, cls, env)
        self.handles.append(handle)
        return handle

    @cached_property
    def zygote(self):
        """Started within the test: pytest changes the environment between its fixtures and itself."""
        return Zygote({})

    def end(self):
        stop_all(self.handles)
        if 'zygote' in vars(self):
            self.zygote.close()

    def ready(self, *args, **kwargs):
        handle = self(*args, **kwargs)
        wait_for(handle)
        return handle


def wait_for(handle, seconds=20.0, watch=()):
    wait_ready([handle], {handle.name: time.monotonic() + seconds}, watch)


def timeout_while(handle, doing):
    """What is told of one that is not ready in time, as soon as it does this."""
    told = ''

    def has_come_so_far():
        nonlocal told
        with pytest.raises(StartTimeout) as raised:
            wait_for(handle, seconds=0.1)
        told = str(raised.value)
        return doing in told

    assert eventually(has_come_so_far), told
    return told


def eventually(condition, seconds=20.0):
    """Whether a condition comes to hold."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds


def written(path):
    """What an Executor has written there, line by line."""
    return path.read_text().split() if path.exists() else []
