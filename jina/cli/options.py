"""Specs as command-line options: names, other names, defaults, choices, groups and help are those of the spec."""

import argparse
import types
import typing
from collections.abc import Callable, Collection, Iterator
from typing import Annotated, Any, Literal

import msgspec

from jina.config import parse_yaml
from jina.excepts import BadConfig
from jina.spec import Spec

FLOW_ONLY = ' [in a Flow only]'


def add_options(
    parser: argparse.ArgumentParser,
    *specs: type[Spec],
    leave_out: Collection[str] = (),
    idle: Collection[str] = (),
) -> None:
    """Give a parser an option for each field of some specs, under the headings that they state.

    :param leave_out: fields without an option.
    :param idle: options that are taken but change nothing here, which their help says.
    """
    groups: dict[str, Any] = {}
    for spec in specs:
        hints = typing.get_type_hints(spec, include_extras=True)
        fields = {field.name: field for field in msgspec.structs.fields(spec)}
        for heading, name in _listed(spec, leave_out):
            if heading not in groups:
                groups[heading] = parser.add_argument_group(heading)
            note = FLOW_ONLY if name in idle else ''
            _add_option(groups[heading], _flags(name, spec), fields[name], hints[name], note)


def _listed(spec: type[Spec], leave_out: Collection[str]) -> Iterator[tuple[str, str]]:
    for heading, names in spec.groups.items():
        yield from ((heading, name) for name in names if name not in leave_out)


def _flags(name: str, spec: type[Spec]) -> list[str]:
    others = [other for other, meant in spec.aliases.items() if meant == name]
    return [f'--{flag.replace("_", "-")}' for flag in (name, *others)]


def _add_option(group: Any, flags: list[str], field: Any, hint: Any, note: str) -> None:
    kind, text = _kind_and_help(hint)
    common = {'dest': field.name, 'default': None, 'help': _escaped(text + _default(field.default) + note)}
    if kind is bool:
        group.add_argument(*flags, **_switch(field.name), **common)
        return
    action = group.add_argument(*flags, metavar=_metavar(kind), type=_reader(kind), **common)
    action.words = [c for c in _choices(kind) if isinstance(c, str)]  # for the completion of shells


def _switch(name: str) -> dict[str, Any]:
    """How argparse takes a truth value: ``--x`` or ``--no-x``; where the name is a negation, only ``--no-x``."""
    if name.startswith('no_'):
        return {'action': 'store_const', 'const': True}
    return {'action': argparse.BooleanOptionalAction}


def _default(value: Any) -> str:
    if value in (None, '', msgspec.NODEFAULT) or isinstance(value, bool):
        return ''
    return f' (default: {value})'


def _escaped(text: str) -> str:
    return text.replace('%', '%%')


def _kind_and_help(hint: Any) -> tuple[Any, str]:
    if typing.get_origin(hint) is Annotated:
        kind, meta = typing.get_args(hint)[:2]
        return kind, meta.description or ''
    return hint, ''


def _choices(kind: Any) -> list[Any]:
    """The types or values that a union or a Literal consists of."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return [c for member in typing.get_args(kind) for c in _choices(member)]
    if typing.get_origin(kind) is Literal:
        return [str(v) for v in typing.get_args(kind)]
    return [kind]


def _metavar(kind: Any) -> str:
    names = [c if isinstance(c, str) else _type_name(c) for c in _choices(kind) if c is not type(None)]
    return '|'.join(dict.fromkeys(names))


def _type_name(kind: Any) -> str:
    origin = typing.get_origin(kind) or kind
    return {str: 'TEXT', int: 'NUMBER', float: 'NUMBER'}.get(origin, 'YAML')


def _reader(kind: Any) -> Callable[[str], Any]:
    """Text as it is where the option takes text only; else read as YAML, of which JSON is a part."""
    choices = [c for c in _choices(kind) if c is not type(None)]
    return str if all(isinstance(c, str) or c is str for c in choices) else read_yaml


def read_yaml(text: str) -> Any:
    """The value of an option that is YAML."""
    try:
        return parse_yaml(text, repr(text), described=True)
    except BadConfig as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def given(arguments: argparse.Namespace, spec: type[Spec]) -> dict[str, Any]:
    """The options of a spec that were given."""
    values = {name: getattr(arguments, name, None) for name in spec.__struct_fields__}
    return {name: value for name, value in values.items() if value is not None}
