"""The line that changes, in real terminals, as an emulator shows them."""

import os
import pty
import signal
import subprocess
import sys
from textwrap import dedent

import pyte
import pytest

ROWS, COLUMNS = 24, 90


class Terminal:
    """A program in a terminal, and what is to be seen there.

    :param environment: variables besides those of this process.
    """

    def __init__(self, program, **environment):
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.raw = b''
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        size = {'COLUMNS': str(COLUMNS), 'LINES': str(ROWS), 'TERM': 'xterm-256color', 'PYTHONIOENCODING': 'utf-8'}
        env = {**os.environ, **size, **environment}
        pipes = {'stdin': slave, 'stdout': slave, 'stderr': slave}
        command = [sys.executable, '-c', dedent(program)]
        self.process = subprocess.Popen(command, env=env, start_new_session=True, **pipes)
        os.close(slave)

    def read(self):
        """Look at what came since; false at the end."""
        try:
            data = os.read(self._master, 65536)
        except OSError:  # nobody has the other end any more
            data = b''
        self._stream.feed(data)
        self.raw += data
        return data

    def until(self, text):
        while text not in str(self):
            assert self.read(), f'{text!r} was never there:\n{self}'

    def end(self):
        while self.read():
            pass
        self.process.wait(30)
        return str(self)

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def __str__(self):
        return '\n'.join(line.rstrip() for line in self.screen.display).rstrip()


@pytest.fixture
def terminal():
    opened = []

    def start(program, **environment):
        opened.append(Terminal(program, **environment))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


WORK = """
    import sys
    from jina.clients.progress import Progress
    with Progress(True, 10) as progress:
        progress.sent(10)
        progress.advance(5)
        input()
"""
PRINTS = """
        print('printed', 'x' * 100)
        print('an error', file=sys.stderr)
        input()
        progress.advance(5)
"""


def test_a_bar_in_one_line_is_gone_at_the_end(terminal):
    shown = terminal(WORK + PRINTS)
    shown.until('5 of 10 documents, 10 sent')
    assert shown.screen.cursor.hidden
    assert str(shown).count('\n') == 0
    os.write(shown._master, b'\n')
    shown.until('an error')
    shown.until('5 of 10')  # drawn again below
    os.write(shown._master, b'\n')
    lines = shown.end().splitlines()
    assert [line for line in lines if 'x' in line] == ['printed ' + 'x' * 82, 'x' * 18]  # as it was printed
    assert lines[-1].startswith('✅')
    assert '10 documents in' in lines[-1]
    assert not shown.screen.cursor.hidden


def test_an_interrupt_leaves_the_terminal_clean(terminal):
    shown = terminal(WORK)
    shown.until('5 of 10')
    os.killpg(shown.process.pid, signal.SIGINT)
    text = shown.end()
    assert '❌' in text
    assert '5 of 10 documents in' in text
    assert text.endswith('KeyboardInterrupt')
    assert not shown.screen.cursor.hidden


def test_an_unknown_total_has_a_bar_that_moves(terminal):
    shown = terminal(WORK.replace('10) as', 'None) as'))
    shown.until('5 documents, 10 sent')
    assert '━' in str(shown)


def test_a_second_one_does_not_disturb_the_first(terminal):
    shown = terminal("""
        from jina.clients.progress import Progress
        with Progress(True, 10) as outer:
            outer.sent(4)
            outer.advance(4)
            with Progress(True, 20) as inner:
                inner.sent(20)
                inner.advance(20)
            input()
        """)
    shown.until('4 of 10')
    shown.until('✅ 20 documents in')
    os.write(shown._master, b'\n')
    assert '✅ 4 documents in' in shown.end()


@pytest.mark.parametrize('environment', [{'TERM': 'dumb'}, {'TERM': ''}])
def test_a_dumb_terminal_has_lines(terminal, environment):
    shown = terminal(WORK.replace('input()', ''), **environment)
    assert '5 documents in' in shown.end()
    assert b'\033' not in shown.raw


def test_no_colour_where_none_is_wanted(terminal):
    shown = terminal(WORK, NO_COLOR='1')
    shown.until('5 of 10')
    os.write(shown._master, b'\n')
    shown.end()
    assert b'\033[38' not in shown.raw
    assert b'\033[3' not in shown.raw.replace(b'\033[?', b'')


def test_ascii_where_nothing_else_can_be_shown(terminal):
    shown = terminal(WORK, PYTHONIOENCODING='ascii')
    shown.until('5 of 10')
    os.write(shown._master, b'\n')
    assert 'done: 5 documents' in shown.end()
    assert all(byte < 128 for byte in shown.raw)


def test_what_goes_to_a_file_goes_on_to_go_there(terminal, tmp_path):
    printed = tmp_path / 'out'
    program = WORK.replace('input()', "input(); print('to the file')")
    shown = terminal(f'import sys\nsys.stdout = open({str(printed)!r}, "w")\n' + dedent(program))
    shown.until('5 of 10')
    os.write(shown._master, b'\n')
    assert 'to the file' not in shown.end()
    assert printed.read_text() == 'to the file\n'
