"""Every code block of the README and the docs runs, and prints what the page says it prints.

========================  ====================================================================================
```python                 a program: runs in a folder of its own, in a fresh process, with warnings as errors
```text                   what the program before it prints
```console                each line that begins with ``$`` runs; what follows is what it prints. A line that ends
                          with ``&`` is a server: it is up when it has printed what is shown, and is interrupted
                          at the end of the block. ``$ make …`` is only looked up, not made; ``.venv/bin`` is
                          wherever the tests run
```python shout.py        a file, for the console blocks that follow it on the page
```yaml flow.yml          likewise; YAML is also read, as a Flow or an Executor if it is one
``` alone                 a drawing
========================  ====================================================================================

In what is printed, ``…`` stands for any text within a line, and a line of nothing else for any lines. The ports 12345
and 12346 stand for free ones.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from ports import free_port

from jina.config import read_flow, read_uses

REPO = Path(__file__).parents[1]
PAGES = [REPO / 'README.md', REPO / 'CONTRIBUTING.md', *sorted((REPO / 'docs').rglob('*.md'))]
DEADLINE = 50
PORTS = ('12345', '12346')
KINDS = {'python', 'text', 'console', 'yaml', ''}

FENCE = re.compile(r'^```(?P<kind>\w*) ?(?P<file>\S*)\n(?P<text>.*?)^```$', re.MULTILINE | re.DOTALL)
LINK = re.compile(r'\[[^]]+\]\((?P<to>[^)#:]+)(#[^)]*)?\)')


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    line: int
    kind: str
    file: str
    text: str

    def __str__(self) -> str:
        return f'{self.page.relative_to(REPO)}:{self.line}-{self.file or self.kind}'


def blocks(page: Path) -> list[Block]:
    content = page.read_text('utf-8')
    return [
        Block(page, content[: found.start()].count('\n') + 1, found['kind'], found['file'], found['text'])
        for found in FENCE.finditer(content)
    ]


BLOCKS = [block for page in PAGES for block in blocks(page)]


def of_kind(kind: str, named: bool | None = None) -> list[Block]:
    return [b for b in BLOCKS if b.kind == kind and named in (None, bool(b.file))]


def after(block: Block) -> Block | None:
    """The next block of the page."""
    page = blocks(block.page)
    following = page[page.index(block) + 1 :]
    return following[0] if following else None


def pattern(shown: str) -> re.Pattern[str]:
    """What is printed, as the page shows it, as a regular expression."""
    lines = (r'(?:.*\n)*?' if line.strip() == '…' else _line(line) for line in shown.splitlines())
    return re.compile(''.join(lines))


def _line(line: str) -> str:
    return '.*'.join(map(re.escape, line.rstrip().split('…'))) + r' *\n'


def agrees(shown: str, printed: str) -> bool:
    whole = printed + '\n' if printed and not printed.endswith('\n') else printed
    return pattern(shown).fullmatch(whole) is not None


# Blocks


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_a_page_has_only_blocks_that_are_checked(page):
    found = blocks(page)
    assert page.read_text('utf-8').count('```') == 2 * len(found), 'a fence that is not closed, or is indented'
    assert {b.kind for b in found} <= KINDS
    outputs = [b for b in found if b.kind == 'text']
    programs = [b for b in found if b.kind == 'python' and not b.file]
    assert all(any(after(p) == o for p in programs) for o in outputs), 'text is what a program prints'
    users = [b for b in found if b.kind in ('console', 'yaml') or b.file]
    named = [b for b in found if b.file]
    unused = [b.file for b in named if not any(b.file in user.text for user in users if user != b)]
    assert not unused, 'a file that nothing on the page uses'


@pytest.mark.parametrize('block', of_kind('python', named=False), ids=str)
def test_program(block, tmp_path):
    (tmp_path / 'program.py').write_text(block.text, 'utf-8')
    printed = run([sys.executable, 'program.py'], tmp_path, warnings='error')
    output = after(block)
    assert_prints(output.text if output and output.kind == 'text' else '', printed)


@pytest.mark.parametrize('block', of_kind('yaml'), ids=str)
def test_yaml(block, tmp_path):
    content = yaml.safe_load(block.text)
    if isinstance(content, dict) and content.get('jtype') == 'Flow':
        read_flow(block.text)
    elif isinstance(content, dict) and 'jtype' in content:
        read_uses(block.text, tmp_path)


@pytest.mark.parametrize('block', of_kind('console'), ids=str)
def test_console(block, tmp_path):
    ports = {shown: free_port() for shown in PORTS}
    for file in blocks(block.page):
        if file.file and file.line < block.line:
            (tmp_path / file.file).write_text(replaced(file.text, ports), 'utf-8')
    with ExitStack() as servers:
        for command, shown in commands(replaced(block.text, ports)):
            if command[-1] == '&':
                servers.enter_context(server(command[:-1], shown, tmp_path))
            elif command[0] == 'make':
                run(['make', '--dry-run', *command[1:]], REPO)
            else:
                assert_prints(shown, run(command, tmp_path))


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    links = [found['to'] for found in LINK.finditer(FENCE.sub('', page.read_text('utf-8')))]
    assert not [to for to in links if not (page.parent / to).exists()]


# How they run


def commands(text: str) -> Iterator[tuple[list[str], str]]:
    """Each command of a console block, and what is shown below it."""
    assert text.startswith('$ '), 'a console block begins with a command'
    for part in re.split(r'^\$ ', text, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition('\n')
        yield shlex.split(line.removeprefix('.venv/bin/')), shown


def replaced(text: str, ports: dict[str, int]) -> str:
    for shown, port in ports.items():
        text = text.replace(shown, str(port))
    return text


def environment(folder: Path, warnings: str = '') -> dict[str, str]:
    """As after ``. .venv/bin/activate``, with a home of its own."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ['PATH']])
    own = {'PATH': path, 'HOME': str(folder), 'PYTHONWARNINGS': warnings, 'PYTHONUTF8': '1', 'NO_COLOR': '1'}
    own['no_proxy'] = 'localhost'  # for curl; what is ours needs no telling
    dropped = ('XDG_CACHE_HOME', 'JINA_LOG_LEVEL', 'COLUMNS', 'PYTHONPATH')
    return {k: v for k, v in os.environ.items() if k not in dropped} | own


