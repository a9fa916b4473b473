"""Whoever dies, in whichever way: nothing is left, and nobody waits for what does not come."""

import os
import re
import signal
import subprocess

import psutil
import pytest
from programs import alive, interrupt, until, wait_line

from jina.launch.zygote import Zygote

SOONER = 20  # seconds: than what sleeps for thirty of them wakes up

needs_zygote = pytest.mark.skipif(not Zygote.is_possible(), reason='Linux only')

PROGRAM = """
RESTARTS = 1
import os, signal, sys, threading, time
from jina import Document, Executor, Flow, requests

class Sleeps(Executor):
    @requests
    def foo(self, docs, **kwargs):
        print('worker', os.getpid(), flush=True)

    @requests(on='/sleep')
    def sleep(self, **kwargs):
        print('sleeping', os.getpid(), flush=True)
        time.sleep(30)

    @requests(on='/async')
    async def sleep_on_the_loop(self, **kwargs):
        import asyncio
        print('sleeping', os.getpid(), flush=True)
        await asyncio.sleep(30)

    def close(self):
        print('closed', flush=True)

def show(response):
    print('answer', int(response.status.code), response.status.description, flush=True)

def main_thread_is_in(name):
    frame = sys._current_frames()[threading.main_thread().ident]
    return frame.f_code.co_name == name and frame.f_globals['__name__'] == 'jina.flow'

def tell_when_blocked():
    while not main_thread_is_in('block'):
        time.sleep(0.01)
    print('blocked', flush=True)

def block():
    threading.Thread(target=tell_when_blocked, daemon=True).start()
    f.block()

f = Flow().add(name='first', uses=Sleeps, restarts=RESTARTS).add(name='second', uses=Sleeps)
"""

OPEN = PROGRAM + """
with f:
    f.post('/', Document())
    print('open', flush=True)
    {body}
print('end', flush=True)
"""  # fmt: skip


HANGS = PROGRAM.replace(
    'def close',
    """def __init__(self, **kwargs):
        print('init')
        time.sleep(30)

    def close""",
)


def children(process):
    """The processes of a program: the gateway and its workers, in the order of their start."""
    found = psutil.Process(process.pid).children(recursive=True)
    own = zygote(process)
    return [p.pid for p in sorted(found, key=lambda p: (p.create_time(), p.pid)) if p != own]


def zygote(process):
    """The process of which the workers of a program are forked, if there is one."""
    return next((p for p in psutil.Process(process.pid).children() if 'zygote' in p.cmdline()), None)


def open_program(place, body):
    script = place.write('program.py', OPEN.replace('{body}', body.strip().replace('\n', '\n    ')))
    return place.start(script, stdin=subprocess.PIPE)


def test_a_killed_parent_leaves_nothing(place):
    with open_program(place, 'block()') as process:
        wait_line(process.stdout, 'blocked')
        assert len(children(process)) == 3
        assert bool(zygote(process)) == Zygote.is_possible()
        process.kill()
    place.assert_nothing_left()


@pytest.mark.parametrize('endpoint', ['/sleep', '/async'])
def test_a_killed_parent_leaves_nothing_while_a_handler_runs(place, endpoint):
    with open_program(place, f"f.post('{endpoint}', Document())") as process:
        wait_line(process.stdout, 'sleeping')
        process.kill()
    place.assert_nothing_left()


def test_a_parent_killed_while_it_starts_leaves_nothing(place):
    with place.start(place.write('program.py', HANGS + 'f.start()')) as process:
        wait_line(process.stdout, 'init')
        process.kill()
    place.assert_nothing_left()


def test_a_killed_worker_is_named_in_the_answer(place):
    body = """
f.post('/sleep', Document(), show, target_peapod='first')
f.post('/', Document(), show, target_peapod='first')
"""
    with open_program(place, body) as process:
        pid = wait_line(process.stdout, r'sleeping (\d+)')[1]
        os.kill(int(pid), signal.SIGKILL)
        out, err = process.communicate(timeout=20)
    in_flight, later = [line for line in out.splitlines() if line.startswith('answer')]
    assert in_flight.startswith(f"answer 3 Executor 'first' (process {pid}) went away while it worked on this request")
    assert later == 'answer 0 '  # of the one that took its place
    assert out.splitlines()[-1] == 'end'
    assert out.count('closed') == 2
    assert 'Traceback' not in err


