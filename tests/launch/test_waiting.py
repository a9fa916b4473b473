"""Who is slow to start is named, once."""

import time

import pytest

from jina.control import ControlLine, Progress, Ready
from jina.excepts import StartTimeout
from jina.launch import waiting


class Starting:
    """Something that starts, of which the test says what it does."""

    where, ready, doing = 'thread', None, 'starting'

    def __init__(self, name):
        self.name = name
        self.line, theirs = ControlLine.pair()
        self.theirs = ControlLine(theirs)

    def close(self):
        self.line.hang_up()
        self.theirs.hang_up()


@pytest.fixture
def slow(monkeypatch):
    monkeypatch.setattr(waiting, 'SLOW_SECONDS', 0.02)
    handles = [Starting('encoder'), Starting('indexer')]
    yield handles
    for handle in handles:
        handle.close()


@pytest.fixture
def warnings(monkeypatch):
    """What was warned of."""
    told = []
    monkeypatch.setattr(waiting._log, 'warning', lambda text, *given: told.append(text % given))
    return told


def wait(handles, seconds):
    waiting.wait_ready(handles, {h.name: time.monotonic() + seconds for h in handles})


def test_the_slow_ones_are_named_once(slow, warnings):
    slow[1].theirs.send(Ready())
    with pytest.raises(StartTimeout, match='encoder'):
        wait(slow, 0.3)
    assert warnings == ["still waiting: 'encoder' (thread) is starting"]


def test_and_again_when_they_do_something_else(slow, warnings, monkeypatch):
    encoder, indexer = slow

    def warned(text, *given):
        warnings.append(text % given)
        if len(warnings) == 1:
            encoder.theirs.send(Progress('running Encoder.__init__()'))
        elif len(warnings) == 2:
            indexer.theirs.send(Ready())
        else:
            encoder.theirs.send(Ready())

    monkeypatch.setattr(waiting._log, 'warning', warned)
    wait(slow, 5)
    assert warnings == [
        "still waiting: 'encoder' (thread) is starting; 'indexer' (thread) is starting",
        "still waiting: 'encoder' (thread) is running Encoder.__init__(); 'indexer' (thread) is starting",
        "still waiting: 'encoder' (thread) is running Encoder.__init__()",
    ]


def test_who_is_quick_is_not_named(slow, warnings, monkeypatch):
    monkeypatch.setattr(waiting, 'SLOW_SECONDS', 5)
    for handle in slow:
        handle.theirs.send(Ready())
    wait(slow, 5)
    assert warnings == []
