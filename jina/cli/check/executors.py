"""Check one Executor: its YAML, its class, its arguments. The class is imported in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

import jina
from jina.cli.check.child import Answer, Question
from jina.cli.check.finding import Finding, fail, ok, warn
from jina.config import resolve
from jina.excepts import JinaError
from jina.spec import ExecutorSpec

IMPORT_SECONDS = 120


def check_executor(
    spec: ExecutorSpec, who: str, folder: Path | None = None, env: Mapping[str, str] | None = None
) -> Iterator[Finding]:
    """Check that an Executor can be read, imported and called.

    :param who: how to speak of it.
    :param folder: where relative paths begin.
    :param env: environment variables of its process.
    """
    try:
        uses = resolve(spec, folder or Path()).uses
    except (JinaError, OSError) as error:
        yield fail(f'{who}: {error}')
        return
    assert isinstance(uses, dict)
    answer = _ask(Question(uses['jtype'], uses['py_modules'], uses['with'], uses['requests'], _path()), env or {})
    yield from (warn(f'{who}: {doubt}') for doubt in answer.doubts)
    yield from (fail(f'{who}: {problem}') for problem in answer.problems)
    if not answer.problems:
        yield ok(f'{who}: {answer.cls}, {", ".join(answer.endpoints) or "no endpoints"}')


def _path() -> list[str]:
    return [p or os.getcwd() for p in sys.path]


def _ask(question: Question, env: Mapping[str, str]) -> Answer:
    here = str(Path(jina.__file__).parent.parent)
    try:
        done = subprocess.run(
            [sys.executable, '-P', '-m', 'jina.cli.check.child'],
            input=msgspec.json.encode(question),
            env={**os.environ, **env, 'PYTHONPATH': here},
            capture_output=True,
            timeout=IMPORT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return Answer(problems=[f'importing it did not end within {IMPORT_SECONDS} s'])
    try:
        return msgspec.json.decode(done.stdout, type=Answer)
    except msgspec.DecodeError:
        last = done.stderr.decode(errors='replace').strip().splitlines()[-1:]
        return Answer(problems=[' '.join([f'importing it ended Python with code {done.returncode}', *last])])
