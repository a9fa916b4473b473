"""The matches of one Document."""

from jina.types.arrays.children import Children
from jina.types.arrays.placing import place_match

__all__ = ['MatchArray']


class MatchArray(Children):
    """A view of the matches of a Document: what is added is one step further along matches."""

    __slots__ = ()
    _further = 1
    _place = staticmethod(place_match)
