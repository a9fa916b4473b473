"""DocumentArrayMemmap: a DocumentArray that lives on disk."""

import os
import weakref
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self, TypeAlias

import numpy as np

from jina.types.arrays import stacking
from jina.types.arrays.document import DocumentArray, wrapped
from jina.types.arrays.shelf import Shelf
from jina.types.arrays.store import Store
from jina.types.ndarray import as_array
from jina.types.sparse import is_sparse, rows_of

if TYPE_CHECKING:
    from jina.types.document import Document

__all__ = ['DocumentArrayMemmap']

Array: TypeAlias = np.ndarray[Any, Any]


class DocumentArrayMemmap(DocumentArray):
    """A DocumentArray in a folder, which is opened again by its path.

    It has what a :class:`DocumentArray` has, and holds in memory only the Documents that were used last. Other
    threads, other processes and other DocumentArrayMemmaps of the same path see what was written.

    - What adds, removes or moves Documents is written at once, each call as a whole.
    - A Document that was changed is written back when it is put away, by :meth:`save` and :meth:`close`, at the
      end of a ``with`` block, and when the array goes out of use. It is put away when ``buffer_pool_size``
      others were used after it; of a loop or a batch, not before the next Documents are fetched. Changes that
      are made still later are not seen: assign it, ``array[doc.id] = doc``.
    - A Document added by ``append`` or ``extend`` replaces the one of the same id, where that is.
    - The death of the process loses nothing that was written; a power failure may lose the last calls, each as a whole.
    - Slices, ``+``, ``sample`` and the like give a DocumentArray in memory.

    :param path: the folder; it is made if it is missing, and may hold other files.
    :param key_length: accepted from programs for other releases; an id may be of any length.
    :param buffer_pool_size: how many Documents are held in memory.
    :raises StoreError: when the path is something else, or its files are corrupt; naming it.
    """

    __slots__ = ('_finalizer', '_pool', '_shelf')

    def __init__(self, path: str | os.PathLike[str], key_length: int = 36, buffer_pool_size: int = 1000) -> None:
        self._loader, self._pool = None, buffer_pool_size
        self._shelf = Shelf(Store(Path(path)), buffer_pool_size)
        self._finalizer = weakref.finalize(self, self._shelf.close)

    @property
    def _docs(self) -> 'list[Document]':  # type: ignore[override]
        return list(self)

    @property
    def path(self) -> Path:
        """The folder."""
        return self._shelf.store.path

    def __reduce__(self) -> Any:
        self.save()
        return type(self), (str(self.path.absolute()), 36, self._pool)

    # Where things are

    def __len__(self) -> int:
        return len(self._shelf.store)

    def __iter__(self) -> 'Iterator[Document]':
        for page in self._shelf.pages():
            yield from page

    def _position(self, key: str) -> int | None:
        store = self._shelf.store
        with store.reading():
            place = store.place_of(key)
            return None if place is None else store.position_of(place)

    def _place(self, key: Any) -> int:
        """Return the place of what an int or an id stands for."""
        position, length = self._located(key), len(self)
        if not -length <= position < length:
            raise IndexError(f'there is no Document {position} in a {type(self).__name__} of {length}')
        return self._shelf.store.place_at(position % length)

    def _places(self, key: slice) -> list[int]:
        """Return the places of a slice."""
        positions = range(len(self))[key]
        if not positions:
            return []
        first, last = sorted((positions[0], positions[-1]))
        return self._shelf.store.places(first, last + 1)[:: positions.step]

    def __contains__(self, value: object) -> bool:
        key = getattr(value, '_id', value)
        if not isinstance(key, str):
            return False
        with self._shelf.store.lock:
            self._shelf.write_renamed()
            with self._shelf.store.reading():
                return self._shelf.store.place_of(key) is not None

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return wrapped(self._shelf.picked(lambda: self._places(key)))
        if isinstance(key, (list, tuple)) or (isinstance(key, np.ndarray) and key.ndim == 1):
            return wrapped(self._shelf.picked(lambda: map(self._place, self._positions(key))))
        return self._shelf.picked(lambda: [self._place(key)])[0]

    def get_doc_by_key(self, key: str) -> 'Document':
        """Return the Document of that id: ``self[key]``.

        :raises KeyError: when there is none.
        """
        return self[key]  # type: ignore[no-any-return]

    def _at(self, positions: Iterable[int]) -> DocumentArray:
        return wrapped(self._shelf.picked(lambda: map(self._place, positions)))

    # What changes the list

    def __setitem__(self, key: Any, value: Any) -> None:
        if isinstance(key, slice):
            self._set_slice(key, self._accept_all(value))
            return
        with self._shelf.changing():
            self._shelf.replace(self._place(key), self._accept(value))

    def _set_slice(self, key: slice, docs: 'list[Document]') -> None:
        with self._shelf.changing():
            positions, places = range(len(self))[key], self._places(key)
            if positions.step == 1:
                self._shelf.delete(places)
                self._shelf.insert(positions.start, docs)
                return
            if len(places) != len(docs):
                raise ValueError(f'{len(docs)} Documents cannot be assigned to a slice of {len(places)}')
            for place, doc in zip(places, docs, strict=True):
                self._shelf.replace(place, doc)

    def __delitem__(self, key: Any) -> None:
        with self._shelf.changing():
            self._shelf.delete(self._places(key) if isinstance(key, slice) else [self._place(key)])

    def insert(self, index: int, doc: 'Document') -> None:
        """Insert a Document before ``index``, also if its id is there already.

        :raises BadDocType: when it is none.
        """
        self._accept(doc)
        with self._shelf.changing():
            self._shelf.insert(slice(index, None).indices(len(self))[0], [doc])

    def append(self, doc: 'Document', flush: bool = True, update_buffer: bool = True) -> None:
        """Add a Document at the end, or where one of the same id is.

        :param flush: accepted from programs for other releases: it is written at once.
        :param update_buffer: likewise; it is held in memory as any that was used.
        :raises BadDocType: when it is none.
        """
        self._shelf.extend([self._accept(doc)])

    def extend(self, values: 'Iterable[Document]') -> None:
        """Add Documents at the end, or where those of the same id are; all of them or none.

        :raises BadDocType: when one of them is no Document.
        """
        self._shelf.extend(self._accepted(values))

    def clear(self) -> None:
        """Remove every Document."""
        self._shelf.clear()

    def reverse(self) -> None:
        """Turn the order round, in place."""
        store = self._shelf.store
        with self._shelf.changing():
            store.reorder(store.places(0, len(self))[::-1])

    def sort(self, key: 'Callable[[Document], Any]', reverse: bool = False) -> None:
        """Sort in place by what ``key`` gives for a Document; equal ones keep their order."""
        self._shelf.sort(key, reverse)

    # All Documents at once

    def _batches(self, size: int | None, lent: bool = True) -> 'Iterator[DocumentArray]':
        for page in self._shelf.pages(size or None, lent):
            yield wrapped(page)

    def _candidates(self, size: int | None) -> 'Iterator[DocumentArray]':
        return self._batches(size, lent=False)

    def batch(
        self,
        batch_size: int,
        traversal_paths: str | Iterable[str] | None = None,
        require_attr: str | None = None,
    ) -> 'Iterator[DocumentArray]':
        """Yield the Documents in DocumentArrays of ``batch_size``, as that of DocumentArray does."""
        if batch_size < 1 or traversal_paths is not None or require_attr is not None:
            return super().batch(batch_size, traversal_paths, require_attr)
        return self._batches(batch_size)

    @property
    def embeddings(self) -> Array:
        """All embeddings as one array of shape (n, …), in memory.

        :raises ValueError: naming the Documents that have none, or one of another shape. Set it to an array
            of as many rows as there are Documents: each gets its row.
        """
        return self._stacked('embedding')

    @embeddings.setter
    def embeddings(self, value: Any) -> None:
        self._spread(value, 'embedding')

    @property
    def blobs(self) -> Array:
        """All blobs as one array of shape (n, …); as :attr:`embeddings`."""
        return self._stacked('blob')

    @blobs.setter
    def blobs(self, value: Any) -> None:
        self._spread(value, 'blob')

    def _stacked(self, attribute: str) -> Array:
        parts: list[Array] = []
        for batch in self._batches(None, lent=False):
            part = stacking.stacked(batch._docs, attribute, {})
            if not isinstance(part, np.ndarray):  # sparse rows are stacked all at once
                return stacking.stacked(self._docs, attribute, {})
            if parts and part.shape[1:] != parts[0].shape[1:]:
                raise ValueError(
                    f'Document {batch[0].id!r} has {attribute}s of another shape than {parts[0].shape[1:]}, '
                    'that of the first'
                )
            parts.append(part)
        return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)

    def _spread(self, value: Any, attribute: str) -> None:
        rows = rows_of(value) if is_sparse(value) else as_array(value, f'DocumentArray.{attribute}s')
        with self._shelf.changing():
            if (isinstance(rows, np.ndarray) and rows.ndim < 2) or len(rows) != len(self):
                stacking.spread(self._docs, value, attribute)  # which raises the error
            start = 0
            for batch in self._batches(None):
                for doc, row in zip(batch, rows[start : start + len(batch)], strict=True):
                    setattr(doc, attribute, row)
                start += len(batch)

    # Files

    def save(self, file: str | Path | IO[Any] | None = None, file_format: str = 'json') -> None:
        """Write back what was changed; with a ``file``, also write the Documents to that.

        :param file_format: ``json``, one Document a line, or ``binary``.
        :raises BadOption: for another format.
        """
        self._shelf.write_back()
        if file is not None:
            super().save(file, file_format)

    def flush(self) -> None:
        """Write back what was changed."""
        self._shelf.write_back()

    def reload(self) -> None:
        """Write back what was changed, and read every Document again when it is used next."""
        self._shelf.forget()

    def prune(self) -> None:
        """Give the room of what was removed back to the disk."""
        self._shelf.write_back()
        self._shelf.store.prune()

    @property
    def physical_size(self) -> int:
        """How many bytes its files have."""
        return self._shelf.store.size

    def close(self) -> None:
        """Write back what was changed, and close the files. To do so twice is no error; to use it afterwards is.

        :raises StoreError: when something cannot be written.
        """
        self._finalizer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