def found(command: list[str], env: dict[str, str]) -> list[str]:
    program = shutil.which(command[0], path=env['PATH'])
    assert program, f'there is no {command[0]} here, which the page uses'
    return [program, *command[1:]]


def run(command: list[str], folder: Path, warnings: str = '') -> str:
    """What a command prints, which must end well."""
    env = environment(folder, warnings)
    done = subprocess.run(
        found(command, env), cwd=folder, env=env, capture_output=True, text=True, encoding='utf-8', timeout=DEADLINE
    )
    assert done.returncode == 0, f'{shlex.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}'
    return done.stdout


@contextmanager
def server(command: list[str], shown: str, folder: Path) -> Iterator[None]:
    """A server that runs from when it has printed what is shown until it is interrupted."""
    assert shown, f'{shlex.join(command)}: show what it prints when it is up'
    env = environment(folder)
    pipes = {'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT, 'text': True, 'encoding': 'utf-8'}
    with subprocess.Popen(found(command, env), cwd=folder, env=env, **pipes) as process:
        deadline = threading.Timer(DEADLINE, process.kill)
        deadline.start()
        try:
            assert process.stdout is not None
            assert_prints(shown, ''.join(process.stdout.readline() for _ in shown.splitlines()))
            yield
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate()
            assert process.returncode == 0, rest
        finally:
            deadline.cancel()
            process.kill()


def assert_prints(shown: str, printed: str) -> None:
    assert agrees(shown, printed), f'the page shows\n{shown}\nbut it prints\n{printed}'


# The wildcard


@pytest.mark.parametrize(
    ('shown', 'printed', 'agree'),
    [
        ('a …\n', 'a b c\n', True),
        ('a … d\n', 'a b c\n', False),
        ('a\n…\nd\n', 'a\nb\nc\nd\n', True),
        ('a\n…\n', 'a\n', True),
        ('a\n', 'a  \n', True),
        ('a\n', 'a\nb\n', False),
        ('', '', True),
        ('', 'a\n', False),
    ],
)
def test_what_is_shown_stands_for_what_is_printed(shown, printed, agree):
    assert agrees(shown, printed) is agree
