"""How documents become bodies: one contract, three encodings.

==========  =====================================================================================
msgpack     between our own processes; arrays out of band, as views at the other end
json        what HTTP clients send and see
protobuf    ``DataRequestProto``: what gRPC clients send and see
==========  =====================================================================================

Every codec passes the suite ``tests/wire/test_codecs.py``.
"""

import importlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Protocol, cast

from jina.excepts import WireError
from jina.wire.frames import Buffer
from jina.wire.head import JSON, MSGPACK, PROTOBUF, Body

if TYPE_CHECKING:
    from jina.types.document import Document

_MODULES = {
    MSGPACK: 'jina.types.native',
    JSON: 'jina.wire.codecs.json',
    PROTOBUF: 'jina.types.protobuf',
}


class Codec(Protocol):
    """What a module of this package offers."""

    def encode(self, docs: 'Sequence[Document]', groundtruths: 'Sequence[Document] | None' = None) -> Body:
        """The body as the buffers whose concatenation it is; large arrays are not copied into it."""

    def decode(self, body: Buffer) -> 'tuple[list[Document], list[Document]]':
        """The documents and the groundtruths.

        :raises BadDocument: if the bytes are no documents in this encoding.
        """


@cache
def codec(encoding: str) -> Codec:
    """The codec of that name, imported when first asked for.

    :raises WireError: if there is none.
    """
    if encoding not in _MODULES:
        raise WireError(f'there is no encoding {encoding!r}')
    return cast('Codec', importlib.import_module(_MODULES[encoding]))
