"""One suite for every launcher."""

import os
import re
import signal
import socket
import sys
import threading
import types

import pytest

import jina
from jina import Executor
from jina.control import Connect
from jina.excepts import (
    BadOption,
    ExecutorFailToLoad,
    NoAvailablePortError,
    RemoteError,
    RuntimeFailToStart,
    StartTimeout,
)
from jina.launch import stop_all
from jina.launch.zygote import Zygote
from jina.spec import DoorSpec, NodeSpec
from launch.launchers import Launch, timeout_while, wait_for, written

released = threading.Event()


class Hanging(Executor):
    """Its ``__init__`` does not end before the test does."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        released.wait(30)


PROCESSES = ['PROCESS', pytest.param('ZYGOTE', marks=pytest.mark.skipif(not Zygote.is_possible(), reason='Linux only'))]


@pytest.fixture(params=[*PROCESSES, 'THREAD'])
def launch(request, tmp_path):
    launch = Launch(request.param, tmp_path)
    released.clear()
    yield launch
    released.set()
    launch.end()


@pytest.fixture(params=PROCESSES)
def process(request, tmp_path):
    launch = Launch(request.param, tmp_path)
    yield launch
    launch.end()


def test_a_worker_becomes_ready_serves_at_its_address_and_ends_in_order(launch, tmp_path):
    class Noting(Executor):
        def __init__(self, path, **kwargs):
            super().__init__(**kwargs)
            self.path = path

        def close(self):
            with open(self.path, 'a') as file:
                file.write('closed\n')

    handle = launch.ready(Noting, **{'with': {'path': str(tmp_path / 'notes')}})
    assert handle.ready.address == f'unix:{tmp_path}/w.sock'
    assert handle.alive()
    assert handle.ending() == 'is running'
    assert ('thread' if launch.backend == 'THREAD' else 'process') in handle.where
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f'{tmp_path}/w.sock')
        assert client.recv(16)
    stop_all([handle])
    assert not handle.alive()
    assert handle.wait(0)
    assert handle.ending() in ('exited with code 0', 'has ended')
    assert written(tmp_path / 'notes') == ['closed']
    assert not (tmp_path / 'w.sock').exists()


def test_an_init_that_raises_arrives_with_its_type_text_and_traceback(launch):
    class Broken(Executor):
        def __init__(self, **kwargs):
            self.load_the_model()

        def load_the_model(self):
            raise ValueError('no model here')

    handle = launch(Broken)
    with pytest.raises(
        RuntimeFailToStart, match=r"'w' \(.*\) could not start: Broken.__init__\(\) raised ValueError"
    ) as raised:
        wait_for(handle)
    error = raised.value.__cause__
    assert isinstance(error, ExecutorFailToLoad)
    assert isinstance(error.__cause__, RemoteError)
    assert 'in load_the_model' in error.__cause__.stack
    assert handle.wait(20)
    _end_threads(launch)


def test_a_class_that_is_nowhere_is_told(launch):
    handle = launch(jtype='NoSuchThing')
    with pytest.raises(RuntimeFailToStart, match="there is no Executor class 'NoSuchThing'"):
        wait_for(handle)
    _end_threads(launch)


def _end_threads(launch):
    """Until a worker that cannot start ends its thread."""
    if launch.backend == 'THREAD':
        import gc

        from jina.worker.thread import UserThread

        for thread in (o for o in gc.get_objects() if isinstance(o, UserThread)):
            thread.stop()


def test_an_init_that_hangs_ends_in_a_timeout_that_names_it(launch):
    handle = launch(Hanging)
    told = timeout_while(handle, 'it is still running Hanging.__init__()')
    assert re.match(r"'w' \(.*\) was not ready in time: .*; if it only needs longer", told)
    released.set()
    stop_all([handle], seconds=5 if launch.backend == 'THREAD' else 0.1)
    assert not handle.alive()
    _end_threads(launch)


def test_the_failure_of_one_that_is_watched_ends_the_wait(launch):
    hanging, failing = launch(Hanging, 'hanging'), launch(name='failing', jtype='NoSuchThing')
    with pytest.raises(RuntimeFailToStart, match="'failing'"):
        wait_for(hanging, watch=[failing])
    released.set()
    stop_all([hanging], seconds=5 if launch.backend == 'THREAD' else 0.1)
    _end_threads(launch)


def test_a_class_defined_in_a_function_travels_by_value(launch):
    secret = 41

    class Local(Executor):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            if secret + 1 != 42:
                raise ValueError

    launch.ready(Local)


def test_a_class_of_a_module_that_nobody_can_import_travels_by_value(launch):
    module = types.ModuleType('made_of_air')
    exec('from jina import Executor\nVALUE = 5\nclass Airy(Executor):\n    def close(self): assert VALUE', vars(module))
    sys.modules['made_of_air'] = module
    try:
        launch.ready(module.Airy)
    finally:
        del sys.modules['made_of_air']


def test_a_class_is_found_in_py_modules(launch, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, 'path', sys.path[:])
    (tmp_path / 'executor_of_a_file.py').write_text('from jina import Executor\nclass OfAFile(Executor): pass\n')
    try:
        launch.ready(jtype='OfAFile', py_modules=[str(tmp_path / 'executor_of_a_file.py')])
    finally:
        sys.modules.pop('executor_of_a_file', None)


def test_a_gateway_waits_to_be_told_where_its_executors_are(launch):
    worker = launch.ready()
    gateway = launch.gateway(
        listen=f'unix:{launch.folder}/g.sock',
        doors=[DoorSpec(protocol='http')],
        nodes=[NodeSpec(name='w', needs=['gateway'])],
    )
    timeout_while(gateway, 'it is still waiting for its Executors')
    gateway.line.send(Connect({'w': {0: worker.ready.address}}))
    wait_for(gateway)
    assert gateway.ready.address == f'unix:{launch.folder}/g.sock'
    [port] = gateway.ready.ports
    socket.create_connection(('127.0.0.1', port)).close()
    stop_all([gateway])
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port))


def test_a_port_that_is_taken_is_an_error_of_its_own(launch):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        gateway = launch.gateway(doors=[DoorSpec(protocol='http', port=port)])
        with pytest.raises(NoAvailablePortError, match=f'127.0.0.1:{port}') as raised:
            wait_for(gateway)
        assert isinstance(raised.value.__cause__, NoAvailablePortError)


def test_the_environment_of_a_process_is_set(process):
    class Looking(Executor):
        def __init__(self, **kwargs):
            raise ValueError(os.environ['OF_MY_OWN'])

    handle = process(Looking, env={'OF_MY_OWN': 'here it is'})
    with pytest.raises(RuntimeFailToStart, match='here it is'):
        wait_for(handle)


def test_a_thread_cannot_have_an_environment(tmp_path):
    with pytest.raises(BadOption, match=r"'w': env=\{'A': '1'\} needs a process of its own"):
        Launch('THREAD', tmp_path)(env={'A': '1'})


def test_a_class_that_cannot_travel_is_told_with_what_to_do(process):
    lock = threading.Lock()

    class Holding(Executor):
        def __init__(self, **kwargs):
            lock.acquire()

    with pytest.raises(ExecutorFailToLoad, match=r"Holding cannot be sent.*runtime_backend='THREAD'"):
        process(Holding)


def test_a_process_that_is_killed_says_so(process):
    handle = process.ready()
    os.kill(int(handle.where.split()[1]), signal.SIGKILL)
    assert handle.wait(20)
    assert handle.ending() == 'was killed by SIGKILL'
    assert handle.line.receive() is None


def test_a_process_that_exits_while_it_starts_is_told_with_its_code(process):
    class Exiting(Executor):
        def __init__(self, **kwargs):
            os._exit(3)

    with pytest.raises(
        RuntimeFailToStart, match=r"'w' \(process \d+\) exited with code 3 while running Exiting.__init__"
    ):
        wait_for(process(Exiting))


@pytest.mark.parametrize('name', ['SIGTERM', 'SIGINT'])
def test_a_process_closes_on_sigterm_and_leaves_ctrl_c_to_its_parent(process, tmp_path, name):
    class Noting(Executor):
        def close(self):
            with open(self.metas.path, 'a') as file:
                file.write('closed\n')

    handle = process.ready(Noting, metas={'path': str(tmp_path / 'notes')})
    os.kill(int(handle.where.split()[1]), getattr(signal, name))
    if name == 'SIGTERM':
        assert handle.wait(20)
        assert handle.ending() == 'exited with code 0'
        assert written(tmp_path / 'notes') == ['closed']
    else:
        assert not handle.wait(0.2)


def test_a_child_whose_parent_is_gone_closes_ends_and_removes_the_run_dir(launch, tmp_path):

    class Noting(Executor):
        def close(self):
            with open(self.metas.path, 'a') as file:
                file.write('closed\n')

    (tmp_path / 'run').mkdir()
    handle = launch.ready(Noting, metas={'path': str(tmp_path / 'notes')}, run_dir=str(tmp_path / 'run'))
    handle.line.hang_up()
    assert handle.wait(20)
    assert written(tmp_path / 'notes') == ['closed']
    assert not (tmp_path / 'run').exists()


def test_an_init_that_exits_is_told(launch):
    class Exiting(Executor):
        def __init__(self, **kwargs):
            sys.exit(3)

    with pytest.raises(RuntimeFailToStart, match='Exiting') as raised:
        wait_for(launch(Exiting))
    assert not isinstance(raised.value, StartTimeout)


def test_an_import_that_hangs_is_named(process, tmp_path, monkeypatch):
    (tmp_path / 'hanging_module.py').write_text(
        'import os, threading\nfrom jina import Executor\n'
        "if 'HANG' in os.environ: threading.Event().wait(30)\n"
        'class OfAModule(Executor): pass\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    import hanging_module

    try:
        handle = process(hanging_module.OfAModule, env={'HANG': '1'})
        timeout_while(handle, 'it is still importing')
    finally:
        del sys.modules['hanging_module']
        stop_all(process.handles, seconds=0.1)


def test_the_child_runs_this_very_package(process):
    class Telling(Executor):
        def __init__(self, **kwargs):
            import jina

            raise ValueError(jina.__file__)

    with pytest.raises(RuntimeFailToStart) as raised:
        wait_for(process(Telling))
    assert jina.__file__ in str(raised.value)


def test_those_that_do_not_end_are_killed(process):
    class Stubborn(Executor):
        def close(self):
            threading.Event().wait(30)

    handle = process.ready(Stubborn)
    stop_all([handle], seconds=0.3)
    assert handle.ending() == 'was killed by SIGKILL'
