"""Lists of Documents."""

from typing import TYPE_CHECKING, Any

from jina.types.arrays.chunk import ChunkArray
from jina.types.arrays.document import DocumentArray
from jina.types.arrays.match import MatchArray

if TYPE_CHECKING:
    from jina.types.arrays.memmap import DocumentArrayMemmap

__all__ = ['ChunkArray', 'DocumentArray', 'DocumentArrayMemmap', 'MatchArray']


def __getattr__(name: str) -> Any:
    # Late: it brings a database along, which most programs do without.
    if name != 'DocumentArrayMemmap':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    from jina.types.arrays.memmap import DocumentArrayMemmap

    return DocumentArrayMemmap
