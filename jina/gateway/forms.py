"""What a message of a stream asks for, and how its answer is to look: bytes are ``RequestProto``, texts are JSON."""

from collections.abc import Callable

from jina.excepts import WireError
from jina.gateway import rest
from jina.types.request import Status, StatusCode
from jina.wire.frames import Buffer
from jina.wire.head import Head
from jina.wire.rpc import answer_to_proto, parse, request_from_proto

Message = bytes | str
Encode = Callable[[Head, Buffer], Message]
"""Makes the message of an answer out of its head and body."""


class Unreadable(Exception):
    """A message that is no request.

    :ivar answer: what says so, in the form that the message has.
    """

    def __init__(self, answer: Message) -> None:
        super().__init__(answer)
        self.answer = answer


def read(message: Message, normal: bool) -> tuple[Head, Buffer, Encode]:
    """Head and body of a request, and what encodes its answer.

    :param normal: bring the documents of a text into the form of an answer, since there is no Executor that will.
    :raises Unreadable: if it is none.
    """
    return _of_text(message, normal) if isinstance(message, str) else _of_bytes(message)


def _of_bytes(message: bytes) -> tuple[Head, Buffer, Encode]:
    try:
        head, body = request_from_proto(parse(message))
    except WireError as error:
        refused = Head('', '', status=Status(StatusCode.ERROR, str(error), client_error=True))
        raise Unreadable(answer_to_proto(refused, refused, []).SerializeToString()) from error

    def encode(answer: Head, body: Buffer) -> bytes:
        return answer_to_proto(head, answer, [body]).SerializeToString()

    return head, body, encode


def _of_text(message: str, normal: bool) -> tuple[Head, Buffer, Encode]:
    try:
        asked, head, body = rest.read('', message.encode(), normal, None)
    except rest.Refused as refused:
        raise Unreadable(b''.join(rest.refusal(str(refused), refused.request_id)).decode()) from refused

    def encode(answer: Head, body: Buffer) -> str:
        return b''.join(rest.answer(asked, answer, body)[1]).decode()

    return head, body, encode
