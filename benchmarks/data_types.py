"""Document and DocumentArray beside others: the 2.0.24 release, docarray 0.41, and plain numpy as the limit.

``make bench-types`` prints a table. All are measured in one run, in turn, round by round, since machines differ, are
shared, and change while one looks: what counts are the ratios, each the median of the rounds with its spread. Every
peer is a process of its own (``types/``), and its results are checked before they are timed.

The environment says where the others are; without it their columns say so:
``JINA2_PYTHON=/path/to/python`` with jina 2.0.24, ``DOCARRAY_PYTHON=/path/to/python`` with docarray 0.41.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

PEERS = {'ours': sys.executable, 'jina2': 'JINA2_PYTHON', 'docarray': 'DOCARRAY_PYTHON', 'numpy': sys.executable}
TASKS = {
    'construct': 'Document(text=…), 20,000',
    'get text': 'read text, 20,000',
    'set text': 'set text, 20,000',
    'wire': 'serialise and parse 10,000 with 128-d embeddings, touch all',
    'get_attributes': "get_attributes('embedding'), 10,000",
    'match': 'match 100 with 100,000 × 128, top 10',
    'match, rows of one array': '… whose embeddings are rows of one array',
}
ONE_THREAD = ('match', 'match, rows of one array')
ON_DISK = {'open memmap': 'open {}, read the one in the middle', 'iterate memmap': 'iterate {} on disk'}
THREADS = ('OMP_NUM_THREADS', 'OPENBLAS_NUM_THREADS', 'MKL_NUM_THREADS')


class Peer:
    """A process that does a task whenever it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def do(self, task: str) -> dict[str, Any]:
        """Do the task once more; return what the peer says of it."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f'{task}\n')
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        return json.loads(answer) if answer else {'error': 'the process has ended'}


@contextmanager
def peer(name: str, environment: dict[str, str]) -> Iterator[Peer | None]:
    """Start a peer; None when this machine does not have it."""
    interpreter = os.environ.get(PEERS[name], '') if PEERS[name].endswith('_PYTHON') else PEERS[name]
    if not interpreter:
        yield None
        return
    script = Path(__file__).parent / 'types' / f'peer_{name}.py'
    with subprocess.Popen(
        [interpreter, str(script)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        yield Peer(process)
        assert process.stdin
        process.stdin.close()


def measure(task: str, rounds: int, environment: dict[str, str]) -> dict[str, list[float] | str]:
    """Return for each peer what its rounds took, in turn with the others, or why there is nothing."""
    found: dict[str, list[float] | str] = {}
    with ExitStack() as stack:
        peers = {name: stack.enter_context(peer(name, environment)) for name in PEERS}
        for _ in range(rounds):
            for name, each in peers.items():
                answer = each.do(task) if each else {'error': 'not available'}
                taken = found.setdefault(name, [])
                if 'error' in answer:
                    found[name] = str(answer['error'])
                elif isinstance(taken, list):
                    taken.append(answer.get('seconds') or answer['bytes'])
    return found


def shown(taken: list[float] | str, ours: list[float], unit: str) -> str:
    """Return ``1.2 ms · 3.4× (3.1–3.6)``: the median, and how often ours goes into it, round by round."""
    if isinstance(taken, str):
        return taken if len(taken) < 60 else f'{taken[:57]}…'
    value = statistics.median(taken)
    size = f'{value * 1e3:,.2f} ms' if unit == 'seconds' else f'{value:,.0f} bytes'
    if taken is ours:
        return size
    ratios = sorted(other / own for other, own in zip(taken, ours, strict=True))
    return f'{size} · {statistics.median(ratios):.3g}× ({ratios[0]:.3g}–{ratios[-1]:.3g})'


def rows(options: argparse.Namespace) -> Iterator[tuple[str, str, str, int, dict[str, str]]]:
    """Yield (title, task, unit, rounds, environment) of all that is to be measured."""
    for task, title in TASKS.items():
        yield title, task, 'seconds', options.rounds, {}
        if task in ONE_THREAD:
            yield f'{title}, one thread', task, 'seconds', options.rounds, dict.fromkeys(THREADS, '1')
    count = 1_000_000 if options.million else 200_000
    environment = {'BENCH_DOCUMENTS': str(count)}
    yield f'memory of each of {count:,}', 'memory', 'bytes', 1, environment
    for task, title in ON_DISK.items() if options.memmap else ():
        yield title.format(f'{count:,}'), task, 'seconds', 3, environment


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--rounds', type=int, default=7)
    parser.add_argument('--million', action='store_true', help='1,000,000 Documents in memory and on disk, not 200,000')
    parser.add_argument('--memmap', action='store_true', help='also DocumentArrayMemmap, which takes long')
    parser.add_argument('--only', default='', help='only tasks with this in their name')
    options = parser.parse_args()
    table = Table('', *PEERS, title='median · how many times ours, per round (spread)')
    for title, task, unit, rounds, environment in rows(options):
        if options.only in task:
            found = measure(task, rounds, environment)
            ours = found['ours']
            if isinstance(ours, str):
                sys.exit(f'{task}: {ours}')
            table.add_row(title, *(shown(taken, ours, unit) for taken in found.values()))
    Console(width=max(160, Console().width)).print(table)


if __name__ == '__main__':
    main()
