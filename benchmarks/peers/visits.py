"""What is done with one peer in one turn: start it, check it, measure it, end it."""

import http.client
import json
import math
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.peers.catalogue import Peer, Service
from benchmarks.peers.load import load
from benchmarks.peers.processes import Failed, MemoryWatch, memory, running

TEXT = 'hello world'
SENTENCE = 'Return the smallest power of two that is not less than the given number of open connections.'
READY_SECONDS = 90.0
ANSWER_SECONDS = 10.0
SETTLE_SECONDS = 0.5
WARM_UP_SECONDS = 1
MANY_CLIENTS = 32
ARRAYS = (1, 10)  # megabytes

Found = dict[str, float | str]
Check = Callable[[Any], bool]


def upper(peer: Peer, stages: int, seconds: int, logs: Path) -> Found:
    """The text in upper case over HTTP: start, memory, one client, many clients."""
    key = f'http/{stages}'
    if stages not in peer.upper:
        return dict.fromkeys(_upper_keys(stages), peer.cannot[key])
    service, expected = peer.upper[stages], TEXT.upper() + '!' * (stages - 1)
    variables = {'STAGES': str(stages)}
    with serving(peer, service, TEXT, lambda answer: answer == expected, variables, logs) as (port, ready):
        found: Found = {f'start/{stages}/answer': ready, f'start/{stages}/memory': memory() / 1e6}
        found |= _loads(key, service, port, TEXT, (1, MANY_CLIENTS), seconds)
    return found


def _upper_keys(stages: int) -> Iterator[str]:
    yield from (f'start/{stages}/answer', f'start/{stages}/memory')
    yield from (f'http/{stages}/{clients}/{what}' for clients in (1, MANY_CLIENTS) for what in ('rate', 'p50', 'p99'))


def model(peer: Peer, batch: int, seconds: int, logs: Path) -> Found:
    """The embedding of a sentence over HTTP; with batches, many clients only."""
    kind, key = ('batched', f'model/{batch}') if batch > 1 else ('model', 'model/1')
    clients = (MANY_CLIENTS,) if batch > 1 else (1, MANY_CLIENTS)
    if batch not in peer.encode:
        return {f'{key}/{c}/{what}': peer.cannot[kind] for c in clients for what in ('rate', 'p50', 'p99')}
    service, expected = peer.encode[batch], reference()
    variables = {'BATCH': str(batch)}
    with serving(peer, service, SENTENCE, lambda answer: near(answer, expected), variables, logs) as (port, _):
        return _loads(key, service, port, SENTENCE, clients, seconds)


def _loads(key: str, service: Service, port: int, text: str, clients: tuple[int, ...], seconds: int) -> Found:
    body, found = service.body(text), Found()
    load(port, service.path, body, MANY_CLIENTS, WARM_UP_SECONDS)
    for count in clients:
        taken = load(port, service.path, body, count, seconds)
        found |= {f'{key}/{count}/{what}': value for what, value in taken._asdict().items()}
    return found


@contextmanager
def serving(
    peer: Peer, service: Service, text: str, check: Check, variables: dict[str, str], logs: Path
) -> Iterator[tuple[int, float]]:
    """Start a service; yield its port and the seconds to its first answer, which is checked.

    When the ``with`` block ends without an error, an answer is checked once more.
    """
    port, log = free_port(), logs / f'{peer.name}.log'
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        environment = peer.variables(PORT=str(port), TMPDIR=folder, RAY_TMPDIR=folder, **service.variables, **variables)
        start = time.monotonic()
        with running(peer.command(service.command, port), environment, peer.directory, log) as process:
            first = _first_answer(process, service, port, text, start, log)
            ready = time.monotonic() - start
            _checked(service, first, check)
            time.sleep(SETTLE_SECONDS)  # what a server still does after its first answer is not idle memory
            yield port, ready
            _checked(service, _post(port, service.path, service.body(text)), check)


def _first_answer(
    process: subprocess.Popen[str], service: Service, port: int, text: str, start: float, log: Path
) -> tuple[int, bytes]:
    body = service.body(text)
    answer = (0, b'nothing listens')
    while time.monotonic() < start + READY_SECONDS:
        if process.poll() is not None:
            raise Failed(f'ended with exit code {process.returncode}: {last_line(log)}')
        try:
            answer = _post(port, service.path, body)
            if answer[0] == 200:
                return answer
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.01)
    raise Failed(f'not ready in {READY_SECONDS:.0f} s: {answer[0]} {answer[1][:80]!r}')


def _post(port: int, path: str, body: bytes) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection('127.0.0.1', port, timeout=ANSWER_SECONDS)
    try:
        connection.request('POST', path, body, {'Content-Type': 'application/json'})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _checked(service: Service, answer: tuple[int, bytes], check: Check) -> None:
    status, body = answer
    try:
        right = status == 200 and check(service.read(json.loads(body)))
    except (ValueError, LookupError, TypeError):
        right = False
    if not right:
        raise Failed(f'a wrong answer: {status} {body[:200]!r}')


