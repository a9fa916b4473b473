import io
import logging
import re
import sys

import pytest

from jina.logging.logger import SUCCESS, JinaLogger, _State, configure
from jina.logging.predefined import default_logger
from jina.logging.profile import TimeContext


@pytest.fixture(autouse=True)
def stderr(monkeypatch, capsys):
    """A function that returns what was written since it was last called."""
    monkeypatch.delenv('JINA_LOG_LEVEL', raising=False)
    monkeypatch.setattr(_State, 'given', False)
    monkeypatch.setattr(_State, 'quiet', False)
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
    assert re.fullmatch(r' *someone@\d+\[I\]: hello world\n.*\[S\]: done\n.*\[W\]: careful\n', stderr())


def test_messages_begin_in_one_column(stderr):
    for name in ('a', 'encoder', 'Flow'):
        JinaLogger(name).info('hello')
    assert len({line.index('hello') for line in stderr().splitlines()}) == 1


def test_further_lines_of_a_message_are_indented_and_nothing_is_cut(stderr):
    JinaLogger('x').info('one\n  two\n\n%s', 'y' * 1000)
    first, *others = stderr().splitlines()
    assert first.endswith(': one')
    assert others == ['      two', '', '    ' + 'y' * 1000]


@pytest.fixture
def terminal(monkeypatch):
    """A function that makes stderr a terminal, and gives what is written there then."""

    def exchange(**environment):
        stream = io.StringIO()
        stream.isatty = lambda: True
        monkeypatch.setattr(sys, 'stderr', stream)
        for name, value in {'NO_COLOR': '', 'TERM': 'xterm', **environment}.items():
            monkeypatch.setenv(name, value)
        return stream

    return exchange


def test_in_a_terminal_every_name_has_a_colour_of_its_own_and_keeps_it(terminal):
    written = terminal()
    for name in ('encoder', 'indexer', 'encoder'):
        JinaLogger(name).info('hello')
    a, b, again = re.findall(r'\033\[38;5;(\d+)m', written.getvalue())
    assert a == again != b
    assert re.fullmatch(r' +\033\[38;5;\d+mencoder\033\[0m@\d+\[I\]: hello', written.getvalue().splitlines()[0])


def test_in_a_terminal_levels_that_matter_have_a_colour(terminal):
    written = terminal()
    JinaLogger('x').error('no')
    assert '\033[31m[E]\033[0m: no' in written.getvalue()


@pytest.mark.parametrize('environment', [{'NO_COLOR': '1'}, {'TERM': 'dumb'}])
def test_colours_can_be_turned_off(terminal, environment):
    written = terminal(**environment)
    JinaLogger('x').error('no')
    assert '\033' not in written.getvalue()


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


def test_a_quiet_process_stays_quiet_whoever_asks_for_a_logger(stderr):
    configure(quiet=True)
    JinaLogger('other').info('unseen')
    assert stderr() == ''


@pytest.fixture
def config(tmp_path):
    """What dictConfig takes: a plain file."""
    handler = {'class': 'logging.FileHandler', 'filename': tmp_path / 'log', 'formatter': 'bare'}
    return {
        'formatters': {'bare': {'format': '%(name)s %(levelname)s %(message)s'}},
        'handlers': {'file': handler},
        'loggers': {'jina': {'handlers': ['file'], 'level': 'INFO', 'propagate': False}},
    }


@pytest.fixture
def written(tmp_path):
    yield lambda: (tmp_path / 'log').read_text()
    for handler in logging.getLogger('jina').handlers:
        handler.close()


def test_the_program_may_configure_logging_itself(stderr, config, written):
    before = logging.getLogger('jina.client')
    configure()
    configure(config=config)
    before.warning('an old one')
    JinaLogger('new').success('good')
    JinaLogger('new').debug('unseen')
    assert written() == 'jina.client WARNING an old one\njina.new SUCCESS good\n'
    assert stderr() == ''


def test_quiet_counts_in_a_configuration_too(stderr, config, written):
    log = configure('x', quiet=True, config=config)
    log.warning('unseen')
    log.error('seen')
    assert written() == 'jina.x ERROR seen\n'


@pytest.mark.parametrize(
    ('wrong', 'told'),
    [
        ({'version': 2}, 'Unsupported version'),
        ({'handlers': {'h': {'class': 'no.such.Handler'}}}, "Unable to configure handler 'h'"),
        ({'handlers': 3}, 'int'),
    ],
)
def test_a_configuration_that_is_none_is_refused(wrong, told):
    with pytest.raises(ValueError, match=f'log_config is not what logging.config.dictConfig takes: .*{told}'):
        configure(config=wrong)


def test_an_exception_comes_with_its_traceback(stderr):
    try:
        raise ValueError('no')
    except ValueError:
        configure('x').exception('it failed')
    assert re.search(r'\[E\]: it failed\n    Traceback .*\n    ValueError: no\n', stderr(), re.DOTALL)


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


def test_a_logger_as_programs_for_2_0_use_it(stderr, monkeypatch):
    with JinaLogger('class', name='shown') as log:
        assert log.name == 'shown'
        assert not log.debug_enabled
        assert log.handlers == []
        log.critical('hello')
    assert 'shown@' in stderr()
    assert log.logger is logging.getLogger('jina.shown')


def test_close_closes_its_own_handlers(stderr, tmp_path):
    log = JinaLogger('x')
    log.logger.addHandler(logging.FileHandler(tmp_path / 'own'))
    log.info('both')
    log.close()
    log.info('one')
    assert (tmp_path / 'own').read_text() == 'both\n'
    assert stderr().count('x@') == 2
