"""argparse, with the nearest name in its errors."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from jina.spec import did_you_mean

Command = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """Parses a command line, or the part of it that belongs to one command.

    Options must be written out: one that is added later cannot change what a shortened one means.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, 'allow_abbrev': False})
        self.set_defaults(command=None, parser=self, late=None)

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The arguments; ends the program with code 2 if they make no sense."""
        if argv and not argv[0].startswith('-') and argv[0] not in self._commands():
            self.error(f'there is no command {argv[0]!r}{did_you_mean(argv[0], self._commands())}')
        arguments, rest = self.parse_known_args(argv)
        parser: Parser = arguments.parser
        if arguments.late and getattr(arguments, arguments.late) is None and rest and not rest[0].startswith('-'):
            setattr(arguments, arguments.late, rest.pop(0))
        if rest:
            parser.refuse(rest[0])
        return arguments

    def refuse(self, argument: str) -> None:
        """End the program because of an argument that nothing takes."""
        if not argument.startswith('-'):
            self.error(f'there is no place for the argument {argument!r}')
        name = argument.partition('=')[0]
        self.error(f'there is no option {name}{self._nearest(name)}')

    def _nearest(self, name: str) -> str:
        known = self._option_string_actions
        begun = [option for option in known if option.startswith(name)]
        hint = did_you_mean(begun[0] if begun else name, known)
        return hint if hint.startswith(':') else f'; {self.prog} --help lists them'

    def _commands(self) -> list[str]:
        return [name for action in self._actions if action.nargs == argparse.PARSER for name in action.choices or ()]


def add_command(commands: Any, name: str, text: str, command: Command, late: str | None = None) -> Parser:
    """Add a command.

    :param commands: what ``add_subparsers`` gave.
    :param text: what it does, in one line.
    :param late: an optional positional argument, which may come after the options too; argparse does not find it there.
    """
    description = f'{text[0].upper()}{text[1:]}.'
    parser: Parser = commands.add_parser(name, help=text, description=description)
    parser.set_defaults(command=command, parser=parser, late=late)
    return parser


def shorten_usage(parser: Parser, *arguments: str) -> None:
    """Let the usage say ``[options]``, where the list of all would fill the screen before the help begins."""
    parser.usage = ' '.join([parser.prog, *arguments, '[options]'])
