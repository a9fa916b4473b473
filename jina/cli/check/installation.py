"""What a Flow needs of this machine and this Python."""

import itertools
import os
import platform
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import jina
from jina.cli.check.finding import Finding, fail, ok, warn
from jina.cli.installed import Requirement, requirements
from jina.excepts import JinaError

OLDEST_PYTHON = (3, 11)


def check_installation() -> Iterator[Finding]:
    """Check everything that is not about one Flow."""
    yield ok(f'jina {jina.__version__} in {Path(jina.__file__).parent}')
    yield _python()
    yield from _packages()
    yield _loopback()
    yield _unix_sockets()
    yield _flow()


def _python() -> Finding:
    told = ok if sys.version_info >= OLDEST_PYTHON else fail
    return told(f'Python {platform.python_version()}; it takes {".".join(map(str, OLDEST_PYTHON))} or newer')


def _packages() -> Iterator[Finding]:
    everything = sorted(requirements(), key=lambda package: package.extra)
    if not everything:
        yield warn('jina is not installed but runs from its source, so what it depends on is not known')
    for extra, group in itertools.groupby(everything, key=lambda package: package.extra):
        packages = list(group)
        yield from [_extra(extra, packages)] if extra else map(_package, packages)


def _package(package: Requirement) -> Finding:
    if package.satisfied:
        return ok(f'{package.name} {package.found}')
    found = f'is {package.found}' if package.found else 'is not installed'
    return fail(f"{package.name} {found}: pip install '{package.name}>={package.least}'")


def _extra(extra: str, packages: list[Requirement]) -> Finding:
    missing = [package.name for package in packages if not package.satisfied]
    if missing:
        return warn(f"optional: {', '.join(missing)} is missing or too old: pip install 'jina[{extra}]'")
    return ok(f'optional: {", ".join(f"{p.name} {p.found}" for p in packages)}')


def _loopback() -> Finding:
    try:
        with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname(), 5):
            return ok('programs of this machine reach each other at 127.0.0.1')
    except OSError as error:
        return fail(f'programs of this machine do not reach each other at 127.0.0.1: {error}')


def _unix_sockets() -> Finding:
    place = tempfile.gettempdir()
    try:
        with tempfile.TemporaryDirectory(prefix='jina-') as folder, socket.socket(socket.AF_UNIX) as server:
            server.bind(os.path.join(folder, 'check.sock'))
            return ok(f'sockets can be made in {place}')
    except OSError as error:
        return fail(f'sockets cannot be made in {place}: {error}; TMPDIR names another folder')


def _flow() -> Finding:
    begin = time.monotonic()
    try:
        from jina.flow import Flow

        with Flow(quiet=True).add() as flow:
            flow.post('/')
    except (ImportError, OSError, JinaError) as error:
        return fail(f'a Flow does not start: {error}')
    return ok(f'a Flow starts, answers and ends, in {time.monotonic() - begin:.1f} s')
