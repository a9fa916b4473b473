"""DocumentArray: a list of Documents that can also be asked as a whole."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableSequence
from itertools import islice
from operator import eq
from operator import index as as_int
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias, overload

import numpy as np

from jina.excepts import BadDocType
from jina.types.arrays import columns as columns_of
from jina.types.arrays import files, finding, matching, stacking, traversal
from jina.types.arrays.item import Item, renames
from jina.types.shorten import shorten

if TYPE_CHECKING:
    from jina.looks.picture import Png
    from jina.types.document import Document

__all__ = ['DocumentArray']

Array: TypeAlias = np.ndarray[Any, Any]


class DocumentArray(MutableSequence['Document']):
    """A list of Documents, found by position or by id.

    :param docs: None, one Document, another DocumentArray or any iterable of Documents. The Documents are
        not copied.
    :raises BadDocType: for anything else.
    """

    __slots__ = ('__weakref__', '_docs', '_index', '_indexed', '_loader', '_stacks')

    _docs: 'list[Document]'

    def __init__(self, docs: 'Iterable[Document] | Document | None' = None) -> None:
        self._index: dict[str, int] | None = None
        self._indexed = 0
        self._loader: Callable[[], list[Document]] | None = None
        self._stacks: dict[str, stacking.Stack] = {}
        self._docs = [] if docs is None else self._accept_all(docs)

    @classmethod
    def _lazy(cls, loader: 'Callable[[], list[Document]]') -> Self:
        """Return an array that calls ``loader`` for its list when it is first looked at."""
        docs = cls.__new__(cls)
        docs._index, docs._indexed, docs._loader, docs._stacks = None, 0, loader, {}
        return docs

    @property
    def _touched(self) -> bool:
        """Whether the list is there; a lazy array that nobody looked at is not touched."""
        return self._loader is None

    def __getattr__(self, name: str) -> Any:
        # Reached only for what is not there, so a list that is there costs nothing more.
        if name != '_docs' or self._loader is None:
            raise AttributeError(f'{type(self).__name__} has no attribute {name!r}')
        self._docs = self._loader()
        self._loader = None
        return self._docs

    # What may enter

    def _accept(self, value: Any) -> 'Document':
        if not isinstance(value, Item):
            raise BadDocType(f'{type(self).__name__} holds Documents, not {type(value).__name__}: {shorten(value)}')
        return value  # type: ignore[return-value]

    def _accepted(self, values: Any) -> 'Iterator[Document]':
        if isinstance(values, Item):
            values = (values,)
        elif isinstance(values, (str, bytes, dict)) or not isinstance(values, Iterable):
            self._accept(values)
        return map(self._accept, values)

    def _accept_all(self, values: Any) -> 'list[Document]':
        return list(self._accepted(values))

    # Where things are

    def _position(self, key: str) -> int | None:
        """Return where the first Document of that id is, or None."""
        index, docs = self._index, self._docs
        if index is not None:
            position = index.get(key)
            if position is None and self._indexed == renames.count:
                return None
            if position is not None and position < len(docs) and docs[position]._id == key:
                return position
        self._indexed = renames.count
        self._index = {docs[position]._id: position for position in reversed(range(len(docs)))}
        return self._index.get(key)

    def _located(self, key: Any) -> int:
        """Return the position that an int or an id stands for."""
        if isinstance(key, str):
            position = self._position(key)
            if position is None:
                raise KeyError(f'no Document has the id {shorten(key)}')
            return position
        try:
            return as_int(key)
        except TypeError:
            raise TypeError(
                f'{type(self).__name__} is indexed by int, id, slice, list of either or boolean mask, '
                f'not {type(key).__name__}'
            ) from None

    def _positions(self, keys: Any) -> list[int]:
        """Return the positions that a list of ints or ids, or a boolean mask, stands for."""
        mask = [key for key in keys if isinstance(key, (bool, np.bool_))]
        if not mask:
            return [self._located(key) for key in keys]
        if len(mask) != len(self) or len(mask) != len(keys):
            raise IndexError(f'a mask for {len(self)} Documents has as many booleans, not {len(keys)} values')
        return [position for position, chosen in enumerate(mask) if chosen]

    def _at(self, positions: Iterable[int]) -> 'DocumentArray':
        """Return the Documents at those positions."""
        return wrapped(list(map(self._docs.__getitem__, positions)))

    @overload
    def __getitem__(self, key: int | str) -> 'Document': ...

    @overload
    def __getitem__(self, key: slice | list[Any] | tuple[Any, ...] | Array) -> 'DocumentArray': ...

    def __getitem__(self, key: Any) -> 'Document | DocumentArray':
        if type(key) is int:
            return self._docs[key]
        if isinstance(key, slice):
            return wrapped(self._docs[key])
        if isinstance(key, (list, tuple)) or (isinstance(key, np.ndarray) and key.ndim == 1):
            return self._at(self._positions(key))
        return self._docs[self._located(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._docs[key] = self._accept_all(value)
        else:
            position = self._located(key)
            self._docs[position]  # an index out of range must not change the value first
            self._docs[position] = self._accept(value)
        self._index = None

    def __delitem__(self, key: Any) -> None:
        del self._docs[key if isinstance(key, slice) else self._located(key)]
        self._index = None

    def __contains__(self, value: object) -> bool:
        key = value._id if isinstance(value, Item) else value  # type: ignore[attr-defined]
        return isinstance(key, str) and self._position(key) is not None

    def __iter__(self) -> 'Iterator[Document]':
        return iter(self._docs)

    def __len__(self) -> int:
        return len(self._docs)

    # List behaviour

    def insert(self, index: int, doc: 'Document') -> None:
        """Insert a Document before ``index``.

        :raises BadDocType: when it is none.
        """
        self._docs.insert(index, self._accept(doc))
        self._index = None

    def append(self, doc: 'Document') -> None:
        """Add a Document at the end.

        :raises BadDocType: when it is none.
        """
        self._accept(doc)
        if self._index is not None:
            self._index.setdefault(doc._id, len(self._docs))
        self._docs.append(doc)

    def extend(self, iterable: 'Iterable[Document]') -> None:
        """Add Documents at the end; when one of them is none, nothing is added.

        :raises BadDocType: when one of them is no Document.
        """
        self._docs.extend(self._accept_all(iterable))
        self._index = None

    def clear(self) -> None:
        """Remove every Document."""
        self._docs.clear()
        self._index = None

    def reverse(self) -> None:
        """Turn the order round, in place."""
        self._docs.reverse()
        self._index = None

    def sort(self, key: 'Callable[[Document], Any]', reverse: bool = False) -> None:
        """Sort in place by what ``key`` gives for a Document; equal ones keep their order."""
        self._docs.sort(key=key, reverse=reverse)
        self._index = None

    def __add__(self, other: 'Iterable[Document]') -> 'DocumentArray':
        return wrapped([*self, *self._accepted(other)])

    def __iadd__(self, other: 'Iterable[Document]') -> Self:
        self.extend(other)
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DocumentArray):
            return NotImplemented
        return len(self) == len(other) and all(map(eq, self, other))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        cls = type(self)
        return f'<{cls.__module__}.{cls.__qualname__} length={len(self)} at {id(self)}>'

    def __str__(self) -> str:
        from jina.looks.printed import printed

        return printed(self)

    def __rich__(self) -> Any:
        from jina.looks.terminal import ArrayLook

        return ArrayLook(self)

    def _repr_html_(self) -> str:
        from jina.looks.html import array

        return array(self)

    def __reduce__(self) -> Any:
        return type(self), (self._docs,)

    # All Documents at once

    def get_attributes(self, *names: str) -> list[Any]:
        """Return the values of one attribute, or for several names one list of values a name.

        :raises BadOption: for an attribute that does not exist.
        """
        columns: list[list[Any]] = [[] for _ in names]
        for batch in self._batches(None, lent=False):
            for column, name in zip(columns, names, strict=True):
                column += columns_of.values(batch._docs, name)
        return columns[0] if len(columns) == 1 else columns

    def get_attributes_with_docs(self, *names: str) -> 'tuple[list[Any], DocumentArray]':
        """Return what :meth:`get_attributes` does, and the Documents that the values belong to."""
        docs = wrapped(list(self))
        return docs.get_attributes(*names), docs

    @property
    def embeddings(self) -> Array:
        """All embeddings as one array of shape (n, …); a view when they are rows of one array, in order.

        Sparse ones give a ``csr_matrix`` of scipy.

        :raises ValueError: naming the Documents that have none, or one of another shape. Set it to an array
            of as many rows as there are Documents: each gets a view of its row.
        """
        return stacking.stacked(self._docs, 'embedding', self._stacks)

    @embeddings.setter
    def embeddings(self, value: Any) -> None:
        stacking.spread(self._docs, value, 'embedding')

    @property
    def blobs(self) -> Array:
        """All blobs as one array of shape (n, …); as :attr:`embeddings`."""
        return stacking.stacked(self._docs, 'blob', self._stacks)

    @blobs.setter
    def blobs(self, value: Any) -> None:
        stacking.spread(self._docs, value, 'blob')

    def batch(
        self,
        batch_size: int,
        traversal_paths: str | Iterable[str] | None = None,
        require_attr: str | None = None,
    ) -> 'Iterator[DocumentArray]':
        """Yield the Documents in DocumentArrays of ``batch_size``; the last may be smaller.

        :param traversal_paths: which Documents, as in :meth:`traverse`; by default these.
        :param require_attr: leave out Documents where this attribute is not set.
        :raises ValueError: when ``batch_size`` is less than 1.
        """
        if batch_size < 1:
            raise ValueError(f'batch_size is at least 1, not {batch_size}')
        arrays = (self,) if traversal_paths is None else self.traverse(traversal_paths)
        docs = (doc for array in arrays for doc in array)
        if require_attr is not None:
            docs = (doc for doc in docs if require_attr in doc.non_empty_fields)
        return map(wrapped, iter(lambda: list(islice(docs, batch_size)), []))

    def _batches(self, size: int | None, lent: bool = True) -> 'Iterator[DocumentArray]':
        """Yield all Documents in arrays of ``size``; None leaves the choice to the array.

        :param lent: whether the Documents may be changed by whom they are given to.
        """
        if not size or size >= len(self):
            return iter((self,) if len(self) else ())
        return (self[start : start + size] for start in range(0, len(self), size))

    # Traversal

    def traverse(self, traversal_paths: str | Iterable[str]) -> 'Iterator[DocumentArray]':
        """Yield a DocumentArray for each parent on each path; adding to it adds to the parent.

        :param traversal_paths: a list of paths or one string, ``'r,cm'``: the letters are steps, ``r`` to
            these Documents, ``c`` to their chunks, ``m`` to their matches.
        :raises ValueError: for another letter.
        """
        paths = traversal.parsed(traversal_paths)
        return (array for path in paths for array in traversal.arrays_at(self, path))

    def traverse_flat(self, traversal_paths: str | Iterable[str]) -> 'DocumentArray':
        """Return all Documents on the paths in one DocumentArray; paths as in :meth:`traverse`."""
        return wrapped([doc for array in self.traverse(traversal_paths) for doc in array])

    def traverse_flat_per_path(self, traversal_paths: str | Iterable[str]) -> 'Iterator[DocumentArray]':
        """Yield one DocumentArray for each path; paths as in :meth:`traverse`."""
        paths = traversal.parsed(traversal_paths)
        return (self.traverse_flat([path]) for path in paths)

    # Search

    def match(
        self,
        darray: 'DocumentArray',
        metric: str | Callable[..., Array] = 'cosine',
        limit: int | None = 20,
        normalization: tuple[float, float] | None = None,
        metric_name: str | None = None,
        batch_size: int | None = None,
        exclude_self: bool = False,
        is_sparse: bool = False,
        use_scipy: bool = False,
    ) -> None:
        """Find for each Document here the nearest in ``darray`` by embedding, and set its ``matches``.

        The matches are shallow copies, nearest first, at equal distance in the order of ``darray``. They
        carry the distance in ``scores``, and neither the scores nor the matches of the original.

        :param metric: ``cosine``, ``euclidean``, ``sqeuclidean``, or a function of two arrays of shape
            (n, d) and (m, d) that gives the distances of shape (n, m). If it needs a third argument, it
            gets the name of the score.
        :param limit: how many matches at most; None for all.
        :param normalization: ``(a, b)`` maps the smallest distance of each Document to a, its largest to b.
        :param metric_name: the name of the score; by default that of the metric.
        :param batch_size: how many Documents of ``darray`` are compared at a time; None for what is best.
        :param exclude_self: leave out Documents of the same id; the others fill up to ``limit``.
        :param is_sparse: accepted from programs for other releases: the embeddings tell.
        :param use_scipy: likewise; the result is the same.
        :raises ValueError: when embeddings are missing or do not fit, or ``limit`` is negative.
        :raises BadOption: for an unknown metric.
        """
        options = matching.Options(metric, limit, normalization, metric_name or '', batch_size, exclude_self)
        matching.match(self, darray, options)

    def _candidates(self, size: int | None) -> 'Iterator[DocumentArray]':
        """Yield all Documents for a search, in arrays of ``size``; None leaves the choice to the array."""
        if size or matching.are_rows_of_one_array(self._docs):
            return self._batches(size)
        return self._batches(matching.GATHERED)

    def find(
        self,
        regexes: Mapping[str, str | re.Pattern[str]],
        traversal_paths: str | Iterable[str] = 'r',
        operator: str = '>=',
        threshold: int | None = None,
    ) -> 'DocumentArray':
        """Return the Documents whose tags match.

        A regex matches at the beginning of a value, ``a__b`` names a tag inside of a tag, and numbers are
        matched as they are printed. What is missing, None, a list or a dict never matches.

        :param regexes: name of a tag → regex, as text or compiled.
        :param traversal_paths: where to look, as in :meth:`traverse`.
        :param operator: how the number of regexes that match a Document compares to ``threshold``: one of
            ``>=``, ``>``, ``<=``, ``<``, ``==``, ``!=``.
        :param threshold: the number that it is compared with; by default that of all regexes.
        :raises BadOption: for another operator, or a regex that cannot be read.
        """
        fits = finding.condition(regexes, operator, threshold)
        return wrapped([doc for array in self.traverse(traversal_paths) for doc in array if fits(doc)])

    # Selection

    def sample(self, k: int, seed: int | None = None) -> 'DocumentArray':
        """Return ``k`` different Documents in random order.

        :raises ValueError: when there are fewer than ``k``, or ``k`` is negative.
        """
        from random import Random

        return self._at(Random(seed).sample(range(len(self)), k))

    def shuffle(self, seed: int | None = None) -> 'DocumentArray':
        """Return a DocumentArray of these Documents in random order."""
        return wrapped(list(self)).sample(len(self), seed)

    def split(self, tag: str) -> 'dict[Any, DocumentArray]':
        """Return a DocumentArray for each value of that tag; Documents without it are left out."""
        parts: dict[Any, DocumentArray] = {}
        for doc in self:
            if tag in (doc._tags or ()):
                parts.setdefault(doc.tags[tag], DocumentArray()).append(doc)
        return parts

    # Looks

    def visualize(
        self,
        output: str | Path | None = None,
        title: str | None = None,
        colored_tag: str | None = None,
        colormap: str = 'rainbow',
        method: str = 'pca',
        show_axis: bool = False,
        image_sprites: bool = False,
    ) -> 'Png':
        """Draw the embeddings as points of a plane; a notebook shows the picture that is returned.

        :param output: a file to write; its name ends in .png, .svg, .jpg or .pdf.
        :param title: what stands above; by default how many there are, and the method.
        :param colored_tag: the tag by whose values points are coloured: numbers by a scale, others as groups.
        :param colormap: where the colours come from, by matplotlib's name.
        :param method: ``pca``, the plane in which they differ most; ``tsne``, where near ones stay near.
        :param show_axis: whether axes are drawn.
        :param image_sprites: draw small images in place of points where Documents are images.
        :raises ValueError: when embeddings are missing, not finite, or do not fit each other.
        :raises BadOption: for an unknown method, tag, colormap or kind of file.
        :raises ImportError: when matplotlib, or scikit-learn for tsne, is not installed.
        """
        from jina.looks.visualize import visualize

        return visualize(self, output, title, colored_tag, colormap, method, show_axis, image_sprites)

    # Files

    def save(self, file: str | Path | IO[Any], file_format: str = 'json') -> None:
        """Write the Documents to a path or an open handle.

        :param file_format: ``json``, one Document a line, or ``binary``.
        :raises BadOption: for another format.
        """
        files.save(self, file, file_format)

    @classmethod
    def load(cls, file: str | Path | IO[Any], file_format: str = 'json') -> 'DocumentArray':
        """Read what :meth:`save` wrote, here or in release 2.

        :raises BadOption: for another format.
        :raises BadDocument: when the content cannot be read.
        """
        return wrapped(files.load(file, file_format))

    def save_json(self, file: str | Path | IO[Any]) -> None:
        """Write the Documents as JSON, one a line: ``save(file, 'json')``."""
        self.save(file, 'json')

    def save_binary(self, file: str | Path | IO[Any]) -> None:
        """Write the Documents in the binary format: ``save(file, 'binary')``."""
        self.save(file, 'binary')

    @classmethod
    def load_json(cls, file: str | Path | IO[Any]) -> 'DocumentArray':
        """Read what :meth:`save_json` wrote."""
        return cls.load(file, 'json')

    @classmethod
    def load_binary(cls, file: str | Path | IO[Any]) -> 'DocumentArray':
        """Read what :meth:`save_binary` wrote."""
        return cls.load(file, 'binary')


def wrapped(docs: 'list[Document]') -> DocumentArray:
    """Return a DocumentArray over that very list, which is known to hold Documents."""
    array = DocumentArray()
    array._docs = docs
    return array
