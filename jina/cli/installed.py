"""What is installed: this package's requirements, and which version of each is there."""

import re
from collections.abc import Iterator
from importlib import metadata
from typing import NamedTuple

LEFT_OUT = 'dev'


class Requirement(NamedTuple):
    """A package that this one asks for.

    :ivar least: the lowest version that will do, or an empty string.
    :ivar extra: the extra that asks for it, or an empty string where it is always needed.
    :ivar found: the version that is installed, or an empty string.
    """

    name: str
    least: str
    extra: str
    found: str

    @property
    def satisfied(self) -> bool:
        """Whether it is there, in a version that will do."""
        return bool(self.found) and _numbers(self.found) >= _numbers(self.least)


def requirements() -> Iterator[Requirement]:
    """What the metadata of the installed package ask for, the tools of its developers aside."""
    for line in _stated():
        name, least = re.fullmatch(r'([\w.-]+)(?:\[[^\]]*\])?(?:>=([\w.]+))?.*', line).groups('')  # type: ignore[union-attr]
        extra = (re.findall(r'extra == [\'"](\w+)', line) or [''])[0]
        if extra != LEFT_OUT:
            yield Requirement(name, least, extra, _version(name))


def _stated() -> list[str]:
    try:
        return metadata.requires('jina') or []
    except metadata.PackageNotFoundError:  # it runs from its source
        return []


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ''


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r'\d+', version)[:3])
