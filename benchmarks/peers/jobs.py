"""The jobs: what each measures, and how a turn of it is done."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from benchmarks.peers import visits
from benchmarks.peers.catalogue import OURS, Peer
from benchmarks.peers.processes import Failed
from benchmarks.peers.turns import Measure
from benchmarks.peers.visits import ARRAYS, MANY_CLIENTS, Found

NO_CLIENT = 'client'


class Course(NamedTuple):
    """How a run is done.

    :param seconds: how long one figure is measured.
    :param scale: the part of the documents of the job ``many`` that are sent.
    :param logs: a folder for what the peers print.
    """

    seconds: int
    scale: float
    logs: Path


@dataclass(frozen=True)
class Job:
    """A job.

    :param visit: measures a peer once.
    :param needs_client: whether only those that have a Python client can do it.
    """

    name: str
    title: str
    measures: tuple[Measure, ...]
    visit: Callable[[Peer, Course], Found]
    needs_client: bool = False

    def do(self, peer: Peer, course: Course) -> Found:
        """Measure a peer once; what it cannot do is a text."""
        if self.needs_client and not peer.client:
            return dict.fromkeys((measure.key for measure in self.measures), peer.cannot[NO_CLIENT])
        return self.visit(peer, course)


def _loads(key: str, clients: int, what: str) -> tuple[Measure, ...]:
    who = f'{what}, {clients} client{"s" if clients > 1 else ""}'
    return (
        Measure(f'{key}/{clients}/rate', who, 'requests/s'),
        Measure(f'{key}/{clients}/p50', f'{who}: median', 'ms', more=False),
        Measure(f'{key}/{clients}/p99', f'{who}: 99 %', 'ms', more=False),
    )


def _http(stages: int) -> Job:
    what = 'one stage' if stages == 1 else f'{stages} stages'
    measures = (
        *_loads(f'http/{stages}', MANY_CLIENTS, f'HTTP, {what}'),
        *_loads(f'http/{stages}', 1, f'HTTP, {what}'),
        Measure(f'start/{stages}/answer', f'from start to first answer, {what}', 's', more=False),
        Measure(f'start/{stages}/memory', f'idle memory, {what}', 'MB', more=False),
    )
    return Job('http', f'HTTP JSON, {what}', measures, lambda p, c: visits.upper(p, stages, c.seconds, c.logs))


def _model(batch: int) -> Job:
    if batch == 1:
        measures = _loads('model/1', MANY_CLIENTS, 'model') + _loads('model/1', 1, 'model')
    else:
        measures = _loads(f'model/{batch}', MANY_CLIENTS, 'model, batched')
    return Job('model', 'a real model', measures, lambda p, c: visits.model(p, batch, c.seconds, c.logs))


def _stream(key: str, what: str, size: int) -> Measure:
    documents = f'{size} document{"s" if size > 1 else ""} a request'
    return Measure(f'stream/{key}/{size}', f'stream, {what}, {documents}', 'documents/s')


def _latency(key: str, what: str) -> tuple[Measure, ...]:
    return (
        Measure(f'latency/{key}/p50', f'one call after another, {what}: median', 'ms', more=False),
        Measure(f'latency/{key}/p99', f'one call after another, {what}: 99 %', 'ms', more=False),
    )


def _many(peer: Peer, course: Course) -> Found:
    return visits.many(peer, max(1000, int(peer.many * course.scale)), course.logs)


JOBS = (
    _http(1),
    _http(3),
    Job(
        'stream',
        'a stream of requests from Python',
        (
            _stream('1', 'f.post, one stage', 1),
            _stream('1', 'f.post, one stage', 100),
            _stream('3', 'f.post, 3 stages', 1),
            _stream('3', 'f.post, 3 stages', 100),
            _stream('client', 'Client, one stage', 1),
            _stream('client', 'Client, one stage', 100),
        ),
        lambda p, c: visits.stream(p, c.seconds, c.logs),
        needs_client=True,
    ),
    Job(
        'latency',
        'one call after another from Python',
        (
            *_latency('1', 'f.post, one stage'),
            *_latency('3', 'f.post, 3 stages'),
            *_latency('client', 'Client, one stage'),
        ),
        lambda p, c: visits.latency(p, c.seconds, c.logs),
        needs_client=True,
    ),
    Job(
        'arrays',
        'arrays there and back',
        tuple(Measure(f'arrays/{size}', f'{size} MB arrays there and back, from Python', 'MB/s') for size in ARRAYS),
        lambda p, c: visits.arrays(p, c.seconds / 2, c.logs),
    ),
    Job(
        'start',
        'start to ready',
        (
            Measure('start/1/flow', 'from `with Flow()` to ready, one stage', 's', more=False),
            Measure('start/3/flow', 'from `with Flow()` to ready, 3 stages', 's', more=False),
        ),
        lambda p, c: visits.ready(p, c.logs),
        needs_client=True,
    ),
    _model(1),
    _model(32),
    Job(
        'many',
        'very many Documents through two stages',
        (
            Measure('many/rate', 'a million Documents*, 2 stages', 'documents/s'),
            Measure('many/peak', 'a million Documents*: peak memory of the whole', 'MB', more=False),
            Measure('many/growth', 'a million Documents*: memory at its highest ÷ at half time', '×', more=False),
        ),
        _many,
        needs_client=True,
    ),
)

COSTS = {
    'documents': ('documents a request', 's a request'),
    'stages': ('stages', 's a request'),
    'payload': ('bytes a request', 's a request'),
    'replicas': ('replicas', 'requests/s (each waits 10 ms)'),
}
NAMES = (*dict.fromkeys(job.name for job in JOBS), 'cost')


def cost(peer: Peer, course: Course) -> dict[str, list[tuple[float, float]] | str]:
    """The curves of cost against work, of ours: points, or why there are none."""
    assert peer.name == OURS
    curves: dict[str, list[tuple[float, float]] | str] = {}
    for name in COSTS:
        try:
            with visits.program(peer, course.logs, 'cost.py') as program:
                curves[name] = program.do(name, seconds=course.seconds / 4)['points']
        except Failed as failed:
            curves[name] = str(failed)
    return curves
