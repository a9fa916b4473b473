"""DocumentArrays in files."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import IO, TYPE_CHECKING, Any

from jina.excepts import BadDocument, BadOption
from jina.types.shorten import shorten

if TYPE_CHECKING:
    from jina.types.document import Document


def save(docs: 'Sequence[Document]', file: Any, file_format: str) -> None:
    """Write ``docs`` to a path or handle as ``json`` or ``binary``."""
    _check(file_format)
    with _opened(file, 'wb') as handle:
        if file_format == 'json':
            _save_json(docs, handle)
        else:
            _save_binary(docs, handle)


def _save_json(docs: 'Sequence[Document]', handle: IO[Any]) -> None:
    as_text = isinstance(handle, io.TextIOBase)
    for doc in docs:
        line = f'{doc.json()}\n'
        handle.write(line if as_text else line.encode())


def _save_binary(docs: 'Sequence[Document]', handle: IO[Any]) -> None:
    from jina.types.native import encode

    for buffer in encode(docs):
        handle.write(buffer)


def load(file: Any, file_format: str) -> 'list[Document]':
    """Return the Documents that :func:`save` wrote to a path or handle."""
    _check(file_format)
    with _opened(file, 'rb') as handle:
        return list(_load_json(handle)) if file_format == 'json' else _load_binary(handle)


def _load_json(handle: IO[Any]) -> 'Iterator[Document]':
    from jina.types.document import document_from_dict
    from jina.types.document.reading import parse_json

    for number, line in enumerate(handle, 1):
        if line.strip():
            try:
                yield document_from_dict(parse_json(line))
            except BadDocument as error:
                raise BadDocument(f'line {number}: {error}') from error


def _load_binary(handle: IO[Any]) -> 'list[Document]':
    from jina.types.native import decode, is_native

    body = bytearray(handle.read())
    try:
        return decode(body)[0]
    except BadDocument as error:
        # A file of release 2 may begin as ours do, so that it is tried in any case.
        return _of_release_2(bytes(body), error if is_native(body) else None)


def _of_release_2(body: bytes, otherwise: BadDocument | None) -> 'list[Document]':
    """Return the Documents of a file that release 2 wrote.

    :param otherwise: the error when it is none, by default one that says so.
    """
    from jina.types.protobuf import decode_array

    try:
        return decode_array(body)
    except BadDocument as error:
        if otherwise:
            raise otherwise from None
        cut = '; if 2.x wrote it, it was cut' if body[:1] == b'\n' else ''
        told = f'no file that save(file_format="binary") wrote, neither here nor in 2.x{cut}: {shorten(body)}'
        raise BadDocument(told) from error


@contextmanager
def _opened(file: Any, mode: str) -> Iterator[IO[Any]]:
    if not isinstance(file, (str, PathLike)):
        yield file
        return
    with open(file, mode) as handle:
        yield handle


def _check(file_format: str) -> None:
    if file_format not in ('json', 'binary'):
        raise BadOption(f'file_format is "json" or "binary", not {file_format!r}')
