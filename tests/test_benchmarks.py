"""What the benchmark beside the peers makes of its figures; no peer is needed for it."""

import math
import subprocess
import sys

import pytest

from benchmarks.peers import chart, costs, environments, processes, table
from benchmarks.peers.catalogue import OURS, PEERS
from benchmarks.peers.jobs import JOBS
from benchmarks.peers.turns import Measure, Results, Spread, advantage, spread, take_turns

RATE = Measure('rate', 'requests', 'requests/s')
LATENCY = Measure('latency', 'latency', 'ms', more=False)


class Broken(Exception):
    pass


def turns(visit, peers=('a', 'b'), rounds=3):
    results, order = Results(), []

    def visited(peer):
        order.append(peer)
        return visit(peer, order.count(peer))

    take_turns(results, peers, rounds, ['rate', 'latency'], visited, Broken)
    return results, ''.join(order)


def test_peers_take_turns():
    results, order = turns(lambda peer, number: {'rate': float(number)})
    assert order == 'ababab'
    assert results.of('rate', 'a') == results.of('rate', 'b') == [1.0, 2.0, 3.0]
    assert results.of('rate', 'c') == results.of('latency', 'a') == []


def test_one_that_fails_is_left_out_and_says_why():
    def visit(peer, number):
        if peer == 'a' and number == 2:
            raise Broken('it fell over')
        return {'rate': 1.0, 'latency': 2.0}

    results, order = turns(visit)
    assert order == 'ababb'
    assert results.of('rate', 'a') == results.of('latency', 'a') == 'it fell over'
    assert results.of('latency', 'b') == [2.0, 2.0, 2.0]


def test_one_that_cannot_is_asked_once():
    results, order = turns(lambda peer, number: {'rate': 'no chain'} if peer == 'b' else {'rate': 1.0})
    assert order == 'abaa'
    assert results.of('rate', 'b') == 'no chain'


def test_other_errors_are_not_swallowed():
    with pytest.raises(ZeroDivisionError):
        turns(lambda peer, number: {'rate': 1 / 0})


def test_spread_is_median_and_ends():
    assert spread([5.0, 1.0, 2.0]) == Spread(2.0, 1.0, 5.0)
    assert spread([4.0, 1.0]) == Spread(2.5, 1.0, 4.0)


def test_advantage_is_taken_round_by_round():
    # The machine was half as fast in the second round, for both: the ratio knows nothing of it.
    assert advantage(RATE, [100.0, 50.0], [10.0, 5.0]) == Spread(10.0, 10.0, 10.0)
    assert advantage(LATENCY, [1.0, 2.0, 1.0], [4.0, 6.0, 2.0]) == Spread(3.0, 2.0, 4.0)


def some_results():
    results = Results()
    for ours, other in ((1000.0, 100.0), (1200.0, 100.0), (900.0, 100.0)):
        results.add('rate', OURS, ours)
        results.add('rate', 'other', other)
        results.add('latency', OURS, 1 / ours)
    results.refuse('latency', 'other', 'a | b')
    return results


def test_table():
    heads = {OURS: 'ours 1.0', 'other': 'other 2.0', 'third': 'third'}
    measures = [RATE, LATENCY, Measure('unknown', 'never measured', 's')]
    assert table.markdown(some_results(), measures, heads, OURS).splitlines() == [
        '|  | ours 1.0 | other 2.0 | third |',
        '| --- | ---: | ---: | ---: |',
        '| requests (requests/s) | **1,000**<br>(900 – 1,200) | 100<br>10× (9 – 12) | – |',
        r'| latency (ms) | **1**<br>(0.833 – 1.11) | a \| b | – |',
    ]


def test_without_ours_a_cell_has_no_ratio():
    assert table.cell(some_results(), RATE, 'other', ours='absent') == '100<br>(100 – 100)'


