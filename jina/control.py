"""The line between a launcher and the child it started: a socket pair, inherited, open as long as both live.

parent → child: one ``Start`` first, ``Stop`` at the end; in between to a gateway ``Connect``, ``GiveUp`` and ``Open``.
child → parent: ``Progress``, then ``Ready`` or ``Failed``; later, from a gateway, ``Connected``, and again ``Ready`` or
``Failed`` for each ``Open``. The end of the line is news as well: a child whose parent is gone ends itself, a parent
knows that its child is dead. Pickles travel here and nowhere else: both ends belong to one user on one host.
"""

import socket
import struct
from typing import Any

import msgspec

from jina.excepts import RemoteError, stack_of, text_of
from jina.forks import leave_to_parent
from jina.pickling import dump, load

_LENGTH = struct.Struct('<I')


class Start(msgspec.Struct, tag=True):
    """What to run.

    :ivar spec: a WorkerSpec or GatewaySpec as a dict.
    :ivar pickled: for a worker the Executor class, where it cannot be imported by name; for a gateway the function that
        extends its HTTP interface.
    :ivar path: ``sys.path`` of the parent.
    :ivar run_dir: the folder of sockets of this Flow; whoever is left last removes it.
    """

    spec: dict[str, Any]
    pickled: bytes = b''
    path: list[str] = []
    run_dir: str = ''


class Connect(msgspec.Struct, tag=True):
    """For a gateway: where replicas of its Executors listen, by name and number; each takes an older one's place."""

    addresses: dict[str, dict[int, str]]


class Connected(msgspec.Struct, tag=True):
    """From a gateway: it is connected to a replica, and the older one whose place that took has answered everything."""

    name: str
    number: int


class GiveUp(msgspec.Struct, tag=True):
    """For a gateway: a replica is gone, and no other will take its place.

    :ivar why: for the requests that wait for it.
    """

    name: str
    number: int
    why: str


class Open(msgspec.Struct, tag=True):
    """For a gateway: the doors to have from now on, as dicts of DoorSpec, instead of those it has."""

    doors: list[dict[str, Any]]


class Stop(msgspec.Struct, tag=True):
    """End in an orderly way."""


class Progress(msgspec.Struct, tag=True):
    """What the child is about to do, for the message of one that hangs."""

    doing: str


class Ready(msgspec.Struct, tag=True):
    """The child serves.

    :ivar address: where it listens for its peers.
    :ivar ports: for a gateway: the port of each of its doors.
    """

    address: str = ''
    ports: list[int] = []


class Failed(msgspec.Struct, tag=True):
    """The child does not serve, and why."""

    pickled: bytes
    name: str
    message: str
    stack: str

    @classmethod
    def of(cls, error: BaseException) -> 'Failed':
        """Pack an exception, with its traceback and its causes as text."""
        try:
            pickled = dump(error)
        except Exception:  # what a user's exception holds may be anything
            pickled = b''
        stack = ''.join(stack_of(error.__cause__ or error))
        return cls(pickled, type(error).__name__, text_of(error), stack)

    def error(self) -> BaseException:
        """The exception itself where it can be had, with the child's traceback as its cause."""
        told = RemoteError(self.name, self.message, self.stack)
        try:
            error = load(self.pickled)
        except Exception:
            return told
        if not isinstance(error, BaseException):
            return told
        error.__cause__ = told
        return error


ToGateway = Connect | GiveUp | Open
Message = Start | ToGateway | Stop | Progress | Ready | Failed | Connected

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Message).decode


class ControlLine:
    """One end of the line. Receiving belongs to one thread."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        leave_to_parent(self)

    def descriptors(self) -> list[int]:
        """For :mod:`jina.forks`."""
        return [self.fileno()]

    @classmethod
    def pair(cls) -> tuple['ControlLine', socket.socket]:
        """Our end, and the socket to be inherited."""
        ours, theirs = socket.socketpair()
        return cls(ours), theirs

    def send(self, message: Message) -> bool:
        """Send a message.

        :return: ``False`` if the other end is gone.
        """
        data = _encode(message)
        try:
            self.socket.sendall(_LENGTH.pack(len(data)) + data)
        except OSError:
            return False
        return True

    def receive(self) -> Message | None:
        """Wait for the next message; ``None`` when the other end is gone."""
        prefix = self._exactly(_LENGTH.size)
        data = self._exactly(*_LENGTH.unpack(prefix)) if prefix is not None else None
        return None if data is None else _decode(data)

    def _exactly(self, size: int) -> bytes | None:
        data = bytearray()
        while len(data) < size:
            try:
                piece = self.socket.recv(size - len(data))
            except OSError:
                return None
            if not piece:
                return None
            data += piece
        return bytes(data)

    def fileno(self) -> int:
        """For selectors; -1 once closed."""
        return self.socket.fileno()

    def hang_up(self) -> None:
        """End the line, also for a thread that waits in :meth:`receive`."""
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()
