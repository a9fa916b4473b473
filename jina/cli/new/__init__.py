"""``jina new``: write an Executor project that works at once."""

import argparse
import keyword
import re
import sys
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from jina.cli.parser import add_command
from jina.excepts import BadConfig, BadOption

ENDING = '.txt'  # of templates, so that no tool takes them for what they will be
TAKEN = {'client', 'document', 'documentarray', 'executor', 'flow', 'jina', *sys.stdlib_module_names}


def add_to(commands: Any) -> None:
    """Add the command."""
    new = add_command(commands, 'new', 'write an Executor project: code, test, configuration, a Flow', _new)
    new.add_argument('name', metavar='NAME', help='name of the Executor, such as MyExecutor or my-executor')
    new.add_argument('--path', metavar='FOLDER', help='where to write it, a new folder (default: the name)')


def _new(arguments: argparse.Namespace) -> int:
    names = Names(arguments.name)
    folder = Path(arguments.path or names.project)
    write_project(names, folder)
    print(f'{folder} has a new Executor, {names.cls}. Next:\n')
    print(f'  cd {folder}\n  pytest\n  jina check .\n  jina flow flow.yml')
    return 0


class Names:
    """The names of an Executor in Python, of its module, and of its project.

    :param text: words in any form: ``MyExecutor``, ``my_executor``, ``my executor``.
    :raises BadOption: if Python could not have it as a name, or something else has it.
    """

    def __init__(self, text: str) -> None:
        if '/' in text:
            raise BadOption(f'{text!r} is a path: jina new {Path(text).name} --path {text}')
        words = re.findall(r'[^\W_]+', re.sub(r'(?<=[^\W_A-Z])(?=[A-Z])', ' ', text))
        self.cls = ''.join(word[:1].upper() + word[1:] for word in words)
        self.module = '_'.join(words).lower()
        self.project = '-'.join(words).lower()
        if not (self.cls.isidentifier() and self.module.isidentifier()) or keyword.iskeyword(self.module):
            raise BadOption(f'{text!r} makes no name for a class: begin with a letter, as in MyExecutor')
        if self.module in TAKEN:
            raise BadOption(f'{text!r} is the name of something else here; choose another, such as My{self.cls}')


def write_project(names: Names, folder: Path) -> None:
    """Write the files of the project.

    :raises BadConfig: if the folder is there and not empty, or cannot be written.
    """
    values = {'cls': names.cls, 'module': names.module, 'project': names.project}
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise BadConfig(f'{folder} is there and not empty: nothing was written; --path says another place')
        folder.mkdir(parents=True, exist_ok=True)
        for template in resources.files(__package__).joinpath('template').iterdir():
            name = template.name.removesuffix(ENDING).replace('MODULE', names.module)
            (folder / name).write_text(Template(template.read_text('utf-8')).substitute(values), 'utf-8')
    except OSError as error:
        raise BadConfig(f'{error.filename or folder} cannot be written: {error.strerror}') from error
