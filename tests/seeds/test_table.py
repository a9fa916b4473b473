"""The table of docs/seeds.md: every line of the seeds is in it, and what it names holds."""

import ast
import os
import re
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

REPO = Path(__file__).parents[2]
PAGE = REPO / 'docs' / 'seeds.md'
SEEDS = Path(os.environ.get('JINA_SEEDS') or REPO.parent / 'shared' / 'seeds')
LETTERS = {'flow.txt': 'F', 'executor.txt': 'E'}
LATER = {'later: containers', 'later: remote hosts'}
SLIPS = {'f = Flow.add(': 'f = Flow().add(', 'to suspend the current process.with': 'with'}
"""What cannot be meant as it stands in the seeds."""

ROW = re.compile(r'^\| ([FE]\d+) \| (\d+)(?:–(\d+))? \| (.+?) \| (.+) \|$', re.MULTILINE)
TEST = re.compile(r'`(tests/[\w/]+\.py)::(test_\w+)(?:\[[^]]+\])?`')

needs_the_seeds = pytest.mark.skipif(not SEEDS.is_dir(), reason='JINA_SEEDS does not name the folder of the seeds')


class Row(NamedTuple):
    """One row; its lines count from 1, the last is included."""

    id: str
    first: int
    last: int
    promise: str
    held: str

    @property
    def tests(self) -> list[tuple[str, str]]:
        return TEST.findall(self.held)

    @property
    def is_code(self) -> bool:
        return self.promise.startswith('Code: ')


def rows(letter: str) -> list[Row]:
    found = ROW.findall(PAGE.read_text('utf-8'))
    return [Row(i, int(first), int(last or first), *rest) for i, first, last, *rest in found if i[0] == letter]


ROWS = [row for letter in LETTERS.values() for row in rows(letter)]
both_seeds = pytest.mark.parametrize('seed', LETTERS)


@cache
def defined_in(path: str) -> dict[str, bool]:
    """The tests of a file, and whether each is always skipped."""
    tree = ast.parse((REPO / path).read_text('utf-8'))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    whole = any(isinstance(node, ast.Assign) and _skips(node.value) for node in tree.body)
    return {f.name: whole or any(map(_skips, f.decorator_list)) for f in functions}


def _skips(mark: ast.expr) -> bool:
    return re.search(r'mark\.(skip\b|xfail\b)', ast.unparse(mark)) is not None


def test_there_is_a_row_in_every_line_of_the_tables():
    lines = [line for line in PAGE.read_text('utf-8').splitlines() if re.match(r'\| \w', line)]
    assert len(lines) == len(ROWS)
    assert len(ROWS) > 200


@both_seeds
def test_ids_are_consecutive(seed):
    letter = LETTERS[seed]
    assert [row.id for row in rows(letter)] == [f'{letter}{n}' for n in range(1, len(rows(letter)) + 1)]


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.id)
def test_a_row_names_tests_or_says_why_there_is_none(row):
    if row.held.startswith('— '):
        assert not row.is_code
        return
    entries = row.held.split(', ')
    assert all(TEST.fullmatch(entry) or entry in LATER for entry in entries)
    assert len(set(entries)) == len(entries)
    for path, name in row.tests:
        assert (REPO / path).is_file(), f'there is no {path}'
        assert name in defined_in(path), f'{path} has no {name}'
        assert not defined_in(path)[name], f'{path}::{name} is skipped'


def test_every_test_of_the_seeds_is_in_the_table():
    named = {test for row in ROWS for test in row.tests}
    files = [path for path in Path(__file__).parent.glob('test_*.py') if path.name != Path(__file__).name]
    there = {(str(p.relative_to(REPO)), name) for p in files for name in _names(p) if name.startswith('test_')}
    assert there - named == set()


def _names(path: Path) -> dict[str, bool]:
    return defined_in(str(path.relative_to(REPO)))


# Where the seeds are at hand


def lines_of(seed: str) -> list[str]:
    return (SEEDS / seed).read_text('utf-8').splitlines()


@needs_the_seeds
@both_seeds
def test_every_line_is_covered_in_order(seed):
    mine, lines = rows(LETTERS[seed]), lines_of(seed)
    covered = {n for row in mine for n in range(row.first, row.last + 1) if lines[n - 1].strip()}
    assert covered == {n for n, line in enumerate(lines, 1) if line.strip()}
    assert all(lines[row.first - 1].strip() and lines[row.last - 1].strip() for row in mine)
    for before, row in pairwise(mine):
        assert before.first <= before.last <= row.first <= row.last, f'{row.id} is not after {before.id}'


@needs_the_seeds
@pytest.mark.parametrize('row', [row for row in ROWS if row.is_code and row.tests], ids=lambda row: row.id)
def test_code_stands_in_its_test_as_in_the_seed(row):
    [seed] = [name for name, letter in LETTERS.items() if letter == row.id[0]]
    shown = lines_of(seed)[row.first - 1 : row.last]
    [path] = {path for path, _ in row.tests if path.startswith('tests/seeds/')}
    source = '\n'.join(filter(None, map(plain, (REPO / path).read_text('utf-8').splitlines()))) + '\n'
    assert re.search(pattern(shown), source), '\n'.join(shown)


def plain(line: str) -> str:
    return ' '.join(line.split())


def pattern(shown: list[str]) -> str:
    """The lines one after the other; one with ``...`` stands for any lines."""
    for slip, meant in SLIPS.items():
        shown = [line.replace(slip, meant) for line in shown]
    lines = filter(None, map(plain, shown))
    return r'(?m)^' + ''.join(r'(?:.*\n)*?' if '...' in line else re.escape(line) + r'\n' for line in lines)
