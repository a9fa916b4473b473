import threading

import pytest

from jina.control import Connect, Connected, ControlLine, Failed, GiveUp, Open, Progress, Ready, Start, Stop
from jina.excepts import ExecutorFailToLoad, RemoteError


@pytest.fixture
def line():
    """(ours, theirs)"""
    ours, sock = ControlLine.pair()
    theirs = ControlLine(sock)
    yield ours, theirs
    ours.hang_up()
    theirs.hang_up()


def raised(error):
    try:
        raise error
    except type(error) as caught:
        return caught


def test_messages_arrive_as_they_were_sent_in_order(line):
    ours, theirs = line
    messages = [
        Start({'name': 'a', 'nested': [1, {'b': None}]}, pickled=b'\x00\xff', path=['/x'], run_dir='/r'),
        Connect({'a': {0: 'unix:/a', 1: 'unix:/b'}}),
        Connected('a', 1),
        GiveUp('a', 0, 'it died'),
        Open([{'protocol': 'http'}]),
        Progress('importing'),
        Ready('unix:/x', [1, 2]),
        Failed(b'', 'ValueError', 'no', 'stack'),
        Stop(),
    ]
    for message in messages:
        assert ours.send(message)
    assert [theirs.receive() for _ in messages] == messages


def test_a_message_of_many_megabytes_arrives(line):
    ours, theirs = line
    start = Start({}, pickled=bytes(8 << 20))
    sender = threading.Thread(target=ours.send, args=(start,))
    sender.start()
    assert theirs.receive() == start
    sender.join()


def test_the_end_of_the_line_is_news_at_both_ends(line):
    ours, theirs = line
    theirs.send(Progress('dying'))
    theirs.hang_up()
    assert ours.receive() == Progress('dying')
    assert ours.receive() is None
    assert not ours.send(Stop())
    assert theirs.fileno() == -1


def test_half_a_message_is_the_end_of_the_line(line):
    ours, theirs = line
    ours.socket.sendall(b'\xff\x00\x00\x00abc')
    ours.hang_up()
    assert theirs.receive() is None


def test_hanging_up_wakes_a_thread_that_waits(line):
    ours, _ = line
    got = []
    waiting = threading.Thread(target=lambda: got.append(ours.receive()))
    waiting.start()
    ours.hang_up()
    waiting.join(20)
    assert got == [None]


def test_a_failure_arrives_as_the_error_itself_with_the_traceback_as_cause():
    error = Failed.of(raised(ExecutorFailToLoad('there is no X'))).error()
    assert type(error) is ExecutorFailToLoad
    assert str(error) == 'there is no X'
    assert isinstance(error.__cause__, RemoteError)
    assert 'in raised' in error.__cause__.stack


class Unpicklable(Exception):
    def __init__(self, text):
        super().__init__(text)
        self.lock = threading.Lock()


class TwoArguments(Exception):
    """Cannot be made again from its ``args``."""

    def __init__(self, first, second):
        super().__init__(f'{first} {second}')


class NotEvenText(Exception):
    def __str__(self):
        raise ValueError('no text')


@pytest.mark.parametrize('error', [Unpicklable('some text'), TwoArguments('some', 'text')])
def test_a_failure_that_cannot_travel_arrives_as_what_is_known_of_it(error):
    told = Failed.of(raised(error)).error()
    assert isinstance(told, RemoteError)
    assert (told.name, told.message) == (type(error).__name__, 'some text')
    assert 'in raised' in str(told)


def test_a_failure_without_text_arrives():
    assert Failed.of(raised(NotEvenText())).name == 'NotEvenText'


def test_a_failure_whose_text_is_not_utf8_arrives(line):
    ours, theirs = line
    ours.send(Failed.of(raised(ValueError('the file \udcff'))))
    assert theirs.receive().name == 'ValueError'
