"""Rows in an order, on disk: SQLite in WAL mode.

A row is (place, id, stamp, body): the order is that of places (see ``blocks``), and a row gets another stamp with
every change of its content, so that a copy of it is known to be true without a look at the body. Each change is
one transaction: other processes and threads see all of it or nothing, and of a process that dies none is left
half-done. Commits survive the death of the process; of a power failure the last ones may not, the others do.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import getrandbits
from threading import RLock
from typing import Any, NamedTuple

from jina.excepts import StoreError
from jina.types.arrays.blocks import GAP, Blocks, spread

FILE = 'documents.sqlite'
BUSY_SECONDS = 10.0

_APPLICATION = 0x6A696E61  # 'jina'
_SCHEMA = """
CREATE TABLE documents (place INTEGER PRIMARY KEY, id TEXT NOT NULL, stamp INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX documents_by_id ON documents (id);
CREATE TABLE blocks (block INTEGER PRIMARY KEY, count INTEGER NOT NULL);
"""
_HEADER = 512  # bytes of the smallest file of SQLite
_FAR = 2**62  # farther than any place
_TERMS = 500  # in one query; some builds of SQLite take no more than 999


class Row(NamedTuple):
    """One row."""

    place: int
    id: str
    stamp: int
    body: bytes


def new_stamp() -> int:
    """Return a stamp that no other content has."""
    return getrandbits(62)


class Store:
    """The rows in the folder ``path``, which is made if it is missing. Any thread may use it.

    :ivar moved: called when rows get other places, with the old and the new ones.
    :ivar undone: called after changes were rolled back.
    :ivar refreshed: called in the first transaction after that, or after another connection has written.
    :raises StoreError: here and everywhere, naming the path.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.moved: Callable[[list[int], list[int]], None] = lambda old, new: None
        self.undone: Callable[[], None] = lambda: None
        self.refreshed: Callable[[], None] = lambda: None
        self.lock = RLock()
        self._depth = 0
        self._version = -1
        self._blocks = Blocks([])
        with self._named_errors():
            self._connection = _opened(path)

    # Transactions

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f'{self.path}: {_explained(error)}') from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """All that is read inside is of one state of the store."""
        with self._transaction('BEGIN') as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """All that is written inside is written at the end, or none of it when something is raised."""
        with self._transaction('BEGIN IMMEDIATE') as connection:
            yield connection

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self.lock, self._named_errors():
            connection = self._connection
            if self._depth:  # inside of another one; that one ends it
                yield connection
                return
            connection.execute(begin)
            self._depth, changes = 1, connection.total_changes
            try:
                self._refresh()
                yield connection
                self._write_counts()
                connection.execute('COMMIT')
            except BaseException:
                changed = connection.total_changes != changes
                if connection.in_transaction:  # of some errors SQLite itself rolls back
                    connection.execute('ROLLBACK')
                if changed:
                    self._version = -1  # what was counted inside did not happen
                    self.undone()
                raise
            finally:
                self._depth = 0

    def _refresh(self) -> None:
        """Count again if another connection has written."""
        version = self._value('PRAGMA data_version')
        if version != self._version:
            self._blocks = Blocks(self._connection.execute('SELECT block, count FROM blocks ORDER BY block').fetchall())
            self._version = version
            self.refreshed()

    def _write_counts(self) -> None:
        changed = self._blocks.changed
        if changed:
            self._connection.executemany('REPLACE INTO blocks VALUES (?, ?)', changed.items())
            changed.clear()

    def _value(self, query: str, *parameters: Any) -> Any:
        row = self._connection.execute(query, parameters).fetchone()
        return None if row is None else row[0]

    # Reading

    def __len__(self) -> int:
        with self.reading():
            return self._blocks.total

    def place_at(self, position: int) -> int:
        """Return the place of the row at ``position`` ≥ 0."""
        found: int = self._value(
            'SELECT place FROM documents WHERE place >= ? ORDER BY place LIMIT 1 OFFSET ?',
            *self._blocks.located(position),
        )
        return found

    def places(self, start: int, stop: int) -> list[int]:
        """Return the places of the rows from position ``start`` to before ``stop``."""
        if start >= stop:
            return []
        with self.reading() as connection:
            begin, offset = self._blocks.located(start)
            rows = connection.execute(
                'SELECT place FROM documents WHERE place >= ? ORDER BY place LIMIT ? OFFSET ?',
                (begin, stop - start, offset),
            )
            return [place for (place,) in rows]

    def position_of(self, place: int) -> int:
        """Return how many rows come before ``place``."""
        begin, before = self._blocks.begin(place)
        inside: int = self._value('SELECT count(*) FROM documents WHERE place >= ? AND place < ?', begin, place)
        return before + inside

    def stamp_at(self, place: int) -> int:
        """Return the stamp of the row at a place that is taken."""
        stamp: int = self._value('SELECT stamp FROM documents WHERE place = ?', place)
        return stamp

    def row_at(self, place: int) -> Row:
        """Return the row at a place that is taken."""
        rows = self._connection.execute('SELECT place, id, stamp, body FROM documents WHERE place = ?', (place,))
        return Row(*rows.fetchone())

    def place_of(self, name: str) -> int | None:
        """Return the place of the first row of that id, or None."""
        found: int | None = self._value('SELECT min(place) FROM documents WHERE id = ?', name)
        return found

    def places_of(self, names: list[str]) -> dict[str, int]:
        """Return the places of those ids that are there."""
        found: dict[str, int] = {}
        for part, marks in _in_parts(names):
            query = f'SELECT id, min(place) FROM documents WHERE id IN ({marks}) GROUP BY id'
            found.update(self._connection.execute(query, part))
        return found

    def ids_at(self, places: list[int]) -> dict[int, str]:
        """Return the ids of the rows at those places that are taken."""
        found: dict[int, str] = {}
        for part, marks in _in_parts(places):
            found.update(self._connection.execute(f'SELECT place, id FROM documents WHERE place IN ({marks})', part))
        return found

    def page(self, after: int | None, rows: int, size: int | None = None) -> list[Row]:
        """Return the next rows after that place, at most ``rows``, and few if they have more than ``size`` bytes."""
        page: list[Row] = []
        with self.reading() as connection:
            cursor = connection.execute(
                'SELECT place, id, stamp, body FROM documents WHERE place > ? ORDER BY place LIMIT ?',
                (-_FAR if after is None else after, rows),
            )
            for row in map(Row._make, cursor):
                page.append(row)
                if size is not None and (size := size - len(row.body)) < 0:
                    break
            cursor.close()
        return page

    # Writing

    def append(self, rows: list[tuple[str, int, bytes]]) -> list[int]:
        """Add (id, stamp, body) at the end; return their places."""
        last = self._value('SELECT max(place) FROM documents')
        first = 0 if last is None else last + GAP
        places = list(range(first, first + len(rows) * GAP, GAP))
        self._add(places, rows)
        return places

    def insert(self, position: int, rows: list[tuple[str, int, bytes]]) -> list[int]:
        """Add (id, stamp, body) before the row at ``position``; return their places."""
        if position >= self._blocks.total:
            return self.append(rows)
        right, count = self.place_at(position), len(rows)
        if position == 0:
            places = list(range(right - count * GAP, right, GAP))
        else:
            left = self._value('SELECT max(place) FROM documents WHERE place < ?', right)
            enough = right - left > count
            places = spread(left + 1, right, count) if enough else self._spread_around(right, count)
        self._add(places, rows)
        return places

    def _add(self, places: list[int], rows: list[tuple[str, int, bytes]]) -> None:
        self._connection.executemany(
            'INSERT INTO documents VALUES (?, ?, ?, ?)',
            ((place, *row) for place, row in zip(places, rows, strict=True)),
        )
        self._blocks.count(places, 1)

    def _spread_around(self, right: int, count: int) -> list[int]:
        """Move the rows around ``right`` apart; return ``count`` free places before the row that was there."""
        begin, end = self._blocks.roomy(right, count)
        found = self._connection.execute(
            'SELECT place FROM documents WHERE place >= ? AND place < ? ORDER BY place', (begin, end)
        )
        old = [place for (place,) in found]
        free = spread(begin, end, len(old) + count)
        hole = old.index(right)
        new = free[:hole] + free[hole + count :]
        self._connection.execute(
            'UPDATE documents SET place = place + ? WHERE place >= ? AND place < ?', (_FAR, begin, end)
        )
        self._move([place + _FAR for place in old], new)
        self._blocks.count(old, -1)
        self._blocks.count(new, 1)
        self.moved(old, new)
        return free[hole : hole + count]

    def _move(self, old: list[int], new: list[int]) -> None:
        self._connection.executemany('UPDATE documents SET place = ? WHERE place = ?', zip(new, old, strict=True))

    def reorder(self, places: list[int]) -> None:
        """Bring all rows into the order of ``places``, which are those of all rows."""
        if not places:
            return
        first = max(places) + GAP
        new = list(range(first, first + len(places) * GAP, GAP))
        self._move(places, new)
        self._blocks.count(sorted(places), -1)
        self._blocks.count(new, 1)
        self.moved(places, new)

    def replace(self, place: int, name: str, stamp: int, body: bytes) -> None:
        """Change the content of the row at ``place``."""
        self._connection.execute(
            'UPDATE documents SET id = ?, stamp = ?, body = ? WHERE place = ?', (name, stamp, body, place)
        )

    def delete(self, places: Iterable[int]) -> None:
        """Remove the rows at those places."""
        places = sorted(places)
        self._connection.executemany('DELETE FROM documents WHERE place = ?', ((place,) for place in places))
        self._blocks.count(places, -1)

    def clear(self) -> None:
        """Remove all rows."""
        self._connection.execute('DELETE FROM documents')
        self._connection.execute('DELETE FROM blocks')
        self._blocks = Blocks([])

    # The files

    @property
    def size(self) -> int:
        """How many bytes the files have."""
        files = (self.path / f'{FILE}{suffix}' for suffix in ('', '-wal'))
        return sum(file.stat().st_size for file in files if file.exists())

    def prune(self) -> None:
        """Give the room of what was removed back to the disk."""
        with self.lock, self._named_errors():
            self._connection.execute('VACUUM')
            self._connection.execute('PRAGMA wal_checkpoint(TRUNCATE)').fetchone()

    def close(self) -> None:
        """Close the files; to do so twice is no error."""
        with self.lock, self._named_errors():
            self._connection.close()


