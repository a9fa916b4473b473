"""The load: wrk where it is installed, else a generator of our own, the same for all."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers.processes import Failed

HERE = Path(__file__).parent


class Load(NamedTuple):
    """What a load found: requests a second, and seconds that half and 99 % of the answers took at most."""

    rate: float
    p50: float
    p99: float


def generator() -> str:
    """What makes the load: ``wrk``, or our own."""
    return 'wrk' if shutil.which('wrk') else 'benchmarks/http_load.py'


def load(port: int, path: str, body: bytes, clients: int, seconds: int) -> Load:
    """Send the same body over so many connections for so long.

    :raises Failed: if an answer is an error, or there is none.
    """
    run = _wrk if shutil.which('wrk') else _own
    report = run(port, path, body, clients, seconds)
    if report['errors']:
        raise Failed(f'{report["errors"]} of {report["requests"]} answers to {clients} clients are errors')
    if not report['requests']:
        raise Failed(f'no answer in {seconds} s')
    return Load(report['requests'] / report['seconds'], report['p50'], report['p99'])


def _wrk(port: int, path: str, body: bytes, clients: int, seconds: int) -> dict[str, float]:
    command = ['wrk', '-t1', f'-c{clients}', f'-d{seconds}s', '--timeout', '10s', '-s', str(HERE / 'post.lua')]
    command.append(f'http://127.0.0.1:{port}{path}')
    environment = {**os.environ, 'BODY': body.decode()}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if line.startswith('REPORT '):
            return dict(json.loads(line.removeprefix('REPORT ')))
    raise Failed(f'wrk: {done.stderr.strip() or done.stdout.strip()}')


def _own(port: int, path: str, body: bytes, clients: int, seconds: int) -> dict[str, float]:
    command = [sys.executable, str(HERE.parent / 'http_load.py'), str(port), path, body.decode(), str(clients)]
    done = subprocess.run([*command, f'{seconds}s'], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failed(done.stderr.strip().splitlines()[-1])
    return dict(json.loads(done.stdout))
