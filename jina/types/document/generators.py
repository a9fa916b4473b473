"""Documents out of files, lines, tables and arrays, one at a time."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from glob import iglob
from itertools import islice
from os import PathLike, fspath
from os.path import isfile
from random import random
from typing import Any

import numpy as np

from jina.excepts import BadDocType, BadDocument, BadOption
from jina.types.document import Document
from jina.types.document.reading import parse_json, snake
from jina.types.ndarray import Array, as_array
from jina.types.shorten import shorten

__all__ = ['from_csv', 'from_files', 'from_lines', 'from_ndarray', 'from_ndjson']

Lines = Iterable[str] | Iterable[bytes]

# In a table everything is text. In these columns it stands for something else; JSON is a way to write all of them.
_PARSED = frozenset(
    {'weight', 'offset', 'granularity', 'adjacency', 'location', 'blob', 'embedding', 'tags'}
    | {'chunks', 'matches', 'scores', 'evaluations', 'graph'}
)


def from_csv(
    fp: Lines,
    field_resolver: Mapping[str, str] | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
    dialect: str | type[csv.Dialect] = 'excel',
) -> Iterator[Document]:
    """Yield a Document for each row of a table; the first line has the names of the columns.

    A column that is named like an attribute sets it, any other goes to ``tags`` as text. Empty cells are left out.

    :param fp: an open file, or any iterable of lines.
    :param field_resolver: renames columns: ``{'theirs': 'ours'}``.
    :param size: how many Documents at most.
    :param sampling_rate: which share of the rows to yield, chosen at random.
    :param dialect: how the cells are separated and quoted, as in the module :mod:`csv`.
    :raises BadDocument: naming the line that cannot be read.
    """
    return _chosen(_csv_documents(fp, dict(field_resolver or {}), dialect), size, sampling_rate)


def _csv_documents(fp: Lines, names: dict[str, str], dialect: Any) -> Iterator[Document]:
    rows = csv.DictReader(_text(fp), dialect=dialect, strict=True)
    try:
        for row in rows:
            yield _read_row(row, names)
    except (BadDocument, BadDocType, csv.Error) as error:
        raise BadDocument(f'line {rows.reader.line_num}: {error}') from error


def _read_row(row: dict[Any, Any], names: dict[str, str]) -> Document:
    if None in row:
        raise BadDocument(f'{len(row[None])} cells more than there are columns: {shorten(row[None])}')
    renamed = {names.get(column, column): cell for column, cell in row.items() if cell}
    return Document({column: _cell(column, cell) for column, cell in renamed.items()})


def _cell(column: str, cell: str) -> Any:
    if snake(column) not in _PARSED:
        return cell
    try:
        return parse_json(f'{{"value": {cell}}}')['value']
    except BadDocument as error:
        raise BadDocument(f'{column}: neither a number nor JSON: {shorten(cell)}') from error


def from_ndjson(
    fp: Lines,
    field_resolver: Mapping[str, str] | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
) -> Iterator[Document]:
    """Yield a Document for each line, which is a JSON object. Empty lines are skipped.

    :param fp: an open file, or any iterable of lines.
    :param field_resolver: renames keys: ``{'theirs': 'ours'}``; keys that are no attribute go to ``tags``.
    :param size: how many Documents at most.
    :param sampling_rate: which share of the lines to yield, chosen at random.
    :raises BadDocument: naming the line that cannot be read.
    """
    return _sampled(_text(fp), size, sampling_rate, lambda line: Document(line, field_resolver=field_resolver))


def from_lines(
    lines: Lines | None = None,
    filepath: str | PathLike[str] | None = None,
    read_mode: str = 'r',
    line_format: str = 'json',
    field_resolver: Mapping[str, str] | None = None,
    size: int | None = None,
    sampling_rate: float | None = None,
) -> Iterator[Document]:
    """Yield a Document for each line. Empty lines are skipped.

    :param lines: any iterable of lines.
    :param filepath: a file to read the lines of, instead.
    :param read_mode: ``r`` or ``rb``; the text is UTF-8 either way.
    :param line_format: ``json`` as :func:`from_ndjson`, ``csv`` as :func:`from_csv`, or ``text``.
    :param field_resolver: renames keys and columns: ``{'theirs': 'ours'}``.
    :param size: how many Documents at most.
    :param sampling_rate: which share of the lines to yield, chosen at random.
    :raises BadOption: when not exactly one of ``lines`` and ``filepath`` is given, or a value is unknown.
    :raises BadDocument: naming the line that cannot be read.
    """
    if (lines is None) == (filepath is None):
        raise BadOption('from_lines() takes either lines or filepath')
    if read_mode not in ('r', 'rb'):
        raise BadOption(f'read_mode is "r" or "rb", not {read_mode!r}')
    source = _lines_of(filepath) if filepath is not None else lines
    assert source is not None
    if line_format == 'json':
        return from_ndjson(source, field_resolver, size, sampling_rate)
    if line_format == 'csv':
        return from_csv(source, field_resolver, size, sampling_rate)
    if line_format == 'text':
        return _sampled(_text(source), size, sampling_rate, lambda line: Document(text=line.rstrip('\r\n')))
    raise BadOption(f'line_format is "json", "csv" or "text", not {line_format!r}')


def _lines_of(path: str | PathLike[str]) -> Iterator[bytes]:
    with open(path, 'rb') as file:
        yield from file


def from_files(
    patterns: str | PathLike[str] | Iterable[str | PathLike[str]],
    recursive: bool = True,
    size: int | None = None,
    sampling_rate: float | None = None,
    read_mode: str | None = None,
) -> Iterator[Document]:
    """Yield a Document for each file, with its path as ``uri``.

    :param patterns: one or several patterns, as in :mod:`glob`: ``'data/**/*.png'``.
    :param recursive: whether ``**`` stands for any number of folders.
    :param size: how many Documents at most.
    :param sampling_rate: which share of the files to yield, chosen at random.
    :param read_mode: None for ``uri`` only; ``r`` to set ``text`` as well, ``rb`` to set ``buffer``.
    :raises BadOption: for another ``read_mode``.
    :raises BadDocument: naming the file that cannot be read.
    """
    if read_mode not in (None, 'r', 'rb'):
        raise BadOption(f'read_mode is "r", "rb" or None, not {read_mode!r}')
    several = [patterns] if isinstance(patterns, str | PathLike) else patterns
    found = (path for pattern in several for path in iglob(fspath(pattern), recursive=recursive) if isfile(path))
    chosen = _chosen(found, size, sampling_rate)
    return (_of_file(path, read_mode) for path in chosen)


def _of_file(path: str, read_mode: str | None) -> Document:
    doc = Document(uri=path)
    if read_mode is None:
        return doc
    try:
        with open(path, 'rb') as file:
            doc.buffer = file.read()
        if read_mode == 'r':
            doc.text = doc.buffer.decode('utf-8-sig')
    except (OSError, UnicodeDecodeError) as error:
        raise BadDocument(f'cannot read {path!r}: {error}') from error
    return doc


def from_ndarray(array: Array, axis: int = 0, size: int | None = None, shuffle: bool = False) -> Iterator[Document]:
    """Yield a Document for each slice of an array, with the slice, a view of it, as ``blob``.

    :param axis: the axis to slice along.
    :param size: how many Documents at most.
    :param shuffle: yield them in random order; the array stays as it is.
    :raises BadOption: when the array has no such axis.
    """
    whole = as_array(array, 'from_ndarray()')
    if not -whole.ndim <= axis < whole.ndim:
        raise BadOption(f'an array of shape {whole.shape} has no axis {axis}')
    slices = np.moveaxis(whole, axis, 0)
    count = len(slices) if size is None else min(size, len(slices))
    order = np.random.default_rng().permutation(len(slices))[:count] if shuffle else range(count)
    return (Document(blob=slices[position, ...]) for position in order)


# What they share


def _text(lines: Any) -> Iterator[str]:
    """Yield the lines as str, without the mark of UTF-8 that some programs begin a file with."""
    if isinstance(lines, str | bytes):
        raise BadOption(f'lines come from an open file or an iterable of them, not from one {type(lines).__name__}')
    for number, line in enumerate(lines, 1):
        try:
            text = line if isinstance(line, str) else bytes(line).decode()
        except (UnicodeDecodeError, TypeError) as error:
            raise BadDocument(f'line {number}: no text in UTF-8: {error}') from error
        yield text.removeprefix('\ufeff') if number == 1 else text


def _sampled(lines: Iterator[str], size: int | None, sampling_rate: float | None, read: Any) -> Iterator[Document]:
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    for number, line in _chosen(numbered, size, sampling_rate):
        try:
            yield read(line)
        except (BadDocument, BadDocType) as error:
            raise BadDocument(f'line {number}: {error}') from error


def _chosen(items: Iterator[Any], size: int | None, sampling_rate: float | None) -> Iterator[Any]:
    if sampling_rate is not None and not 0 <= sampling_rate <= 1:
        raise BadOption(f'sampling_rate is a share between 0 and 1, not {sampling_rate}')
    if size is not None and size < 0:
        raise BadOption(f'size is 0 or more, not {size}')
    sampled = items if sampling_rate is None else (item for item in items if random() < sampling_rate)
    return islice(sampled, size)
