"""Typed attributes: what is assigned is checked here, so that a wrong value is found where it comes from."""

from collections.abc import Iterable
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, Generic, NoReturn, TypeVar, overload
from uuid import UUID

from jina.excepts import BadDocType, BadOption
from jina.types.shorten import shorten

T = TypeVar('T')

# What is accepted for a type, and how it becomes exactly that type (numpy's scalars, subclasses of str).
_ACCEPTED: dict[type, tuple[Any, str]] = {
    str: (str, 'use str(…)'),
    bytes: ((bytes, bytearray, memoryview), 'encode text with .encode()'),
    int: (Integral, ''),
    float: (Real, ''),
}


class Attribute(Generic[T]):
    """A property over the slot of the same name with an underscore; ``None`` resets it.

    :param wanted: the type of its values: str, bytes, int or float.
    :param default: what reading gives while it is not set.
    """

    def __init__(self, wanted: type[T], default: T, unset: T | None, doc: str) -> None:
        self.wanted, self.default, self.unset = wanted, default, unset
        self.__doc__ = doc

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.slot = name, f'_{name}'

    @overload
    def __get__(self, doc: None, owner: type) -> 'Attribute[T]': ...

    @overload
    def __get__(self, doc: object, owner: type) -> T: ...

    def __get__(self, doc: object | None, owner: type) -> 'Attribute[T] | T':
        if doc is None:
            return self
        value = getattr(doc, self.slot)
        return self.default if value is None else value

    def __set__(self, doc: object, value: T | None) -> None:
        setattr(doc, self.slot, self.unset if value is None else checked(value, self.wanted, self.name))


class Identity(Attribute[str]):
    """An attribute that is the id of a Document."""

    def __set__(self, doc: object, value: Any) -> None:
        setattr(doc, self.slot, self.unset if value is None else identified(value, self.name))


class MimeType(Attribute[str]):
    """An attribute that is a media type, or the extension of a file that stands for one."""

    def __set__(self, doc: object, value: str | None) -> None:
        value = self.unset if value is None else checked(value, str, self.name)
        setattr(doc, self.slot, value if not value or '/' in value else guess_mime_type(f'*.{value}') or value)


def identified(value: Any, name: str) -> str:
    """Return the id that ``value`` is: str, and of a whole number or UUID its text.

    :raises BadDocType: when it is of another kind.
    """
    if type(value) is str:
        return value
    if isinstance(value, (Integral, UUID)) and not isinstance(value, bool):
        return str(value)
    return checked(value, str, name)


def guess_mime_type(uri: str) -> str:
    """Return the media type that the extension says, or ``''``."""
    from mimetypes import guess_type

    return guess_type(uri)[0] or ''


def checked(value: Any, wanted: type[T], name: str) -> T:
    """Return ``value`` as exactly the type ``wanted``: str, bytes, int or float.

    :raises BadDocType: when it is of another kind; nothing is guessed or parsed.
    """
    if type(value) is wanted:
        return value
    accepted, advice = _ACCEPTED[wanted]
    if not isinstance(value, accepted) or isinstance(value, bool):
        refuse(name, wanted.__name__, value, advice)
    return wanted(value)  # type: ignore[call-arg]


def refuse(name: str, wanted: str, value: Any, advice: str = '') -> NoReturn:
    """Raise the error of a value that is not of the kind that ``Document.<name>`` takes."""
    message = f'Document.{name} takes {wanted}, not {type(value).__name__}: {shorten(value)}'
    raise BadDocType(f'{message}; {advice}' if advice else message)


def unknown(name: str, known: Iterable[str]) -> BadOption:
    """Return the error of an attribute that does not exist, with the nearest that does."""
    near = get_close_matches(name, known, n=1)
    return BadOption(f'Document has no attribute {name!r}' + (f'; did you mean {near[0]!r}?' if near else ''))
