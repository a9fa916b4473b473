"""Request and Response: what ``post`` sends, and what callbacks and results receive."""

from collections.abc import Callable
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from jina.proto.jina_pb2 import RequestProto
    from jina.types.arrays.document import DocumentArray


class StatusCode(IntEnum):
    """How a request ended. The numbers are those of ``StatusProto``."""

    SUCCESS = 0
    PENDING = 1
    READY = 2
    ERROR = 3
    ERROR_DUPLICATE = 4
    ERROR_NOTALLOWED = 5
    ERROR_CHAINED = 6


class ExceptionInfo(msgspec.Struct, array_like=True):
    """An exception that was raised while the request was worked on.

    :ivar name: its class.
    :ivar args: its arguments as text.
    :ivar stacks: the lines of its traceback.
    :ivar executor: the class of the Executor that raised it; empty if it was none.
    """

    name: str = ''
    args: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    executor: str = ''


class Status(msgspec.Struct, array_like=True):
    """How a request, or one Executor's part in it, ended.

    :ivar code: a :class:`StatusCode`.
    :ivar description: in one sentence what happened, to whom, and what to do.
    :ivar client_error: whether the request itself was at fault, so that to send it again is of no use.
    :ivar timed_out: whether it ended because its deadline passed.
    :ivar unavailable: whether nobody was there who could have worked on it; it may be sent again.
    """

    code: int = StatusCode.SUCCESS
    description: str = ''
    exception: ExceptionInfo | None = None
    client_error: bool = False
    timed_out: bool = False
    unavailable: bool = False

    def dict(self) -> dict[str, Any]:
        """The set fields; empty on success."""
        if self.code == StatusCode.SUCCESS and not self.description:
            return {}
        shown: dict[str, Any] = {'code': StatusCode(self.code).name, 'description': self.description}
        if self.exception:
            shown['exception'] = msgspec.to_builtins(_ExceptionDict(*msgspec.structs.astuple(self.exception)))
        return shown


class _ExceptionDict(msgspec.Struct, omit_defaults=True):
    name: str = ''
    args: tuple[str, ...] = ()
    stacks: tuple[str, ...] = ()
    executor: str = ''


class Route(msgspec.Struct, array_like=True, gc=False):
    """One station of a request.

    :ivar pod: the Executor's name, or ``gateway``.
    :ivar pod_id: which process.
    :ivar start: when the request arrived there, seconds since the epoch.
    :ivar end: when it left; 0 while it is there.
    """

    pod: str
    pod_id: str = ''
    start: float = 0.0
    end: float = 0.0

    @property
    def start_time(self) -> datetime:
        """:attr:`start` as a datetime in UTC."""
        return datetime.fromtimestamp(self.start, UTC)

    @property
    def end_time(self) -> datetime:
        """:attr:`end` as a datetime in UTC."""
        return datetime.fromtimestamp(self.end, UTC)

    def dict(self) -> dict[str, Any]:
        """The set fields, times in ISO 8601."""
        shown = {'pod': self.pod, 'pod_id': self.pod_id, 'start_time': _iso(self.start)}
        return {**shown, 'end_time': _iso(self.end)} if self.end else shown


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec='microseconds').replace('+00:00', 'Z')


class Header(msgspec.Struct):
    """Where a request was sent.

    :ivar exec_endpoint: what ``on=`` of ``post`` said.
    :ivar target_peapod: regex over the names of the Executors that shall work on it; empty: all.
    """

    exec_endpoint: str
    target_peapod: str = ''

    def dict(self) -> dict[str, str]:
        """The set fields."""
        return msgspec.to_builtins({k: v for k, v in msgspec.structs.asdict(self).items() if v})  # type: ignore[no-any-return]


Sides = tuple['DocumentArray', 'DocumentArray']


class Request:
    """Documents on their way to an endpoint, with parameters.

    The documents are decoded when :attr:`docs` or :attr:`groundtruths` is first read.
    """

    __slots__ = ('_load', '_sides', 'header', 'parameters', 'request_id', 'routes', 'status')

    def __init__(
        self,
        request_id: str,
        header: Header,
        parameters: dict[str, Any],
        load: Callable[[], Sides],
        routes: list[Route],
        status: Status,
    ) -> None:
        self.request_id = request_id
        self.header = header
        self.parameters = parameters
        self.routes = routes
        self.status = status
        self._load = load
        self._sides: Sides | None = None

    @property
    def docs(self) -> 'DocumentArray':
        """The documents."""
        return self._decoded()[0]

    @property
    def groundtruths(self) -> 'DocumentArray':
        """The documents that :attr:`docs` are to be compared with; mostly empty."""
        return self._decoded()[1]

    @property
    def data(self) -> 'Request':
        """Where ``docs`` and ``groundtruths`` are found in the protobuf form: here, the request itself."""
        return self

    def _decoded(self) -> Sides:
        if self._sides is None:
            self._sides = self._load()
        return self._sides

    def _frame(self) -> dict[str, Any]:
        """What is around the documents."""
        shown = {'parameters': self.parameters} if self.parameters else {}
        routes = [route.dict() for route in self.routes]
        return {'header': self.header.dict(), **shown, 'routes': routes, 'status': self.status.dict()}

    def dict(self) -> dict[str, Any]:
        """All of it as plain types, keys in snake_case."""
        data = {'docs': [d.dict() for d in self.docs]}
        if len(self.groundtruths):
            data['groundtruths'] = [d.dict() for d in self.groundtruths]
        return {'request_id': self.request_id, 'data': data, **self._frame()}

    def json(self) -> str:
        """:meth:`dict` as JSON text: bytes as base64, and ``null`` for numbers that JSON does not have."""
        from jina.types.document.writing import to_json

        return to_json(self.dict())

    @property
    def proto(self) -> 'RequestProto':
        """It as a protobuf message, which changes nothing here when it is changed.

        :raises TypeError: when tags hold something that protobuf cannot express.
        :raises ValueError: when another value does not fit its field.
        """
        from jina.types.protobuf import request_message

        return request_message(self.request_id, self._frame(), self.docs, self.groundtruths)

    def binary_str(self) -> bytes:
        """Return it as a serialized ``RequestProto``; see :attr:`proto`."""
        return self.proto.SerializeToString()

    SerializeToString = binary_str  # as messages call it

    @property
    def nbytes(self) -> int:
        """How many bytes :meth:`binary_str` has."""
        return len(self.binary_str())

    def __repr__(self) -> str:
        shown = ' '.join(f'{k}={v}' for k, v in self.dict().items())
        return f'<{type(self).__module__}.{type(self).__qualname__} {shown} at {id(self)}>'


class Response(Request):
    """The answer to a :class:`Request`.

    >>> def my_callback(rep: Response):
    ...     print(rep.docs, rep.status)
    """

    __slots__ = ()