def test_requests_for_other_executors_than_the_killed_one_go_on(place):
    body = """
input()
f.post('/', Document(), show, target_peapod='second')
"""
    with open_program(place, body) as process:
        wait_line(process.stdout, 'open')
        first = children(process)[1]
        os.kill(first, signal.SIGKILL)
        wait_line(process.stderr, f'process {first}. was killed by SIGKILL')
        out, _ = process.communicate('\n', timeout=20)
    assert re.search('^answer 0 $', out, re.MULTILINE), out


@needs_zygote
def test_a_killed_zygote_takes_nobody_along(place):
    body = """
input()
f.post('/', Document(), show)
input()
f.post('/', Document(), show)
"""
    with open_program(place, body) as process:
        wait_line(process.stdout, 'open')
        first = children(process)[1]
        zygote(process).kill()
        answer_a_line(process)
        wait_line(process.stdout, '^answer 0 $')
        os.kill(first, signal.SIGKILL)
        wait_line(process.stderr, rf"'first' \(process {first}\) has ended, and so had its parent.* started again")
        wait_line(process.stderr, 'from now on each is a fresh interpreter')
        wait_line(process.stderr, "'first' .* took its place")
        out, err = process.communicate('\n', timeout=20)
    assert 'answer 0' in out
    assert out.count('closed') == 2
    assert 'Traceback' not in err


def answer_a_line(process):
    """What a program waits for in ``input()``."""
    process.stdin.write('\n')
    process.stdin.flush()


@needs_zygote
def test_what_is_started_again_is_forked_again(place):
    with open_program(place, "input()\nf.post('/', Document(), show)") as process:
        wait_line(process.stdout, 'open')
        own = zygote(process)
        os.kill(children(process)[1], signal.SIGKILL)
        wait_line(process.stderr, "'first' .* took its place")
        assert len(own.children()) == 2
        out, _ = process.communicate('\n', timeout=20)
    assert 'answer 0' in out


@needs_zygote
def test_one_executor_alone_needs_no_zygote(place):
    program = (
        PROGRAM.replace(".add(name='second', uses=Sleeps)", '') + "with f:\n    print('open', flush=True)\n    input()"
    )
    with place.start(place.write('program.py', program), stdin=subprocess.PIPE) as process:
        wait_line(process.stdout, 'open')
        assert zygote(process) is None
        assert len(children(process)) == 2
        process.communicate('\n', timeout=20)


@pytest.mark.parametrize('endpoint', ['/', '/sleep'])
def test_a_killed_gateway_is_named(place, endpoint):
    body = f"""
from jina.excepts import ServerUnreachable
import threading
if '{endpoint}' == '/': input()
try:
    f.post('{endpoint}', Document())
except ServerUnreachable as error:
    print('error', error)
"""
    with open_program(place, body) as process:
        wait_line(process.stdout, 'open' if endpoint == '/' else 'sleeping')
        gateway = children(process)[0]
        os.kill(gateway, signal.SIGKILL)
        until(lambda: not alive(gateway))
        out, _ = process.communicate('\n', timeout=20)
    assert f'error the gateway of this Flow (process {gateway}) was killed by SIGKILL' in out
    assert 'end' in out


def test_without_a_gateway_nothing_can_be_exchanged(place):
    body = """
input()
from jina.excepts import ServerUnreachable
for change in (lambda: f.rolling_update('first'), lambda: setattr(f, 'protocol', 'http')):
    try:
        change()
    except ServerUnreachable as error:
        print(f'error {error}\\n', end='', flush=True)
"""
    with open_program(place, body) as process:
        wait_line(process.stdout, 'open')
        gateway = children(process)[0]
        os.kill(gateway, signal.SIGKILL)
        assert until(lambda: not alive(gateway))
        out, _ = process.communicate('\n', timeout=30)
    assert out.count(f'error the gateway (process {gateway}) was killed by SIGKILL') == 2


def test_block_ends_when_the_gateway_does(place):
    with open_program(place, 'block()') as process:
        wait_line(process.stdout, 'blocked')
        gateway = children(process)[0]
        os.kill(gateway, signal.SIGKILL)
        _, err = process.communicate(timeout=20)
    assert f'ServerUnreachable: the gateway of this Flow (process {gateway}) was killed by SIGKILL' in err


def test_block_tells_of_a_killed_worker_that_is_replaced_and_goes_on(place):
    with open_program(place, 'block()') as process:
        wait_line(process.stdout, 'blocked')
        worker = children(process)[2]
        os.kill(worker, signal.SIGKILL)
        wait_line(process.stderr, rf"'second' \(process {worker}\) was killed by SIGKILL; it is started again")
        wait_line(process.stderr, "'second' .* took its place")
        interrupt(process)
    assert process.returncode == 0


