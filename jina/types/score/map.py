"""The scores of one Document by name."""

from collections.abc import ItemsView, Iterator, MutableMapping
from typing import Any

from jina.types.score import NamedScore, as_score

__all__ = ['NamedScoreMapping']


class NamedScoreMapping(MutableMapping[str, NamedScore]):
    """A dict of names to :class:`NamedScore`; a plain number may be assigned.

    ``scores[name]`` of a name that is not there makes a score of 0, so that ``scores[name].value = 0.5`` sets one;
    nothing else does.

    :param scores: the dict that it reads and writes, which stays the owner of the data.
    :param attribute: the name that an error shows, as in ``Document.scores``.
    """

    __slots__ = ('_attribute', '_scores')

    def __init__(self, scores: dict[str, NamedScore], attribute: str = 'Document.scores') -> None:
        self._scores = scores
        self._attribute = attribute

    def __getitem__(self, name: str) -> NamedScore:
        score = self._scores.get(name)
        if score is None:
            score = self._scores[name] = NamedScore()
        return score

    def __setitem__(self, name: str, score: Any) -> None:
        self._scores[name] = as_score(score, f'{self._attribute}[{name!r}]')

    def __delitem__(self, name: str) -> None:
        del self._scores[name]

    # What a Mapping does by asking for an item would make it.

    def __contains__(self, name: object) -> bool:
        return name in self._scores

    def get(self, name: str, default: Any = None) -> Any:
        """Return the score, or ``default`` where there is none."""
        return self._scores.get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        """Remove the score and return it.

        :raises KeyError: when there is none and no default is given.
        """
        return self._scores.pop(name, *default)

    def setdefault(self, name: str, default: Any = 0.0) -> NamedScore:
        """Return the score, after setting it to ``default`` where there is none."""
        if name not in self._scores:
            self[name] = default
        return self._scores[name]

    def items(self) -> ItemsView[str, NamedScore]:
        """Return a view of the names and their scores."""
        return self._scores.items()

    def __iter__(self) -> Iterator[str]:
        return iter(self._scores)

    def __len__(self) -> int:
        return len(self._scores)

    def __repr__(self) -> str:
        return repr(self._scores)
