"""What the programs with a Python client share: a loop that does what it is told, and the ways to time it.

A program reads a task a line, as JSON, and answers each with a line of JSON: what it measured, or ``{"error": …}``.
This file runs on Python 3.8 too.
"""

import json
import os
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import numpy as np

TEXT = 'hello world'
POOL = 10_000  # Documents that are made before the clock runs, and sent over and over


def serve(tasks):
    """Do what stdin asks for: ``{"task": name, …}`` calls ``tasks[name](…)``, which returns a dict."""
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what a library or a child prints is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            answer = tasks[asked.pop('task')](**asked)
        except Exception as error:
            traceback.print_exc()
            answer = {'error': '{}: {}'.format(type(error).__name__, error)}  # noqa: UP032
        print(json.dumps(answer), file=answers, flush=True)


def expected(stages):
    """What becomes of the text: the first stage makes it upper case, each other one appends an exclamation mark."""
    return TEXT.upper() + '!' * (stages - 1)


def repeated(documents, count):
    """Yield so many Documents of a few that are there."""
    return islice(cycle(documents), count)


def rate(run, seconds, step):
    """Call ``run(count)`` with a count for which it takes about so long; return how many a second.

    :param step: the count is a multiple of it.
    """
    count, taken = step, 0.0
    while True:
        start = time.perf_counter()
        run(count)
        taken = time.perf_counter() - start
        if taken >= seconds / 2:
            return count / taken
        faster = min(16.0, 0.9 * seconds / max(taken, 1e-6))
        count = max(step, int(count * faster) // step * step, count + step)


def latencies(call, seconds):
    """Call again and again; return the median and the 99th percentile in seconds.

    :param call: returns a function that checks the answer, which is not timed.
    """
    call()()
    taken, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        check = call()
        taken.append(time.perf_counter() - start)
        check()
    return {'p50': float(np.percentile(taken, 50)), 'p99': float(np.percentile(taken, 99))}


class Texts:
    """Counts answers, and refuses one that is not what it must be."""

    def __init__(self, stages):
        self._expected = expected(stages)
        self.count = 0

    def __call__(self, texts):
        texts = list(texts)
        assert all(text == self._expected for text in texts), texts[:3]
        self.count += len(texts)

    def complete(self, count):
        """Refuse if answers are missing."""
        assert self.count == count, '{} of {} answered'.format(self.count, count)  # noqa: UP032


class Arrays:
    """An array of so many bytes; each answer must be the same one, plus one.

    Of each answer one number in a thousand is looked at, and the last answer as a whole: to look at every byte would
    take longer than some need to bring it.
    """

    def __init__(self, size):
        self.sent = np.random.default_rng(0).random(size // 4, dtype='float32')
        self._expected = self.sent + 1
        self._last = None
        self.count = 0

    def __call__(self, array):
        assert array.dtype == np.float32, array.dtype
        assert array.shape == self._expected.shape, array.shape
        assert np.array_equal(array[::1009], self._expected[::1009]), array
        self._last = array
        self.count += 1

    def complete(self, count):
        """Refuse if answers are missing."""
        assert self.count == count, '{} of {} answered'.format(self.count, count)  # noqa: UP032
        assert np.array_equal(self._last, self._expected), self._last


THREADS = 8


def arrays(connect):
    """The task of arrays for those whose client answers call by call: several threads keep it busy.

    :param connect: returns a function that sends an array and returns the answer; called once a thread.
    """
    local = threading.local()

    def send(array):
        if not hasattr(local, 'send'):
            local.send = connect()
        return local.send(array)

    def task(size, seconds):
        wait_for(lambda: send(np.zeros(1, 'float32')))
        with ThreadPoolExecutor(THREADS) as pool:

            def run(count):
                check = Arrays(size)
                for answer in pool.map(send, repeated([check.sent], count)):
                    check(answer)
                check.complete(count)

            return {'megabytes': rate(run, seconds, 1) * size / 1e6}

    return {'arrays': task}


def wait_for(call, seconds=90.0):
    """Call until it raises nothing any more."""
    end = time.monotonic() + seconds
    while True:
        try:
            return call()
        except Exception:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
