"""Specs as command-line options: names, defaults and help are those of the spec."""

import argparse
import types
import typing
from typing import Annotated, Any, Literal

import msgspec

from jina.config import parse_yaml
from jina.excepts import BadConfig
from jina.spec import Spec


def add_options(parser: argparse.ArgumentParser, spec: type[Spec], leave_out: tuple[str, ...] = ()) -> None:
    """Give a parser an option for each field of a spec."""
    hints = typing.get_type_hints(spec, include_extras=True)
    group = parser.add_argument_group(f'options ({spec.__name__})')
    for field in msgspec.structs.fields(spec):
        if field.name not in leave_out:
            _add_option(group, field, hints[field.name])


def _add_option(group: Any, field: Any, hint: Any) -> None:
    kind, text = _kind_and_help(hint)
    default = None if field.default is msgspec.NODEFAULT else field.default
    shown = f' (default: {default})' if default not in (None, '', msgspec.NODEFAULT) else ''
    flags = [f'--{field.name.replace("_", "-")}']
    if kind is bool:
        group.add_argument(*flags, action=argparse.BooleanOptionalAction, default=None, help=_escaped(text))
        return
    group.add_argument(*flags, metavar=_metavar(kind), type=_reader(kind), default=None, help=_escaped(text + shown))


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
    return {str: 'TEXT', int: 'NUMBER', float: 'NUMBER', dict: 'YAML', list: 'YAML'}.get(origin, 'YAML')


def _reader(kind: Any) -> Any:
    """Text as it is where the option takes text only; else read as YAML, of which JSON is a part."""
    choices = _choices(kind)
    return str if all(isinstance(c, str) or c is str for c in choices) else _yaml


def _yaml(text: str) -> Any:
    try:
        return parse_yaml(text, repr(text))
    except BadConfig as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def given(arguments: argparse.Namespace, spec: type[Spec]) -> dict[str, Any]:
    """The options of a spec that were given."""
    values = {name: getattr(arguments, name, None) for name in spec.__struct_fields__}
    return {name: value for name, value in values.items() if value is not None}
