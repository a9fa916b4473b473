"""Whose are the documents that a shared call left."""

from collections.abc import Sequence

from jina.excepts import BadDocType
from jina.types.document import Document


def split(given: Sequence[Sequence[Document]], left: Sequence[Document]) -> list[list[Document]]:
    """Give each request its own.

    Documents that were given to the call belong to whom they belonged before, in whatever order they are now. Others go
    by their place, if there are as many as were given.

    :param given: the documents of each request, as the call was given them one after the other.
    :param left: the documents that the call left or returned.
    :raises BadDocType: if it cannot be told whose they are.
    """
    owners = {id(doc): n for n, docs in enumerate(given) for doc in docs}
    by_identity = [owners.get(id(doc)) for doc in left]
    places = [n for n, docs in enumerate(given) for _ in docs]
    if None in by_identity and not _fit(by_identity, places):
        raise BadDocType(
            f'returned {len(left)} Documents in a call with {len(places)} of {len(given)} requests, so that it cannot '
            'be told whose they are: a method with batch= must return one for each, in their order, or only such as it '
            'was given'
        )
    shares: list[list[Document]] = [[] for _ in given]
    for n, doc in zip(places if None in by_identity else by_identity, left, strict=True):
        shares[n].append(doc)  # type: ignore[index]
    return shares


def _fit(by_identity: list[int | None], places: list[int]) -> bool:
    """Whether there is a document for each, and those whose owner is known are at a place of theirs."""
    if len(by_identity) != len(places):
        return False
    return all(owner is None or owner == n for owner, n in zip(by_identity, places, strict=True))