def _in_parts(values: list[Any]) -> Iterator[tuple[list[Any], str]]:
    """Yield some of the values, and as many question marks."""
    for start in range(0, len(values), _TERMS):
        part = values[start : start + _TERMS]
        yield part, ', '.join('?' * len(part))


def _opened(path: Path) -> sqlite3.Connection:
    if path.exists() and not path.is_dir():
        raise StoreError(f'{path} is no folder: a DocumentArrayMemmap is a folder with a file {FILE}')
    if not (path / FILE).exists() and (path / 'header.bin').exists() and (path / 'body.bin').exists():
        raise StoreError(
            f'{path} holds header.bin and body.bin of Jina 2.0, which cannot be read here; '
            'write its Documents to a file with save() there, and load that'
        )
    file = path / FILE
    if file.exists() and 0 < file.stat().st_size < _HEADER:  # SQLite would take it for an empty one
        raise StoreError(f'{path}: the file {FILE} is corrupt or no database')
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f'{path} cannot be made: {error}') from error
    connection = sqlite3.connect(file, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        _prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute('PRAGMA journal_mode = WAL').fetchone()
    connection.execute('PRAGMA synchronous = NORMAL')
    if _kind(connection) != (_APPLICATION, True):
        connection.execute('BEGIN IMMEDIATE')  # two processes may open a new one at once
        kind = _kind(connection)
        if kind == (0, False):
            for statement in _SCHEMA.split(';'):
                connection.execute(statement)
            connection.execute(f'PRAGMA application_id = {_APPLICATION}')
        connection.execute('COMMIT')
        if kind not in ((0, False), (_APPLICATION, True)):
            raise StoreError(f'{path / FILE} is another kind of database, not that of a DocumentArrayMemmap')


def _kind(connection: sqlite3.Connection) -> tuple[int, bool]:
    """Return the id of the application that made the file, and whether anything is in it."""
    (application,) = connection.execute('PRAGMA application_id').fetchone()
    return application, connection.execute('SELECT 1 FROM sqlite_master').fetchone() is not None


def _explained(error: sqlite3.Error) -> str:
    text = str(error)
    if 'locked' in text or 'busy' in text:
        return f'another process or thread has been writing for more than {BUSY_SECONDS:g} s ({text})'
    if 'closed' in text:
        return 'this DocumentArrayMemmap is closed'
    if isinstance(error, sqlite3.OperationalError):
        return text
    return f'the file {FILE} is corrupt or no database ({text})'
