import io
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jina.clients.progress import WINDOW_SECONDS, Progress, duration


class Clock:
    """Time that goes on when it is told to."""

    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def under_way(total, clock):
    """A call that was begun but shows nothing by itself."""
    progress = Progress(False, total, clock)
    progress._samples.append((clock.now, 0))
    progress._start = clock.now
    return progress


def test_what_was_sent_and_received_how_fast_and_how_long_it_will_take(clock):
    progress = under_way(10_000, clock)
    progress.sent(2_000)
    progress.advance(1_000)
    clock.now += 4
    assert progress.line() == ('1,000 of 10,000 documents, 2,000 sent, 250 documents/s, 36 s left', 0.1)


def test_without_a_total_there_is_no_time_left(clock):
    progress = under_way(None, clock)
    progress.sent(30)
    progress.advance(10)
    clock.now += 2
    assert progress.line() == ('10 documents, 30 sent, 5.0 documents/s', None)


def test_nothing_is_said_of_what_is_not_known_yet_or_no_longer_to_be_done(clock):
    progress = under_way(10, clock)
    assert progress.line().text == '0 of 10 documents'
    progress.sent(10)
    progress.advance(10)
    clock.now += 1
    assert progress.line().text == '10 of 10 documents, 10 documents/s'


def test_the_speed_is_that_of_late(clock):
    progress = under_way(100_000, clock)
    progress.advance(1_000)
    for _ in range(3):
        clock.now += WINDOW_SECONDS
        progress.line()
    progress.advance(20)
    clock.now += 1
    assert '1.8 documents/s' in progress.line().text


def test_more_than_the_total_is_not_more_than_all(clock):
    progress = under_way(1, clock)
    progress.advance(5)
    assert progress.line().done == 1.0


def test_the_sum_at_the_end(clock):
    progress = under_way(100, clock)
    progress.sent(100)
    progress.advance(99)
    progress.advance(1)
    clock.now += 0.31
    assert progress.sum(finished=True) == '100 documents in 0.31 s, 323 documents/s'


def test_the_sum_of_what_was_stopped(clock):
    progress = under_way(100, clock)
    progress.sent(100)
    progress.advance(40)
    clock.now += 80
    assert progress.sum(finished=False) == '40 of 100 documents in 1 min 20 s, 0.5 documents/s'


def test_requests_without_documents_are_counted_as_requests(clock):
    progress = under_way(0, clock)
    progress.sent(0)
    progress.advance(0)
    clock.now += 2
    assert progress.sum(finished=True) == '1 request in 2.0 s'


@pytest.mark.parametrize(
    ('seconds', 'shown'),
    [
        (0.0, '0 ms'),
        (0.0014, '1 ms'),
        (0.099, '99 ms'),
        (0.31, '0.31 s'),
        (0.96, '1.0 s'),
        (9.94, '9.9 s'),
        (9.96, '10 s'),
        (59.6, '1 min 00 s'),
        (200, '3 min 20 s'),
        (7620, '2 h 07 min'),
    ],
)
def test_durations(seconds, shown):
    assert duration(seconds) == shown


@given(st.floats(min_value=0, max_value=1e6))
def test_a_duration_says_no_more_than_needed(seconds):
    assert len(duration(seconds)) <= len('277 h 46 min')


def test_what_is_not_wanted_costs_no_thread_and_shows_nothing(capsys):
    before = threading.active_count()
    with Progress(False, 3) as progress:
        assert threading.active_count() == before
        progress.sent(3)
        progress.advance(3)
    assert capsys.readouterr().err == ''


@pytest.fixture
def log(monkeypatch):
    """A function that exchanges stderr, and what is written there then."""

    def exchange():
        stream = io.StringIO()  # it has no encoding, so it gets ASCII
        monkeypatch.setattr(sys, 'stderr', stream)
        return stream

    return exchange


def test_a_log_has_a_plain_line_at_the_end(log):
    written = log()
    with Progress(True, 3) as progress:
        progress.sent(3)
        progress.advance(3)
    [line] = written.getvalue().splitlines()
    assert line.startswith('done: 3 documents in ')


def test_a_log_has_a_line_now_and_then(log, monkeypatch):
    written = log()
    shown = threading.Event()
    monkeypatch.setattr('jina.looks.live.Lines.seconds', 0.01)
    monkeypatch.setattr(written, 'flush', shown.set)
    with Progress(True, 3) as progress:
        progress.sent(1)
        assert shown.wait(20)
    first, *_, last = written.getvalue().splitlines()
    assert first == '0 of 3 documents, 1 sent'
    assert last.startswith('done: 0 documents in')


def test_an_error_goes_on_its_way_and_is_told_of(log):
    written = log()
    with pytest.raises(ZeroDivisionError):
        divide_on_the_way()
    assert written.getvalue().startswith('stopped: 0 of 3 documents in')


def divide_on_the_way():
    with Progress(True, 3) as progress:
        progress.sent(1)
        progress.advance(1 // 0)


def test_a_log_that_is_closed_does_not_end_the_call(log):
    written = log()
    with Progress(True, 3) as progress:
        written.close()
        progress.advance(3)


def test_a_program_without_stderr(monkeypatch):
    monkeypatch.setattr(sys, 'stderr', None)
    with Progress(True, 3) as progress:
        progress.advance(3)
