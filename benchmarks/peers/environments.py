"""An environment for each peer, made once: ``.venv/peers/NAME``.

Peers need what others cannot bear (Python 3.8, an old protobuf, an old setuptools), so each has a virtual environment
of its own. A stamp in it holds the steps it was made by: when they change, it is made anew.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(os.environ.get('BENCH_ENVIRONMENTS', Path(__file__).parents[2] / '.venv' / 'peers'))
STAMP = 'made-by'
PIP = ('-m', 'pip', 'install', '--disable-pip-version-check')


class Missing(Exception):
    """A peer cannot be had on this machine; the message says why."""


@dataclass(frozen=True)
class Environment:
    """How the environment of a peer is made.

    :param pythons: the interpreters that will do, best first: paths, or names to look for.
    :param steps: the arguments of ``pip install``, call by call.
    """

    name: str
    pythons: tuple[str, ...]
    steps: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is."""
        return FOLDER / self.name

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / 'bin' / 'python'

    @property
    def _recipe(self) -> str:
        return '\n'.join(self.steps) + '\n'

    def is_made(self) -> bool:
        """Whether it is there, made by these steps."""
        stamp = self.folder / STAMP
        return self.python.exists() and stamp.is_file() and stamp.read_text() == self._recipe

    def make(self) -> Path:
        """Make it if it is not there; return its interpreter.

        :raises Missing: if there is no interpreter for it, or a package cannot be installed.
        """
        if not self.is_made():
            shutil.rmtree(self.folder, ignore_errors=True)
            log = self.folder.with_suffix('.log')
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open('w') as output:
                self._run(output, find_python(self.pythons), '-m', 'venv', str(self.folder))
                for step in self.steps:
                    self._run(
                        output,
                        str(self.python),
                        *['-m', 'pip', 'install', '--disable-pip-version-check'],
                        *step.split(),
                    )
            (self.folder / STAMP).write_text(self._recipe)
        return self.python

    def _run(self, output, *command: str) -> None:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=clean_environment(), check=False)
        if done.returncode:
            raise Missing(f'cannot be installed here: see {output.name}')


def clean_environment() -> dict[str, str]:
    """The environment variables, without those that lead a Python to packages of another one."""
    unwanted = ('PYTHONPATH', 'PYTHONHOME', 'VIRTUAL_ENV', '__PYVENV_LAUNCHER__')
    return {name: value for name, value in os.environ.items() if name not in unwanted}


def find_python(names: tuple[str, ...]) -> str:
    """Return the path of the first interpreter that is there, also where pyenv has it.

    :raises Missing: if there is none.
    """
    for name in names:
        for version in ('', *pyenv_versions(name)):
            environment = clean_environment() | ({'PYENV_VERSION': version} if version else {})
            try:
                asked = subprocess.run(
                    [name, '-c', 'import sys; print(sys.executable)'],
                    env=environment,
                    capture_output=True,
                    text=True,
                    check=True,
                )
            except (OSError, subprocess.CalledProcessError):
                continue
            return asked.stdout.strip()
    raise Missing(f'there is no {" or ".join(names)} here')


def pyenv_versions(name: str) -> Iterator[str]:
    """Yield the versions of pyenv that provide an interpreter of this name, such as python3.8."""
    if name.startswith('python') and shutil.which('pyenv'):
        listed = subprocess.run(['pyenv', 'versions', '--bare'], capture_output=True, text=True, check=False)
        for version in listed.stdout.split():
            if f'{version}.'.startswith(f'{name.removeprefix("python")}.'):
                yield version


def version_of(python: Path, package: str) -> str:
    """The version of a package in an environment."""
    code = f"from importlib.metadata import version; print(version('{package}'))"
    asked = subprocess.run([python, '-c', code], env=clean_environment(), capture_output=True, text=True, check=False)
    return asked.stdout.strip() or 'unknown'


# Its 0.4 asks for numpy ≥ 2, which two peers cannot bear; it runs with an older one, and so all have the same.
MODEL = 'wordllama==0.4.0.post1'
MODEL_WITH_OLD_NUMPY = ('safetensors tokenizers toml pydantic==2.10.6 requests numpy<2', f'--no-deps {MODEL}')

RECENT = ('python3.11', 'python3.10', 'python3.12')

ENVIRONMENTS = {
    environment.name: environment
    for environment in (
        Environment('limit', RECENT, ('uvicorn httptools uvloop orjson granian',)),
        Environment('mosec', RECENT, (f'mosec==0.9.8 {MODEL} httpx',)),
        Environment('litserve', RECENT, (f'litserve==0.2.19 {MODEL} uvloop httptools',)),
        Environment(
            'jina2',
            ('python3.8',),
            (
                'setuptools<70 wheel',
                '--no-build-isolation jina==2.0.24 protobuf<3.21 uvicorn==0.28.1 pydantic<2 websockets<14 fastapi '
                'aiohttp uvloop httptools',
            ),
        ),
        Environment(
            'jina3',
            ('python3.11', 'python3.10'),
            (
                'setuptools<80 wheel',
                # The parts of opentelemetry of one release: pip finds none that go together by itself.
                '--no-build-isolation jina==3.34.0 docarray==0.41.0 pydantic==2.10.6 numpy<2 setuptools<80 '
                'opentelemetry-sdk==1.27.0 opentelemetry-exporter-otlp==1.27.0 '
                'opentelemetry-exporter-prometheus==0.48b0 opentelemetry-instrumentation-aiohttp-client==0.48b0 '
                'opentelemetry-instrumentation-fastapi==0.48b0 opentelemetry-instrumentation-grpc==0.48b0',
                *MODEL_WITH_OLD_NUMPY,
            ),
        ),
        # Triton's Python backend needs the libpython of a distribution's own interpreter.
        Environment('pytriton', ('/usr/bin/python3',), ('nvidia-pytriton==0.7.0', *MODEL_WITH_OLD_NUMPY)),
        Environment('bentoml', RECENT, (f'bentoml==1.4.39 {MODEL}',)),
        Environment('ray', RECENT, (f'ray[serve,haproxy]==2.60.0 {MODEL}',)),
    )
}


def main() -> None:
    """Make those that are named, or all."""
    for name in sys.argv[1:] or ENVIRONMENTS:
        try:
            print(f'{name}: {ENVIRONMENTS[name].make()}', flush=True)
        except Missing as missing:
            print(f'{name}: {missing}', flush=True)


if __name__ == '__main__':
    main()
