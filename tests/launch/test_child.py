"""The end of a child."""

import subprocess
import sys

AT_THE_END = 'import atexit; from jina.launch.child import _exit_within; atexit.register(_exit_within, 60)'


def test_one_whose_line_is_closed_while_python_ends_ends_quietly():
    done = subprocess.run([sys.executable, '-c', AT_THE_END], capture_output=True, text=True, timeout=50)
    assert (done.returncode, done.stderr) == (0, '')
