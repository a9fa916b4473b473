"""``jina completion``: the script that lets a shell complete ``jina …``, made from the parser. Uses shtab."""

import argparse
from typing import Any

from jina.cli.parser import Parser, add_command

SHELLS = ('bash', 'zsh', 'fish')
HOW = """\
bash: jina completion bash > ~/.local/share/bash-completion/completions/jina
zsh:  jina completion zsh > ~/.zfunc/_jina  (with ~/.zfunc in fpath, before compinit)
fish: jina completion fish > ~/.config/fish/completions/jina.fish
"""


def add_to(commands: Any) -> None:
    """Add the command."""
    completion = add_command(commands, 'completion', 'print a script for the completion of a shell', _completion)
    completion.add_argument('shell', choices=SHELLS, help='the shell')
    completion.epilog = HOW
    completion.formatter_class = argparse.RawDescriptionHelpFormatter


def _completion(arguments: argparse.Namespace) -> int:
    import shtab

    _say_what_completes(arguments.root)
    print(shtab.complete(arguments.root, arguments.shell))
    return 0


def _say_what_completes(parser: Parser) -> None:
    """Tell each argument which words, or which files, it takes."""
    files = _files()
    for action in parser._actions:
        if action.nargs == argparse.PARSER:
            for command in dict(action.choices or {}).values():
                _say_what_completes(command)
        elif action.dest in files:
            action.complete = files[action.dest]  # type: ignore[attr-defined]
        elif words := getattr(action, 'words', None):
            action.choices = words


def _files() -> dict[str, Any]:
    from shtab import DIRECTORY, FILE, glob

    yaml, python = glob('*.yml', '*.yaml'), glob('*.py')
    return {
        **dict.fromkeys(('file', 'uses', 'uses_before', 'uses_after', 'log_config', 'spec'), yaml),
        **dict.fromkeys(('static', 'workspace', 'path'), DIRECTORY),
        **dict.fromkeys(('json', 'files', 'subject'), FILE),
        'py_modules': python,
    }