def near(answer: Any, expected: list[float]) -> bool:
    """Whether it is the same vector; builds of the model's library round differently."""
    return len(answer) == len(expected) and all(
        math.isclose(a, b, abs_tol=1e-3) for a, b in zip(answer, expected, strict=True)
    )


_REFERENCE: list[float] = []


def reference() -> list[float]:
    """The embedding that every peer must give, made in a process of its own."""
    if not _REFERENCE:
        code = f'import encoder, json; print(json.dumps(encoder.load().embed([{SENTENCE!r}])[0].tolist()))'
        folder = Path(__file__).parent / 'shared'
        done = subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f'the model cannot be loaded: {done.stderr.strip().splitlines()[-1]}')
        _REFERENCE.extend(json.loads(done.stdout))
    return _REFERENCE


class Program:
    """A peer's ``client.py``, which does what it is told."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log

    def do(self, task: str, limit: float = 120.0, **arguments: Any) -> dict[str, Any]:
        """Have a task done; return what the program says of it.

        :param limit: seconds after which it has failed.
        """
        assert self._process.stdin
        assert self._process.stdout
        killer = threading.Timer(limit, self._process.kill)
        killer.start()
        try:
            self._process.stdin.write(json.dumps({'task': task, **arguments}) + '\n')
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ''
        finally:
            killer.cancel()
        answer = (
            json.loads(line) if line else {'error': f'it ended, or took over {limit:.0f} s: {last_line(self._log)}'}
        )
        if 'error' in answer:
            raise Failed(f'{task}: {answer["error"]}')
        return dict(answer)


@contextmanager
def program(peer: Peer, logs: Path, name: str = 'client.py', **variables: str) -> Iterator[Program]:
    """Start a peer's program."""
    log = logs / f'{peer.name}.log'
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        command = [str(peer.python), name]
        environment = peer.variables(TMPDIR=folder, RAY_TMPDIR=folder, **variables)
        with running(command, environment, peer.directory, log, talk=True) as process:
            yield Program(process, log)


def stream(peer: Peer, seconds: float, logs: Path) -> Found:
    """Streams of requests from Python."""
    found = Found()
    with program(peer, logs) as client:
        for stages, size in ((1, 1), (1, 100), (3, 1), (3, 100)):
            answer = client.do('stream', stages=stages, size=size, seconds=seconds)
            found[f'stream/{stages}/{size}'] = answer['documents']
        for size in (1, 100):
            answer = client.do('stream', stages=1, size=size, seconds=seconds, client=True)
            found[f'stream/client/{size}'] = answer['documents']
    return found


def latency(peer: Peer, seconds: float, logs: Path) -> Found:
    """One call after another from Python."""
    found = Found()
    with program(peer, logs) as client:
        for key, stages, by_client in (('1', 1, False), ('3', 3, False), ('client', 1, True)):
            answer = client.do('latency', stages=stages, seconds=seconds, client=by_client)
            found |= {f'latency/{key}/{what}': value for what, value in answer.items()}
    return found


def arrays(peer: Peer, seconds: float, logs: Path) -> Found:
    """Arrays there and back."""
    if not peer.client and peer.arrays is None:
        return dict.fromkeys((f'arrays/{size}' for size in ARRAYS), peer.cannot['arrays'])
    with array_program(peer, logs) as client:
        return {
            f'arrays/{size}': client.do('arrays', size=size * 1_000_000, seconds=seconds)['megabytes']
            for size in ARRAYS
        }


@contextmanager
def array_program(peer: Peer, logs: Path) -> Iterator[Program]:
    """The program that asks a peer for arrays, and the service that it asks."""
    port, name = str(free_port()), 'client.py' if peer.client else 'arrays.py'
    if not peer.arrays:
        with program(peer, logs, name) as client:
            yield client
        return
    log = logs / f'{peer.name}.log'
    with tempfile.TemporaryDirectory(prefix='bench-') as folder:
        command = peer.command(peer.arrays, int(port))
        with (
            running(command, peer.variables(PORT=port, TMPDIR=folder), peer.directory, log),
            program(peer, logs, name, PORT=port) as client,
        ):
            yield client


def ready(peer: Peer, logs: Path) -> Found:
    """From the Flow in the program to ready."""
    with program(peer, logs) as client:
        client.do('ready', stages=1)  # what is loaded once is loaded now
        return {f'start/{stages}/flow': client.do('ready', stages=stages)['seconds'] for stages in (1, 3)}


def many(peer: Peer, count: int, logs: Path) -> Found:
    """A stream of very many Documents through two stages: rate, and memory of the whole."""
    with program(peer, logs) as client, MemoryWatch() as watch:
        answer = client.do('many', limit=600.0, count=count)
    samples = watch.samples or [0]
    settled = samples[len(samples) // 2 :]
    return {
        'many/rate': answer['documents'],
        'many/peak': watch.peak / 1e6,
        'many/growth': max(settled) / max(settled[0], 1),
    }


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return int(probe.getsockname()[1])


def last_line(log: Path) -> str:
    """The last line that says something."""
    lines = [line.strip() for line in log.read_text(errors='replace').splitlines() if line.strip()]
    return lines[-1][:200] if lines else 'it said nothing'
