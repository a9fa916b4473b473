"""From arguments to a command, and from its errors to words and an exit code."""

import os
import re
import sys
from collections.abc import Sequence

import jina
from jina.cli import check, client, completion, flow, hello, new, ping, serve, version
from jina.cli.parser import Command, Parser
from jina.excepts import JinaError, RemoteError

INTERRUPTED = 130
COMMANDS = (flow, serve, client, ping, new, check, hello, completion)


def make_parser() -> Parser:
    """The parser of all commands."""
    parser = Parser('jina', description='Serve Python models: Document, Executor, Flow.')
    parser.set_defaults(root=parser)
    version.add_to(parser)
    commands = parser.add_subparsers(title='commands', metavar='COMMAND')
    for module in COMMANDS:
        module.add_to(commands)
    return parser


def run(argv: Sequence[str]) -> int:
    """Run a command.

    :return: the exit code: 0, 1 for an error, 2 for arguments that make no sense, 130 when interrupted.
    """
    if os.getcwd() not in sys.path:  # the script `jina` begins without it, unlike `python -m jina`
        sys.path.append(os.getcwd())
    try:
        try:
            return _run(argv)
        finally:
            sys.stdout.flush()  # while a reader that has ended can still be taken for what it is
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        return _nobody_reads()
    except JinaError as error:
        if os.environ.get('JINA_LOG_LEVEL', '').upper() == 'DEBUG':
            raise
        print(f'jina: {error}', file=sys.stderr)
        print(_stack_of_user_code(error), end='', file=sys.stderr)
        return 1


def _run(argv: Sequence[str]) -> int:
    parser = make_parser()
    arguments = parser.parse(argv)
    command: Command | None = arguments.command
    if command is None:
        parser.print_help()
        return 0
    return command(arguments)


def _nobody_reads() -> int:
    """What we print goes to a program that has ended, such as ``head``: no error, and no words about it at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _stack_of_user_code(error: JinaError) -> str:
    """The traceback of a child that did not start, if it leads to code that is not ours."""
    told = error.__cause__ and error.__cause__.__cause__
    stack = told.stack if isinstance(told, RemoteError) else ''
    ours = (os.path.dirname(jina.__file__), os.path.dirname(os.__file__), '<frozen')
    files = re.findall(r'File "([^"]+)"', stack)
    return f'\n{stack}' if any(not file.startswith(ours) for file in files) else ''
