"""The Documents of a store that are in memory, and their way back to the disk.

Whoever gets a Document from a DocumentArrayMemmap may change it. So it is kept as long as it is among the last
used, and when it is put away it is compared with what it was: a hash of its content tells whether it has to be
written. That costs a microsecond and needs no help from the Document.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from jina.excepts import BadDocType, BadDocument, StoreError
from jina.types.arrays.item import renames
from jina.types.arrays.store import Row, Store, new_stamp

if TYPE_CHECKING:
    from jina.types.document import Document

_ROWS = 256  # in a page, and no more after so many bytes:
_BYTES = 2**24


class _Held:
    """A Document in memory, and what is known of its row.

    :ivar id: the id in the row, which that of the Document may differ from.
    :ivar mark: what :func:`_mark` gave when row and Document were equal; None when that is not known.
    """

    __slots__ = ('doc', 'id', 'mark', 'stamp')

    def __init__(self, doc: 'Document', stamp: int, mark: int | None) -> None:
        self.doc, self.id, self.stamp, self.mark = doc, doc._id, stamp, mark

    @property
    def changed(self) -> bool:
        return _mark(self.doc) != self.mark


class Shelf:
    """The Documents of ``store``, at most ``capacity`` of them in memory; more while a larger batch is in use."""

    def __init__(self, store: Store, capacity: int) -> None:
        self.store = store
        self._capacity = capacity
        self._held: OrderedDict[int, _Held] = OrderedDict()
        # What the transaction under way adds and removes; None when there is none.
        self._added: OrderedDict[int, _Held] | None = None
        self._removed: dict[int, _Held] = {}
        self._renames = renames.count
        store.moved, store.undone, store.refreshed = self._follow, self._distrust, self._find_again

    # In step with the store

    def _follow(self, old: list[int], new: list[int]) -> None:
        """Rows have got other places."""
        where = dict(zip(old, new, strict=True))
        self._held = OrderedDict((where.get(place, place), held) for place, held in self._held.items())
        if self._added is not None:
            self._added = OrderedDict((where.get(place, place), held) for place, held in self._added.items())

    def _distrust(self) -> None:
        """A transaction was rolled back: what it has written is to be written again when its turn comes."""
        for held in self._held.values():
            held.mark = None

    def _find_again(self) -> None:
        """Another process has written: find the rows again that are not where they were."""
        there = self.store.ids_at(list(self._held))
        astray = [held for place, held in self._held.items() if there.get(place) != held.id]
        self._held = OrderedDict((place, held) for place, held in self._held.items() if there.get(place) == held.id)
        for held in astray:
            place = self.store.place_of(held.id)
            if place is not None:  # else it was removed, and stays so
                self._held.setdefault(place, held)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """All changes inside are made at the end, or none of them when something is raised."""
        with self.store.lock:
            if self._added is not None:  # inside of another one; that one ends it
                yield
                return
            self.write_renamed()
            self._added = OrderedDict()
            try:
                with self.store.writing():
                    yield
                self._removed.clear()
                self._hold(self._added)
            finally:
                self._held.update(self._removed)
                self._removed.clear()
                self._added = None

    def _hold(self, new: OrderedDict[int, _Held]) -> None:
        self._held.update(new)
        for place in new:
            self._held.move_to_end(place)
        self._put_away(1)

    # Out of the store

    def picked(self, choose: Callable[[], Iterable[int]]) -> 'list[Document]':
        """Return the Documents at the places that ``choose`` gives; it may ask the store."""
        store = self.store
        with store.lock:
            self.write_renamed()
            with store.reading():
                docs = [self._doc(place) for place in choose()]
            self._put_away(len(docs))
            return docs

    def _doc(self, place: int) -> 'Document':
        held = self._held.get(place)
        if held is not None and held.stamp == self.store.stamp_at(place):
            self._held.move_to_end(place)
            return held.doc
        return self._doc_of(self.store.row_at(place), lent=True)

    def pages(self, size: int | None = None, lent: bool = True) -> 'Iterator[list[Document]]':
        """Yield all Documents in order, ``size`` at a time; by default as many as fit well into memory.

        :param lent: whether what is changed in them shall be written back.
        """
        last = None
        while page := self._page(last, size, lent):
            docs, last = page
            yield docs

    def _page(self, after: int | None, size: int | None, lent: bool) -> 'tuple[list[Document], int] | None':
        with self.store.lock:
            rows = self.store.page(after, size or _ROWS, None if size else _BYTES)
            docs = [self._doc_of(row, lent) for row in rows]
            if lent:
                self._put_away(len(docs))
        return (docs, rows[-1].place) if rows else None

    def _doc_of(self, row: Row, lent: bool) -> 'Document':
        held = self._held.get(row.place)
        if held is not None:
            if held.stamp == row.stamp or held.changed:  # changed here and by another process: the last one counts
                held.stamp = row.stamp
                self._held.move_to_end(row.place)
                return held.doc
            del self._held[row.place]
        doc = _decoded(row, self.store)
        if lent:
            self._held[row.place] = _Held(doc, row.stamp, _mark(doc))
        return doc

    # Into the store

    def extend(self, docs: 'Iterable[Document]') -> None:
        """Add Documents at the end; one whose id is there already takes the place of that one."""
        with self.changing():
            for part in _parts(docs):
                latest = {doc._id: doc for doc in part}
                known = self.store.places_of(list(latest))
                for name, place in known.items():
                    self.replace(place, latest[name])
                new = [_row(doc) for name, doc in latest.items() if name not in known]
                self._add(self.store.append([row for _, row in new]), [held for held, _ in new])

    def insert(self, position: int, docs: 'list[Document]') -> None:
        """Add Documents before ``position``."""
        with self.changing():
            new = [_row(doc) for doc in docs]
            self._add(self.store.insert(position, [row for _, row in new]), [held for held, _ in new])

    def replace(self, place: int, doc: 'Document') -> None:
        """Let ``doc`` take the place of what is there."""
        with self.changing():
            held, row = _row(doc)
            self.store.replace(place, *row)
            self._take_out([place])
            self._add([place], [held])

    def delete(self, places: list[int]) -> None:
        """Remove what is at those places."""
        with self.changing():
            self.store.delete(places)
            self._take_out(places)

    def clear(self) -> None:
        """Remove every Document."""
        with self.changing():
            self.store.clear()
            self._take_out(list(self._held))

    def sort(self, key: 'Callable[[Document], Any]', reverse: bool) -> None:
        """Bring the Documents into the order of what ``key`` gives for them."""
        with self.changing():
            keys = [key(doc) for page in self.pages(lent=False) for doc in page]
            places = self.store.places(0, len(keys))
            order = sorted(range(len(keys)), key=keys.__getitem__, reverse=reverse)
            self.store.reorder([places[position] for position in order])

    def _take_out(self, places: list[int]) -> None:
        for place in places:
            if place in self._held:
                self._removed[place] = self._held.pop(place)

    def _add(self, places: list[int], new: list[_Held]) -> None:
        added = self._added
        assert added is not None
        for place, held in zip(places, new, strict=True):
            added[place] = held
        while len(added) > self._capacity:
            added.popitem(last=False)

    # Back into the store

    def write_back(self) -> None:
        """Write all Documents that were changed."""
        with self.store.lock:
            self._write(list(self._held.items()))

    def write_renamed(self) -> None:
        """Write the Documents whose id was changed, so that they are found by it."""
        if self._renames != renames.count:
            self._renames = renames.count
            self._write([(place, held) for place, held in self._held.items() if held.doc._id != held.id])

    def forget(self) -> None:
        """Write what was changed, and read everything again when it is asked for."""
        with self.store.lock:
            self.write_back()
            self._held.clear()

    def close(self) -> None:
        """Write what was changed, and close the store, even if that fails."""
        with self.store.lock:
            try:
                self.forget()
            finally:
                self._held.clear()
                self.store.close()

    def _put_away(self, used: int) -> None:
        """Put the Documents away that were not used for longest, but none of the last ``used``."""
        surplus = len(self._held) - max(self._capacity, used)
        if surplus <= 0:
            return
        oldest = list(islice(self._held.items(), surplus))
        self._write(oldest)
        for place, held in oldest:
            if self._held.get(place) is held:
                del self._held[place]

    def _write(self, candidates: list[tuple[int, _Held]]) -> None:
        changed = [(place, held) for place, held in candidates if held.changed]
        if not changed:
            return
        with self.store.writing():
            for known, held in changed:
                place = self._place_of(held, known)
                if place is not None:
                    now, row = _row(held.doc)
                    self.store.replace(place, *row)
                    held.id, held.stamp, held.mark = now.id, now.stamp, now.mark

    def _place_of(self, held: _Held, known: int) -> int | None:
        """Return where ``held`` is now: when the transaction began its row may have been found elsewhere."""
        if self._held.get(known) is held:
            return known
        return next((place for place, other in self._held.items() if other is held), None)


def _parts(docs: 'Iterable[Document]') -> 'Iterator[list[Document]]':
    part: list[Document] = []
    for doc in docs:
        part.append(doc)
        if len(part) == _ROWS:
            yield part
            part = []
    if part:
        yield part


def _row(doc: 'Document') -> tuple[_Held, tuple[str, int, bytes]]:
    """Return the Document as what is held in memory, and as (id, stamp, body)."""
    held = _Held(doc, new_stamp(), _mark(doc))
    return held, (held.id, held.stamp, _encoded(doc))


def _encoded(doc: 'Document') -> bytes:
    from jina.types.native import encode

    try:
        return b''.join(encode([doc]))
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise BadDocType(f'Document {doc._id!r} cannot be stored: {error}') from error


def _decoded(row: Row, store: Store) -> 'Document':
    from jina.types.native import decode

    try:
        docs, _ = decode(bytearray(row.body))  # a bytearray, so that its arrays may be written to
        (doc,) = docs
    except (BadDocument, ValueError) as error:
        raise StoreError(f'{store.path}: the Document {row.id!r} is corrupt: {error}') from error
    return doc


def _mark(doc: 'Document') -> int:
    """Return a number that is another one when the content is another one."""
    try:
        return hash(_fingerprint(doc))
    except TypeError:
        return hash(_encoded(doc))


def _flat(value: Any) -> Any:
    if type(value) is not np.ndarray:
        raise TypeError
    return value.dtype.str, value.shape, value.tobytes()


# Several times faster than the encoding itself, and never decoded.
_fingerprint: Callable[[Any], bytes] = msgspec.msgpack.Encoder(enc_hook=_flat).encode
