"""``jina --version``, and ``jina -vf``: everything that a report of an error should say."""

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jina


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument('-v', '--version', action='version', version=jina.__version__, help='show the version')
    parser.add_argument(
        '-vf', '--version-full', action=FullVersion, help='show the versions of all that is used, and the settings'
    )


class FullVersion(argparse.Action):
    """Prints the report and ends the program."""

    def __init__(self, option_strings: list[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, default=argparse.SUPPRESS, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        for name, value in _report():
            print(f'{name:<20} {value}')
        parser.exit()


def _report() -> Iterator[tuple[str, str]]:
    yield 'jina', f'{jina.__version__} in {Path(jina.__file__).parent}'
    yield 'python', f'{platform.python_version()} ({platform.python_implementation()}) at {sys.executable}'
    yield 'platform', f'{platform.platform()}, {os.cpu_count()} CPUs'
    yield from _packages()
    for name in sorted(os.environ):
        if name.startswith('JINA_'):
            yield name, os.environ[name]


def _packages() -> Iterator[tuple[str, str]]:
    from jina.cli.installed import requirements

    packages = list(requirements())
    if not packages:
        yield 'packages', 'not known: jina is not installed but runs from its source'
    for package in packages:
        extra = f' (for jina[{package.extra}])' if package.extra else ''
        yield package.name, (package.found or 'not installed') + extra
