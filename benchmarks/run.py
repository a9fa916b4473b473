"""The first benchmark: one Executor in a process of its own, which upper-cases texts.

``make bench`` prints a table: the median of the rounds, and their spread. Machines differ and are shared, so compare
figures of one run only. Every answer of a sample is checked before anything is timed.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from jina import Client, Document, Executor, Flow, requests

ROUNDS = 5
HTTP_BODY = json.dumps({'data': [{'text': 'hello world'}]})


class Upper(Executor):
    """The work: little enough that what is measured is the way there and back."""

    @requests
    def upper(self, docs, **kwargs):
        for doc in docs:
            doc.text = doc.text.upper()


def documents(count: int) -> list[Document]:
    """The input."""
    return [Document(text='hello world') for _ in range(count)]


def check(post: Callable) -> None:
    """Refuse to time what does not work."""
    answers = post('/', documents(10), request_size=3, return_results=True)
    texts = [doc.text for answer in answers for doc in answer.docs]
    assert texts == ['HELLO WORLD'] * 10, texts


def stream(post: Callable, count: int, request_size: int) -> float:
    """Requests a second of one call of ``post``."""
    docs = documents(count)
    answered = []
    start = time.perf_counter()
    post('/', docs, request_size=request_size, on_done=answered.append)
    seconds = time.perf_counter() - start
    assert len(answered) == count // request_size
    return count / request_size / seconds


def one_by_one(post: Callable, count: int) -> float:
    """Requests a second of one call after another."""
    doc = Document(text='hello world')
    start = time.perf_counter()
    for _ in range(count):
        post('/', doc)
    return count / (time.perf_counter() - start)


def http(port: int, connections: int, count: int) -> float:
    """Requests a second over HTTP, from a process of its own."""
    load = [sys.executable, str(Path(__file__).with_name('http_load.py'))]
    arguments = [str(port), '/search', HTTP_BODY, str(connections), str(count)]
    done = subprocess.run(load + arguments, check=True, capture_output=True, text=True)
    return float(done.stdout)


def start_up(executors: int) -> float:
    """Seconds from ``with Flow()`` to ready."""
    flow = Flow(quiet=True)
    for _ in range(executors):
        flow.add(uses=Upper)
    start = time.perf_counter()
    with flow:
        return time.perf_counter() - start


def measure(table: Table, what: str, docs_a_request: int, once: Callable[[], float]) -> None:
    """Run it several times and add a row."""
    once()
    rates = sorted(once() for _ in range(ROUNDS))
    middle = statistics.median(rates)
    table.add_row(
        what,
        str(docs_a_request),
        f'{middle:,.0f}',
        f'{rates[0]:,.0f} – {rates[-1]:,.0f}',
        f'{middle * docs_a_request:,.0f}',
        f'{1e6 / middle:,.0f}' if 'one by one' in what else '',
    )


def main() -> None:
    """Measure and print."""
    table = Table(title=f'one Executor, {ROUNDS} rounds')
    for column in ('way', 'docs a request', 'requests/s', 'spread', 'documents/s', 'µs a request'):
        table.add_column(column, justify='left' if column == 'way' else 'right')
    with Flow(protocol=['grpc', 'http'], quiet=True).add(uses=Upper) as flow:
        grpc_port, http_port = flow.ports
        with Client(port_expose=grpc_port) as client:
            check(flow.post)
            check(client.post)
            measure(table, 'f.post', 1, lambda: stream(flow.post, 50_000, 1))
            measure(table, 'f.post', 100, lambda: stream(flow.post, 500_000, 100))
            measure(table, 'f.post, one by one', 1, lambda: one_by_one(flow.post, 2_000))
            measure(table, 'Client, gRPC', 1, lambda: stream(client.post, 5_000, 1))
            measure(table, 'Client, gRPC', 100, lambda: stream(client.post, 100_000, 100))
        measure(table, 'HTTP, 32 clients', 1, lambda: http(http_port, 32, 20_000))
        measure(table, 'HTTP, 1 client', 1, lambda: http(http_port, 1, 3_000))
    console = Console(width=100)
    console.print(table)
    ready = Table(title='from `with Flow()` to ready')
    for column in ('Executors', 'seconds', 'spread'):
        ready.add_column(column, justify='right')
    for executors in (1, 3):
        seconds = sorted(start_up(executors) for _ in range(ROUNDS))
        ready.add_row(str(executors), f'{statistics.median(seconds):.2f}', f'{seconds[0]:.2f} – {seconds[-1]:.2f}')
    console.print(ready)


main()
