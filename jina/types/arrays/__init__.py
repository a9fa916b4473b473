"""Lists of Documents."""

from jina.types.arrays.chunk import ChunkArray
from jina.types.arrays.document import DocumentArray
from jina.types.arrays.match import MatchArray

__all__ = ['ChunkArray', 'DocumentArray', 'MatchArray']
