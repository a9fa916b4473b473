"""This project beside its peers: the same jobs, each in its own idiom, in turn, on one machine, every answer checked.

``make bench-peers`` makes an environment for each peer, measures, and writes a Markdown table, a chart and the raw
figures to ``build/bench-peers/``. Machines differ, and are shared: what counts are the ratios of one run.
"""

import argparse
import json
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.peers import chart, table
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.environments import ENVIRONMENTS, Missing
from benchmarks.peers.jobs import COSTS, JOBS, NAMES, Course, Job, cost
from benchmarks.peers.load import generator
from benchmarks.peers.machine import describe
from benchmarks.peers.processes import Failed, adopt_orphans
from benchmarks.peers.turns import Results, take_turns

LIMITS = ('uvicorn', 'granian')

Curves = dict[str, list[tuple[float, float]] | str]


def main() -> None:
    """Measure, and write what was found."""
    options = arguments()
    adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    begin = time.monotonic()
    output = Path(options.output)
    output.mkdir(parents=True, exist_ok=True)
    course = Course(options.seconds, options.scale, output / 'logs')
    course.logs.mkdir(exist_ok=True)
    for log in course.logs.iterdir():
        log.unlink()
    results, jobs = Results(), [job for job in JOBS if job.name in options.jobs]
    peers = available(options.peers, jobs, results)
    heads = {name: f'{PEERS[name].title} {PEERS[name].version}' if name in peers else name for name in options.peers}
    curves: Curves = {}
    try:
        for job in jobs:
            say(begin, f'{job.title}: {", ".join(peers)}')
            measure(job, peers, options.rounds, course, results)
        if 'cost' in options.jobs and OURS in peers:
            say(begin, 'cost against work')
            curves = cost(PEERS[OURS], course)
    finally:  # also when it is interrupted: what there is by then
        write(results, curves, heads, jobs, about(options, peers), output)
        say(begin, f'written to {output}')


def arguments() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog='python -m benchmarks.peers', description=__doc__.splitlines()[0])
    parser.add_argument('--jobs', default='', help=f'some of: {",".join(NAMES)} (default: all)')
    parser.add_argument('--peers', default='', help=f'some of: {",".join(PEERS)} (default: all)')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--seconds', type=int, default=2, help='how long one figure is measured')
    parser.add_argument('--scale', type=float, default=1.0, help='part of the documents of the job many')
    parser.add_argument('--output', default='build/bench-peers')
    options = parser.parse_args()
    options.jobs = chosen(parser, options.jobs, NAMES)
    options.peers = chosen(parser, options.peers, tuple(PEERS))
    return options


def chosen(parser: argparse.ArgumentParser, asked: str, there: tuple[str, ...]) -> list[str]:
    """Those of ``there`` that are asked for, in the order of ``there``."""
    names = asked.split(',') if asked else there
    if unknown := set(names) - set(there):
        parser.error(f'there is no {", ".join(sorted(unknown))}; there are {", ".join(there)}')
    return [name for name in there if name in names]


def available(names: list[str], jobs: list[Job], results: Results) -> list[str]:
    """Make the environments; return the peers that can be had, and note why the others cannot."""
    found = []
    for name in names:
        environment = PEERS[name].environment
        try:
            if environment:
                ENVIRONMENTS[environment].make()
            found.append(name)
        except Missing as missing:
            for job in jobs:
                for measure in job.measures:
                    results.refuse(measure.key, name, str(missing))
    return found


def measure(job: Job, peers: list[str], rounds: int, course: Course, results: Results) -> None:
    """Do a job in turns."""

    def visit(name: str) -> dict[str, float | str]:
        return job.do(PEERS[name], course)

    take_turns(results, peers, rounds, [m.key for m in job.measures], visit, Failed)


def about(options: argparse.Namespace, peers: list[str]) -> str:
    """How it was measured."""
    scaled = ', '.join(f'{PEERS[p].title} {PEERS[p].many * options.scale:,.0f}' for p in peers if PEERS[p].client)
    return (
        f'{datetime.now(UTC):%Y-%m-%d}; {describe()}; load by {generator()} on the same cores; rounds in turn: '
        f'{options.rounds}, {options.seconds} s a figure, medians (spread). × is how many times better ours is, round '
        'by round. Memory is the PSS of all processes of a system.'
        + (f' *Documents sent: {scaled}.' if 'many' in options.jobs else '')
    )


def write(results: Results, curves: Curves, heads: dict[str, str], jobs: list[Job], note: str, output: Path) -> None:
    """Write the table, the chart and the raw figures."""
    measures = [measure for job in jobs for measure in job.measures]
    text = f'{table.markdown(results, measures, heads, OURS)}\n{note}\n'
    if curves:
        text += f'\n{table.cost_lines(curves, COSTS)}'
    (output / 'peers.md').write_text(text)
    (output / 'peers.json').write_text(
        json.dumps({'about': note, 'peers': heads, 'figures': results.figures, 'cost': curves}, indent=1)
    )
    chart.draw(results, heads, OURS, LIMITS, curves, COSTS, note, output / 'peers.svg')
    print(text)


def say(begin: float, what: str) -> None:
    """Tell where it stands."""
    print(f'[{time.monotonic() - begin:4.0f} s] {what}', flush=True)


if __name__ == '__main__':
    main()
