"""Ctrl-C at any moment ends a program soon, and nothing of it is left."""

import random
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from programs import Place, until, wait_line

MOMENTS, AT_ONCE = 30, 3
LONGEST = 3.0  # seconds from the first import to the interrupt: the programs go through a Flow's life in less
AGAIN = 0.15
ENDS_WITHIN = 15.0  # on a busy machine

PROGRAM = """
import asyncio
from jina import AsyncFlow, Document, Executor, Flow, requests

class Works(Executor):
    @requests
    def foo(self, docs, **kwargs):
        for doc in docs:
            doc.text += 'x'

def documents():
    for number in range(2000):
        yield Document(text=str(number))

def callback(response):
    sum(range(2000))

print('go', flush=True)
"""

BLOCKING = PROGRAM + """
while True:
    with Flow(protocol=['grpc', 'http']).add(uses=Works, runtime_backend='{backend}') as f:
        f.post('/', documents, callback, request_size=1, show_progress=True)
        f.client.post('/', documents, callback, request_size=10)
"""  # fmt: skip

ASYNC = PROGRAM + """
async def main():
    async with AsyncFlow().add(uses=Works) as f:
        async for response in f.post('/', documents, callback, request_size=1, show_progress=True):
            pass

while True:
    asyncio.run(main())
"""  # fmt: skip

PROGRAMS = [BLOCKING.replace('{backend}', 'PROCESS'), ASYNC, BLOCKING.replace('{backend}', 'THREAD')]


def interrupted(folder, number, seed):
    """Run a program, interrupt it at a moment; what is wrong with how it ended."""
    choose = random.Random(seed + number)
    moment, twice = choose.uniform(0, LONGEST), number % 3 == 0
    place = Place(folder)
    del place.env['PYTHONWARNINGS']  # an interrupt may fall between the making of a socket and its keeping
    try:
        with place.start(place.write('program.py', PROGRAMS[number // 3 % len(PROGRAMS)])) as program:
            wait_line(program.stdout, 'go')
            time.sleep(moment)  # any moment is as good as another
            seconds = time.monotonic()
            program.send_signal(signal.SIGINT)
            if twice:
                time.sleep(choose.uniform(0, AGAIN))
                program.send_signal(signal.SIGINT)
            until(lambda: program.poll() is not None)
            seconds = time.monotonic() - seconds
            program.kill()
            _, err = program.communicate()
        until(lambda: not place.left())
        wrong = [f'it took {seconds:.1f} s'] if seconds > ENDS_WITHIN else []
        wrong += [f'left: {left}' for left in place.left()]
        wrong += [] if 'KeyboardInterrupt' in err else ['no KeyboardInterrupt']
        wrong += [word for word in ('never awaited', 'never retrieved', 'still busy after 5 s') if word in err]
        told = [f'program {number}, after {moment:.3f} s{", twice" if twice else ""}', *wrong, err]
        return '\n'.join(told) if wrong else ''
    finally:
        place.clear()


@pytest.mark.timeout(240)
def test_thirty_moments(tmp_path):
    seed = random.randrange(1 << 30)
    folders = [tmp_path / str(number) for number in range(MOMENTS)]
    for folder in folders:
        folder.mkdir()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        outcomes = list(pool.map(interrupted, folders, range(MOMENTS), [seed] * MOMENTS))
    assert not any(outcomes), f'seed {seed}\n' + '\n\n'.join(filter(None, outcomes))
