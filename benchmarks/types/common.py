"""What the peers share: their data, and the loop in which they do a task when they are told to.

A peer is a process of its own. It reads the name of a task a line, and answers each with a line of JSON:
``{"seconds": …}`` or ``{"bytes": …}`` for the work of that one round, ``{"error": …}`` when it cannot do it. Before a
task is timed for the first time, it is done once and its result is checked. This file runs on Python 3.8 too.
"""

import json
import os
import sys
import time

import numpy as np

SMALL = 20_000  # Documents constructed, read and written
WIRE = 10_000  # Documents serialised
DIMENSIONS = 128
QUERIES, DATABASE, LIMIT = 100, 100_000, 10
MANY = int(os.environ.get('BENCH_DOCUMENTS', '200000'))  # Documents in memory or on disk

TEXT = 'hello world'


def vectors(count, seed):
    """Random vectors."""
    return np.random.default_rng(seed).normal(size=(count, DIMENSIONS)).astype('f4')


def nearest(queries, database):
    """Plain numpy: normalise both, multiply, select, sort."""
    queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    database = database / np.linalg.norm(database, axis=1, keepdims=True)
    distances = 1 - queries @ database.T
    chosen = np.argpartition(distances, LIMIT, axis=1)[:, :LIMIT]
    order = np.take_along_axis(distances, chosen, axis=1).argsort(axis=1)
    return np.take_along_axis(chosen, order, axis=1)


def check_nearest(found):
    """Refuse to time a search that finds something else; neighbours equal up to rounding may change places."""
    queries, database = vectors(QUERIES, 1), vectors(DATABASE, 2)
    expected = nearest(queries, database)
    assert [len(row) for row in found] == [LIMIT] * QUERIES
    pairs = zip(found, expected.tolist())  # noqa: B905
    same = sum(len(set(map(int, row)) & set(other)) for row, other in pairs)
    assert same >= 0.999 * QUERIES * LIMIT, same


def resident():
    """How many bytes of memory this process has."""
    with open('/proc/self/statm') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGE_SIZE')


def serve(tasks):
    """Do the tasks that are named on stdin. A task prepares, and returns (work, check of what the work returns)."""
    sys.stdout, answers = sys.stderr, sys.stdout  # what a library prints is no answer
    prepared = {}
    for line in sys.stdin:
        name = line.strip()
        try:
            answer = _once(tasks, name, prepared)
        except Exception as error:
            answer = {'error': f'{type(error).__name__}: {error}'}
        print(json.dumps(answer), file=answers, flush=True)


def _once(tasks, name, prepared):
    if name not in tasks:
        return {'error': 'not available'}
    if name == 'memory':
        before = resident()
        kept = tasks[name]()
        return {'bytes': (resident() - before) / len(kept)}
    if name not in prepared:
        work, check = tasks[name]()
        check(work())
        prepared[name] = work
    start = time.perf_counter()
    result = prepared[name]()
    seconds = time.perf_counter() - start
    del result  # to give it back is not the work
    return {'seconds': seconds}


def all_equal(count, value):
    """A check that a result is ``count`` times ``value``."""

    def check(result):
        assert list(result) == [value] * count, result[:3]

    return check


def wire_check(result):
    """A check of (texts, embeddings) that were serialised and parsed."""
    texts, embeddings = result
    assert list(texts) == [f'text {number}' for number in range(WIRE)]
    embeddings_check(embeddings)


def embeddings_check(result):
    """A check of the embeddings of as many Documents."""
    assert np.array_equal(np.stack(result), vectors(WIRE, 3))
