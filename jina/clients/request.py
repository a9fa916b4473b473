"""From what ``inputs`` may be to batches of Documents."""

from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import islice
from typing import Any

from jina.excepts import BadClientInput
from jina.types.document import Document

Batch = tuple[list[Document], list[Document]]
"""(docs, groundtruths)"""

ALL = 1 << 62
_ONLY_DOCUMENTS = {Document}


def is_async(inputs: Any) -> bool:
    """Whether ``inputs``, once called if it can be, is to be read with ``async for``."""
    return hasattr(inputs, '__aiter__')


def called(inputs: Any) -> Any:
    """``inputs``, or what it returns where it is a function.

    :raises BadClientInput: if the function raises.
    """
    if not callable(inputs) or isinstance(inputs, Document):
        return inputs
    try:
        return inputs()
    except Exception as error:
        raise _raised(error, 0) from error


def batches(inputs: Any, request_size: int) -> Iterator[Batch]:
    """Cut ``inputs`` into batches: an empty one where there is nothing, but none for an iterator that has nothing.

    :param inputs: a Document, the id of one, an iterable of Documents or of pairs (Document, groundtruth), or ``None``.
    :param request_size: Documents a batch; ≤ 0: all in one.
    :raises BadClientInput: if it is something else, or raises while it is read.
    """
    items = _items(inputs)
    size = request_size if request_size > 0 else ALL
    position = 0
    while True:
        try:
            batch = list(islice(items, size))
        except Exception as error:
            raise _raised(error, position) from error
        if batch or (position == 0 and not isinstance(inputs, Iterator)):
            yield _sides(batch, position)
        position += len(batch)
        if len(batch) < size:
            return


async def async_batches(inputs: Any, request_size: int) -> AsyncIterator[Batch]:
    """The same for an async iterable."""
    size = request_size if request_size > 0 else ALL
    batch: list[Any] = []
    position = 0
    try:
        async for item in inputs:
            batch.append(item)
            if len(batch) >= size:
                yield _sides(batch, position)
                position += len(batch)
                batch = []
    except BadClientInput:
        raise
    except Exception as error:
        raise _raised(error, position + len(batch)) from error
    if batch:
        yield _sides(batch, position)


def size_hint(inputs: Any) -> int | None:
    """How many Documents there are, where that is known beforehand.

    :raises BadClientInput: if ``len(inputs)`` raises anything but a ``TypeError``, by which it says that it has none.
    """
    if inputs is None:
        return 0
    if isinstance(inputs, Document | str):
        return 1
    try:
        return len(inputs)
    except TypeError:
        return None
    except Exception as error:
        raise _raised(error, 0) from error


def _items(inputs: Any) -> Iterator[Any]:
    if inputs is None:
        return iter(())
    if isinstance(inputs, Document):
        return iter((inputs,))
    if isinstance(inputs, str):
        return iter((Document(id=inputs),))
    if isinstance(inputs, bytes | dict) or not isinstance(inputs, Iterable):
        raise BadClientInput(
            f'inputs is a {type(inputs).__name__}: it takes a Document or its id, an iterable of Documents, '
            'a function that returns either, or None; wrap content as Document(content=…)'
        )
    try:
        return iter(inputs)
    except Exception as error:
        raise _raised(error, 0) from error


def _raised(error: Exception, position: int) -> BadClientInput:
    return BadClientInput(f'inputs raised {type(error).__name__} after {position} Documents or more: {error}')


def _sides(batch: list[Any], position: int) -> Batch:
    if set(map(type, batch)) == _ONLY_DOCUMENTS:
        return batch, []
    docs, groundtruths = [], []
    for i, item in enumerate(batch, position):
        doc, groundtruth = item if isinstance(item, tuple) and len(item) == 2 else (item, None)
        docs.append(_checked(doc, i))
        if groundtruth is not None:
            groundtruths.append(_checked(groundtruth, i))
    return docs, groundtruths


def _checked(item: Any, position: int) -> Document:
    if isinstance(item, Document):
        return item
    raise BadClientInput(
        f'inputs holds a {type(item).__name__} at position {position}: it takes Documents, '
        'or pairs (Document, groundtruth); wrap content as Document(content=…)'
    )


def request_generator(inputs: Any, request_size: int = 100) -> Iterator[Batch]:
    """:func:`batches`, with ``inputs`` called first if it is a function."""
    return batches(called(inputs), request_size)
