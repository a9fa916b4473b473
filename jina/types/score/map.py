"""The scores of one Document by name."""

from collections.abc import Iterator, MutableMapping
from typing import Any

from jina.types.score import NamedScore, as_score

__all__ = ['NamedScoreMapping']


class NamedScoreMapping(MutableMapping[str, NamedScore]):
    """A dict of names to :class:`NamedScore`; a plain number may be assigned.

    :param scores: the dict that it reads and writes, which stays the owner of the data.
    :param attribute: the name that an error shows, as in ``Document.scores``.
    """

    __slots__ = ('_attribute', '_scores')

    def __init__(self, scores: dict[str, NamedScore], attribute: str = 'Document.scores') -> None:
        self._scores = scores
        self._attribute = attribute

    def __getitem__(self, name: str) -> NamedScore:
        return self._scores[name]

    def __setitem__(self, name: str, score: Any) -> None:
        self._scores[name] = as_score(score, f'{self._attribute}[{name!r}]')

    def __delitem__(self, name: str) -> None:
        del self._scores[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __repr__(self) -> str:
        return repr(self._scores)
