"""``google.protobuf.Struct`` as dicts: the form of parameters and tags in protobuf."""

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from google.protobuf.struct_pb2 import Struct, Value

from jina.excepts import BadOption
from jina.types.shorten import shorten

# A Struct knows only doubles. Up to here they are exact: a whole one was an integer, or is as good as one.
_EXACT = 2.0**53


def struct_to_dict(struct: Struct) -> dict[str, Any]:
    """Return what ``struct`` holds as plain types; whole numbers are ints."""
    return {key: _plain(value) for key, value in struct.fields.items()}


def _plain(value: Value) -> Any:
    kind = value.WhichOneof('kind')
    return None if kind is None else _READERS[kind](value)


def _number(value: Value) -> float:
    number = value.number_value
    return int(number) if number.is_integer() and -_EXACT <= number <= _EXACT else number


_READERS: dict[str, Callable[[Value], Any]] = {
    'null_value': lambda value: None,
    'number_value': _number,
    'string_value': lambda value: value.string_value,
    'bool_value': lambda value: value.bool_value,
    'struct_value': lambda value: struct_to_dict(value.struct_value),
    'list_value': lambda value: [_plain(item) for item in value.list_value.values],
}


def dict_to_struct(obj: Mapping[str, Any], name: str = 'parameters') -> Struct:
    """Return the Struct that holds what ``obj`` does; numbers of numpy become plain ones.

    :param name: what an error calls ``obj``.
    :raises BadOption: naming the key whose value has no form there.
    """
    struct = Struct()
    try:
        _fill(struct.fields, obj)
    except BadOption as error:
        raise BadOption(f'{name}{error}') from error
    except RecursionError:
        raise BadOption(f'{name}: nested too deeply') from None
    return struct


def _fill(fields: MutableMapping[str, Value], obj: Mapping[str, Any]) -> None:
    for key, item in obj.items():
        if not isinstance(key, str):
            raise BadOption(f': a key must be a str, not {type(key).__name__}: {shorten(key)}')
        try:
            _set(fields[key], item)
        except (BadOption, ValueError, OverflowError) as error:
            raise BadOption(_located(key, error)) from error


def _located(key: str | int, error: Exception) -> str:
    return f'[{key!r}]{error}' if isinstance(error, BadOption) else f'[{key!r}]: {error}'


def _set(value: Value, item: Any) -> None:
    write = _WRITERS.get(type(item))
    if write is None:
        write = _writer(item)
    write(value, item)


def _writer(item: Any) -> Callable[[Value, Any], None]:
    """What writes an item whose type is none of the plain ones."""
    import numpy as np  # here: a gateway writes nothing but plain types, and needs it for nothing else

    if isinstance(item, np.bool_ | np.number | np.str_):  # first: some of them are floats and strs as well
        return _set_numpy
    for kind, write in _KINDS:
        if isinstance(item, kind):
            return write
    raise BadOption(f': a value of type {type(item).__name__} has no form in protobuf: {shorten(item)}')


def _set_null(value: Value, item: None) -> None:
    value.null_value = 0  # type: ignore[assignment]


def _set_bool(value: Value, item: bool) -> None:
    value.bool_value = item


def _set_number(value: Value, item: float) -> None:
    value.number_value = item


def _set_string(value: Value, item: str) -> None:
    value.string_value = item


def _set_dict(value: Value, item: Mapping[str, Any]) -> None:
    value.struct_value.SetInParent()
    _fill(value.struct_value.fields, item)


def _set_list(value: Value, items: list[Any] | tuple[Any, ...]) -> None:
    value.list_value.SetInParent()
    add = value.list_value.values.add
    for position, item in enumerate(items):
        try:
            _set(add(), item)
        except (BadOption, ValueError, OverflowError) as error:
            raise BadOption(_located(position, error)) from error


def _set_numpy(value: Value, item: Any) -> None:
    _set(value, item.item())


_WRITERS: dict[type, Callable[[Value, Any], None]] = {
    type(None): _set_null,
    bool: _set_bool,
    int: _set_number,
    float: _set_number,
    str: _set_string,
    dict: _set_dict,
    list: _set_list,
    tuple: _set_list,
}

_KINDS: list[tuple[type, Callable[[Value, Any], None]]] = [
    (Mapping, _set_dict),
    (int, _set_number),
    (float, _set_number),
    (str, _set_string),
    (list, _set_list),
    (tuple, _set_list),
]
