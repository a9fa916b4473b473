"""The chunks of one Document."""

from jina.types.arrays.children import Children
from jina.types.arrays.placing import place_chunk

__all__ = ['ChunkArray']


class ChunkArray(Children):
    """A view of the chunks of a Document: what is added is one level finer and knows its parent."""

    __slots__ = ()
    _finer = 1
    _place = staticmethod(place_chunk)
