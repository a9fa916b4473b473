"""The completion of shells. bash is asked as a person asks it, with a line and the tab key."""

import shutil
import subprocess

import pytest

from jina.cli.completion import SHELLS

ASK = """
compopt() {{ :; }}  # bash knows it only while a person types
source jina.bash
COMP_WORDS=({line} '{last}'); COMP_CWORD={position}; COMP_LINE='{line} {last}'; COMP_POINT=${{#COMP_LINE}}
complete=$(complete -p jina); complete=${{complete##*-F }}
"${{complete%% *}}" jina '{last}' "${{COMP_WORDS[COMP_CWORD-1]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def tab(place):
    """What bash offers for a line."""
    place.write('jina.bash', place.run('-m', 'jina', 'completion', 'bash'))

    def ask(line):
        *words, last = line.split(' ')
        script = ASK.format(line=' '.join(words), last=last, position=len(words))
        done = subprocess.run(
            ['bash', '-u', '-c', script], cwd=place.folder, capture_output=True, text=True, timeout=30
        )
        assert done.stderr == ''
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ('line', 'offered'),
    [
        ('jina fl', ['flow']),
        ('jina executor --poll', ['--polling']),
        ('jina executor --para', ['--parallel']),
        ('jina executor --polling A', ['ANY', 'ALL', 'ALL_ASYNC']),
        ('jina flow --no-crud', ['--no-crud-endpoints']),
        ('jina flow --protocol h', ['http']),
        ('jina ping localhost --protocol w', ['websocket']),
        ('jina completion z', ['zsh']),
        ('jina flow --uses m', ['my.yml']),
        ('jina flow m', ['my.yml']),
        ('jina executor --py-modules m', ['my.py']),
        ('jina flow --static ', ['folder']),
    ],
)
def test_bash_completes(tab, place, line, offered):
    for name in ('my.yml', 'my.py', 'folder/other.txt'):
        place.write(name, '')
    assert tab(line) == offered


@pytest.mark.parametrize('shell', SHELLS)
def test_each_shell_has_a_script_that_it_accepts(place, shell):
    script = place.run('-m', 'jina', 'completion', shell)
    assert 'on-error-strategy' in script
    assert 'THROW_EARLY' in script
    if shutil.which(shell):
        path = place.write(f'jina.{shell}', script)
        assert subprocess.run([shell, '-n', path], timeout=30).returncode == 0