@pytest.mark.parametrize(
    ('value', 'unit', 'shown'),
    [(12345.6, 's', '12,300'), (0.00123456, 'ms', '1.23'), (99.96, 's', '100'), (5.0, 's', '5'), (0.0, 's', '0')],
)
def test_amounts_have_three_digits(value, unit, shown):
    assert table.amount(value, unit) == shown


@pytest.mark.parametrize('power', [0.0, 0.5, 1.0, -1.0])
def test_slope_is_the_power(power):
    assert math.isclose(costs.slope([(x, 7 * x**power) for x in (1, 10, 100, 1000)]), power, abs_tol=1e-9)


def test_upper_slope_forgets_what_is_paid_once():
    points = [(x, 1000 + x) for x in (1, 10, 1e5, 1e6, 1e7)]
    assert costs.slope(points) < 0.8
    assert 0.99 < costs.upper_slope(points) < 1


def test_cost_lines():
    curves = {'size': [(1, 2.0), (10, 20.0)], 'other': 'it fell over'}
    lines = table.cost_lines(curves, {'size': ('bytes', 's'), 'other': ('replicas', '1/s')}).splitlines()
    assert lines[2:] == ['| bytes | s | 1: 2, 10: 20 | 1.00 | 1.00 |', '| replicas | 1/s | it fell over | – | – |']


def test_chart_is_an_svg_with_what_is_known(tmp_path):
    results = Results()
    results.add('http/1/32/rate', OURS, 10.0)
    results.refuse('http/1/32/rate', 'other', 'no chain')
    path = tmp_path / 'chart.svg'
    curves = {'size': [(1, 2.0), (10, 20.0)], 'replicas': 'it fell over'}
    heads = {OURS: 'ours 1.0', 'other': 'other 2.0'}
    chart.draw(results, heads, OURS, (), curves, {'size': ('bytes', 's')}, 'a note', path)
    drawn = path.read_text()
    assert '<svg' in drawn
    for text in ('ours 1.0', 'HTTP JSON, one stage, 32 clients', 'slope 1.00', 'a note'):
        assert text in drawn
    assert 'other 2.0' not in drawn


def test_every_peer_can_do_a_job_or_says_why_not():
    assert OURS in PEERS
    for peer in PEERS.values():
        assert 1 in peer.upper, peer.name
        assert (peer.directory / 'client.py').is_file() == peer.client, peer.name
        assert peer.environment in environments.ENVIRONMENTS or peer.name == OURS
        for able, reason in (
            (3 in peer.upper, 'http/3'),
            (1 in peer.encode, 'model'),
            (32 in peer.encode, 'batched'),
            (peer.client, 'client'),
            (peer.client or peer.arrays is not None, 'arrays'),
        ):
            assert able != (reason in peer.cannot), (peer.name, reason)


def test_measures_have_keys_of_their_own():
    keys = [measure.key for job in JOBS for measure in job.measures]
    assert len(keys) == len(set(keys))


def test_an_interpreter_that_is_not_there_is_missing():
    with pytest.raises(environments.Missing, match=r'no python9\.99 or /no/python here'):
        environments.find_python(('python9.99', '/no/python'))


def test_what_detaches_itself_is_ended_too(tmp_path):
    """In a process of its own: to adopt orphans is nothing for the one that runs all tests."""
    detached = 'import os, time; os.setsid(); time.sleep(600)'
    parent = f'import subprocess, sys, time; subprocess.Popen([sys.executable, "-c", {detached!r}]); time.sleep(0.1)'
    script = f"""
import sys, time
from pathlib import Path
from benchmarks.peers import processes
processes.adopt_orphans()
folder = Path({str(tmp_path)!r})
with processes.running([sys.executable, '-c', {parent!r}], {{}}, folder, folder / 'log') as process:
    process.wait()
    assert processes.descendants()
    assert processes.memory() > 0
assert not processes.descendants()
"""
    subprocess.run([sys.executable, '-c', script], check=True, timeout=50)
    assert '$ ' in (tmp_path / 'log').read_text()
    assert not processes.descendants()
