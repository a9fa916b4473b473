import io
import logging
import re
import sys

import pytest

from jina.logging.logger import SUCCESS, JinaLogger, configure
from jina.logging.predefined import default_logger
from jina.logging.profile import TimeContext


@pytest.fixture(autouse=True)
def stderr(monkeypatch, capsys):
    """A function that returns what was written since it was last called."""
    monkeypatch.delenv('JINA_LOG_LEVEL', raising=False)
    root = logging.getLogger('jina')
    before = root.level, root.handlers[:], root.propagate
    yield lambda: capsys.readouterr().err
    root.level, root.handlers[:], root.propagate = before
    root.manager._clear_cache()


def test_a_line_tells_who_in_which_process_how_serious_and_what(stderr):
    log = JinaLogger('someone')
    log.info('hello %s', 'world')
    log.success('done')
    log.warning('careful')
    assert re.fullmatch(r'   someone@\d+\[I\]: hello world\n.*\[S\]: done\n.*\[W\]: careful\n', stderr())


def test_debug_is_shown_if_the_environment_asks_for_it(stderr, monkeypatch):
    JinaLogger('x').debug('unseen')
    monkeypatch.setenv('JINA_LOG_LEVEL', 'debug')
    JinaLogger('x').debug('seen')
    assert [line.rpartition(' ')[2] for line in stderr().splitlines()] == ['seen']


def test_quiet_shows_errors_only(stderr):
    log = JinaLogger('x', quiet=True)
    log.warning('unseen')
    log.error('seen')
    assert re.fullmatch(r'.*\[E\]: seen\n', stderr())


def test_quiet_stays_quiet_whoever_else_asks_for_a_logger(stderr):
    quiet = JinaLogger('quiet', quiet=True)
    JinaLogger('other')
    quiet.info('unseen')
    assert stderr() == ''


def test_an_exception_comes_with_its_traceback(stderr):
    try:
        raise ValueError('no')
    except ValueError:
        configure('x').exception('it failed')
    assert re.search(r'\[E\]: it failed\nTraceback .*ValueError: no\n', stderr(), re.DOTALL)


def test_configuring_twice_says_things_once(stderr):
    configure('a')
    configure('a').log(SUCCESS, 'once')
    assert stderr().count('once') == 1


def test_stderr_may_be_exchanged_at_any_time(stderr, monkeypatch):
    log = JinaLogger('x')
    monkeypatch.setattr(sys, 'stderr', io.StringIO())
    log.info('there')
    assert 'there' in sys.stderr.getvalue()


def test_time_is_measured_and_printed(capsys):
    with TimeContext('thinking') as timer:
        assert timer.now() >= 0
    assert timer.duration > 0
    assert re.fullmatch(r'thinking takes \d+\.\d\d seconds\n', capsys.readouterr().out)


def test_time_is_logged_where_there_is_a_logger(stderr):
    with TimeContext('thinking', JinaLogger('x')):
        pass
    assert re.search(r'x@.*\[I\]: thinking takes', stderr())


def test_there_is_a_logger_for_everybody(stderr):
    configure()
    default_logger.info('hello')
    assert 'JINA@' in stderr()
