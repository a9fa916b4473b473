"""The embeddings of a DocumentArray as points of a plane."""

from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jina.excepts import BadOption
from jina.looks.picture import IMAGES, Output, Png, format_of
from jina.looks.projection import projected
from jina.looks.thumbnail import thumbnail
from jina.looks.words import Array, brief

if TYPE_CHECKING:
    from jina.types.arrays.document import DocumentArray

GROUPS = 10  # so few different whole numbers are names of groups
LONGEST_NAME = 24
MOST_IMAGES = 1000
IMAGE_SIZE = 28


class Colouring(NamedTuple):
    """By what points are coloured.

    :ivar name: what it is called.
    :ivar values: the value of each point, None where there is none: either numbers, or names of groups.
    """

    name: str
    values: list[float | None] | list[str | None]

    @property
    def is_scale(self) -> bool:
        """Whether the values are numbers."""
        return any(isinstance(value, float) for value in self.values)


class Look(NamedTuple):
    """How points are drawn.

    :ivar images: for each point, or for the first of them, the image to draw in its place, or None.
    """

    title: str
    colouring: Colouring | None
    colormap: str
    show_axis: bool
    images: list[Array | None]


def visualize(
    docs: 'DocumentArray',
    output: Output,
    title: str | None,
    colored_tag: str | None,
    colormap: str,
    method: str,
    show_axis: bool,
    image_sprites: bool,
) -> Png:
    """Draw each Document as a point; the options are those of ``DocumentArray.visualize``."""
    suffix = 'png' if output is None else format_of(output, ('svg', *IMAGES))
    from jina.looks.figures import scatter

    vectors = _vectors(docs)
    colouring = None if colored_tag is None else colouring_of(docs, colored_tag)
    images = [thumbnail(doc, IMAGE_SIZE) for doc in docs[:MOST_IMAGES]] if image_sprites else []
    shown = f'{len(docs):,} embeddings, {method}' if title is None else title
    look = Look(shown, colouring, colormap, show_axis, images)
    points = projected(vectors, method)
    picture = Png(scatter(points, look, 'png'))
    if output is not None:
        Path(output).write_bytes(picture if suffix == 'png' else scatter(points, look, suffix))
    return picture


def _vectors(docs: 'DocumentArray') -> Array:
    """Return the embeddings as rows, sparse ones too.

    :raises ValueError: when there are none, some are missing, or they do not fit each other.
    """
    if not len(docs):
        raise ValueError('an empty DocumentArray has no embeddings to visualize')
    embeddings: Any = docs.embeddings
    for to_dense in ('to_dense', 'toarray', 'numpy'):  # as torch, scipy and torch call it
        embeddings = getattr(embeddings, to_dense)() if hasattr(embeddings, to_dense) else embeddings
    return np.asarray(embeddings).reshape(len(docs), -1)


def colouring_of(docs: 'DocumentArray', tag: str) -> Colouring:
    """Return the values of a tag as numbers where they measure something, otherwise as names of groups.

    :raises BadOption: when no Document has the tag.
    """
    values = docs.get_attributes(f'tags__{tag}')
    there = [value for value in values if value is not None]
    if not there:
        known = dict.fromkeys(name for doc in docs if 'tags' in doc.non_empty_fields for name in doc.tags)
        raise BadOption(f'no Document has the tag {tag!r}; tags here are: {brief(", ".join(known), 200) or "none"}')
    if _measures(there):
        return Colouring(tag, [None if value is None else float(value) for value in values])
    return Colouring(tag, [None if value is None else brief(value, LONGEST_NAME) for value in values])


def _measures(values: list[Any]) -> bool:
    if not all(isinstance(value, Real) and not isinstance(value, bool) for value in values):
        return False
    return not all(isinstance(value, Integral) for value in values) or len(set(values)) > GROUPS