def test_ctrl_c_in_block(place):
    with open_program(place, 'block()') as process:
        wait_line(process.stdout, 'blocked')
        assert 'Traceback' not in interrupt(process)
        assert ''.join(process.stdout.read().split()) == 'closedclosedend'
    assert process.returncode == 0


MANY = '(Document() for _ in range(100_000)), request_size=1'


@pytest.mark.parametrize('inputs', ['Document()', MANY], ids=['one', 'more than the window'])
@pytest.mark.parametrize('endpoint', ['/sleep', '/async'])
def test_ctrl_c_in_post_while_a_handler_sleeps(place, inputs, endpoint):
    with open_program(place, f"f.post('{endpoint}', {inputs})") as process:
        wait_line(process.stdout, 'sleeping')
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=SOONER)
    assert 'KeyboardInterrupt' in err
    assert process.returncode in (1, 130, -signal.SIGINT)
    place.assert_nothing_left()


def test_ctrl_c_while_a_flow_starts(place):
    with place.start(place.write('program.py', HANGS + 'f.start()')) as process:
        wait_line(process.stdout, 'init')
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=SOONER)
    place.assert_nothing_left()


def test_ctrl_c_of_a_terminal_reaches_the_whole_group(place):
    script = place.write('program.py', OPEN.replace('{body}', 'block()'))
    with place.start(script, start_new_session=True) as process:
        wait_line(process.stdout, 'blocked')
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert ''.join(out.split()) == 'closedclosedend'
    assert 'Traceback' not in err


def test_sigterm_of_a_worker_closes_its_executor_once(place):
    script = place.write('program.py', OPEN.replace('{body}', 'input()').replace('RESTARTS = 1', 'RESTARTS = 0'))
    with place.start(script, stdin=subprocess.PIPE) as process:
        wait_line(process.stdout, 'open')
        worker = children(process)[1]
        os.kill(worker, signal.SIGTERM)
        wait_line(process.stdout, 'closed')
        assert until(lambda: not alive(worker))
        out, _ = process.communicate(timeout=20)
    assert out.count('closed') == 1  # the other one


def test_a_worker_whose_close_hangs_is_killed(place):
    text = PROGRAM.replace(
        'def close(self):',
        """def close(self):
        time.sleep(60 if self.runtime_args.name == 'first' else 0)""",
    )
    script = place.write('program.py', f"{text}\nwith f:\n    f.post('/', Document())\nprint('end')")
    with place.start(script) as process:
        out, err = process.communicate(timeout=30)
    assert 'end' in out
    assert out.count('closed') == 1
    assert "'first' (process" in err
    assert 'still busy after 5 s: killed' in err


def test_a_thread_of_an_executor_that_does_not_end_holds_nothing_up(place):
    text = PROGRAM.replace(
        'def close', 'def __init__(self, **kwargs):\n        import threading\n'
        '        threading.Thread(target=time.sleep, args=(60,)).start()\n\n    def close'
    )  # fmt: skip
    script = place.write('program.py', f"{text}\nwith f:\n    f.post('/', Document())\nprint('end')")
    with place.start(script) as process:
        out, _ = process.communicate(timeout=20)
    assert out.count('closed') == 2
    assert 'end' in out


def test_a_worker_that_cannot_react_to_sigterm_is_killed(place):
    with open_program(place, 'block()') as process:
        wait_line(process.stdout, 'blocked')
        for pid in children(process)[1:]:
            os.kill(pid, signal.SIGSTOP)
            os.kill(pid, signal.SIGTERM)  # not delivered while it is stopped
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert err.count('still busy after') == 2


def test_a_program_that_ends_without_close_closes_its_executors_once(place):
    del place.env['PYTHONWARNINGS']
    printed = place.script(PROGRAM + "f.start()\nf.post('/', Document())\nprint('end', flush=True)")
    assert printed.count('closed') == 2
    assert 'killed or it crashed' not in printed.err


def test_a_program_that_raises_in_the_block_closes_its_executors_once(place):
    printed = place.script(PROGRAM + 'with f:\n    1 / 0', code=1)
    assert printed.count('closed') == 2
    assert 'ZeroDivisionError' in printed.err


def test_sys_exit_and_os_exit(place):
    printed = place.script(PROGRAM + 'with f:\n    sys.exit(3)', code=3)
    assert printed.count('closed') == 2
    printed = place.script(PROGRAM + 'with f:\n    os._exit(3)', code=3)
    assert printed.count('closed') == 2
