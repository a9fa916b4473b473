"""``jina check``: tell whether things will work here, before they are deployed."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jina.cli.check.finding import Finding, fail
from jina.cli.parser import add_command
from jina.config import YAML_ENDINGS, read_mapping
from jina.excepts import BadConfig
from jina.spec import ExecutorSpec


def add_to(commands: Any) -> None:
    """Add the command."""
    check = add_command(commands, 'check', 'tell whether a Flow, an Executor or the installation will work', _check)
    check.add_argument(
        'subject', nargs='?', metavar='WHAT',
        help='a YAML file, a folder of them, or module:Class; default: the installation',
    )  # fmt: skip


def _check(arguments: argparse.Namespace) -> int:
    failed = False
    for finding in _findings(arguments.subject):
        print(finding, flush=True)
        failed |= finding.level == 'fail'
    return 1 if failed else 0


def _findings(subject: str | None) -> Iterator[Finding]:
    if subject is None:
        from jina.cli.check.installation import check_installation

        yield from check_installation()
    elif subject.endswith(YAML_ENDINGS):
        yield from _check_yaml(subject)
    elif Path(subject).is_dir():
        yield from _check_folder(Path(subject))
    elif ':' in subject:
        yield from _check_class(*subject.rsplit(':', 1))
    else:
        yield fail(f'{subject} is no YAML file, no folder, and no module:Class')


def _check_yaml(path: str) -> Iterator[Finding]:
    from jina.cli.check.executors import check_executor
    from jina.cli.check.flows import check_flow

    try:
        jtype = read_mapping(path, described=True).get('jtype')
    except (BadConfig, OSError, UnicodeDecodeError) as error:
        yield fail(f'{path}: {error}' if path not in str(error) else str(error))
        return
    yield from check_flow(path) if jtype == 'Flow' else check_executor(ExecutorSpec(uses=path), path)


def _check_folder(folder: Path) -> Iterator[Finding]:
    files = [path for path in sorted(folder.iterdir()) if path.suffix in YAML_ENDINGS and 'jtype' in _keys(path)]
    if not files:
        yield fail(f'{folder} has no YAML file with a `jtype`')
    for path in files:
        yield from _check_yaml(str(path))


def _keys(path: Path) -> Any:
    try:
        return read_mapping(str(path), described=True)
    except BadConfig:  # a file for something else may be any YAML
        return ()


def _check_class(module: str, name: str) -> Iterator[Finding]:
    from jina.cli.check.executors import check_executor

    spec = ExecutorSpec(uses=name, py_modules=[module])
    yield from check_executor(spec, f'{module}:{name}')
