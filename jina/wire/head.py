"""The head of a request: all that the gateway reads. The documents stay in the body, which it never does."""

from typing import Final

import msgspec

from jina.types.request import Route, Status
from jina.wire.frames import Buffer

MSGPACK: Final = 'msgpack'
JSON: Final = 'json'
PROTOBUF: Final = 'protobuf'
ANY: Final = ''

NO_PARAMETERS = msgspec.Raw(b'\x80')

UNCHANGED = 1  # answer: the body is the request's own; it was not sent again
BYPASS = 2  # request: pass the documents on without calling the Executor
NOT_BOUND = 4  # answer: the Executor binds nothing to the endpoint, and passed the documents on
COUNT_UNKNOWN = -1


class Part(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One piece of a body: the documents that one client or Executor sent.

    :ivar count: how many documents, where that is known without decoding them.
    :ivar groundtruths: likewise.

    Like heads and routes, it can be part of no cycle, so the garbage collector need not look at it (``gc=False``).
    """

    encoding: str
    size: int
    count: int = COUNT_UNKNOWN
    groundtruths: int = COUNT_UNKNOWN


class Head(msgspec.Struct, array_like=True, gc=False):
    """What travels before the documents.

    :ivar request_id: the client's name for the request.
    :ivar endpoint: what ``on=`` of ``post`` said.
    :ivar parts: what the body consists of, in order; more than one where branches join.
    :ivar accept: the encoding that the answer's body shall have; :data:`ANY` between Executors, where documents that
        nobody looked at may go on as they came, and others as msgpack.
    :ivar parameters: a msgpack map, which the gateway passes on unread.
    :ivar target: regex over the names of Executors; the others pass the documents on.
    :ivar flags: :data:`UNCHANGED`, :data:`BYPASS`, :data:`NOT_BOUND`.
    :ivar status: ``None`` means success.
    :ivar routes: who worked on the request so far.
    :ivar timeout: seconds that are left for the request when this head is sent; ``None``: no limit.
    :ivar trace: W3C ``traceparent`` of the caller, or empty.
    """

    request_id: str
    endpoint: str
    parts: tuple[Part, ...] = ()
    accept: str = MSGPACK
    parameters: msgspec.Raw = NO_PARAMETERS
    target: str = ''
    flags: int = 0
    status: Status | None = None
    routes: list[Route] = []
    timeout: float | None = None
    trace: str = ''


class Hello(msgspec.Struct, array_like=True):
    """The first frame of a server.

    :ivar window_count: requests that may be unanswered at a time on this connection.
    :ivar window_bytes: bytes of bodies that may be unanswered at a time; one larger body may travel alone.
    :ivar name: the Executor's name, or ``gateway``.
    :ivar pid: its process.
    """

    window_count: int
    window_bytes: int
    name: str = ''
    pid: int = 0


encode_head = msgspec.msgpack.Encoder().encode
decode_head = msgspec.msgpack.Decoder(Head).decode
decode_hello = msgspec.msgpack.Decoder(Hello).decode


def body_size(body: 'Body') -> int:
    """The length of a body in bytes."""
    return len(body[0]) if len(body) == 1 else sum(map(len, body))


def split_body(head: Head, body: Buffer) -> list[tuple[Part, memoryview]]:
    """The pieces of a body, without copying them."""
    view, pieces, at = memoryview(body), [], 0
    for part in head.parts:
        pieces.append((part, view[at : at + part.size]))
        at += part.size
    return pieces


Body = list[Buffer]
"""A body as the buffers whose concatenation it is. Buffers must be one-dimensional bytes: ``len`` is their size."""
