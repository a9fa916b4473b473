import os
from threading import Thread

import pytest

from jina.types.document.identity import random_identity


def test_form():
    assert len(random_identity()) == 32
    int(random_identity(), 16)


def test_unique_across_threads():
    found: list[str] = []
    threads = [Thread(target=lambda: found.extend(random_identity() for _ in range(1000))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 4000


@pytest.mark.skipif(not hasattr(os, 'fork'), reason='no fork on this system')
def test_unique_across_forks():
    reader, writer = os.pipe()
    random_identity()
    child = os.fork()
    if not child:
        os.write(writer, random_identity().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reader, 32)[:16] != random_identity().encode()[:16]
    os.close(reader)
    os.close(writer)
