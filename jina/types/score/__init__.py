"""How relevant a Document is, and by which measure."""

from numbers import Real
from typing import Any

import msgspec

from jina.excepts import BadDocType
from jina.types.shorten import shorten

__all__ = ['NamedScore', 'as_score']


class NamedScore(msgspec.Struct, omit_defaults=True, rename='camel'):
    """One score.

    :ivar value: the number; default 0.
    :ivar op_name: the measure that gave it, such as ``cosine``.
    :ivar description: free text.
    :ivar operands: the scores that it was made from.
    :ivar ref_id: the id of the Document that it relates to.
    """

    value: float = msgspec.field(default_factory=float)  # not a plain default: JSON shall show a score of 0
    op_name: str = ''
    description: str = ''
    operands: 'list[NamedScore] | None' = None
    ref_id: str = ''


def as_score(value: Any, attribute: str) -> NamedScore:
    """Return a NamedScore as it is, and a plain number as one.

    :raises BadDocType: when it is neither.
    """
    if isinstance(value, NamedScore):
        return value
    if isinstance(value, Real):
        return NamedScore(float(value))
    raise BadDocType(f'{attribute} takes a number or NamedScore, not {type(value).__name__}: {shorten(value)}')
