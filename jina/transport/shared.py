"""How the two ends of a channel come to share memory, and how bodies go through it.

The sender of a first large body offers a ring and sends that body as ever. A receiver that can open the ring accepts;
one that cannot does not answer. From then on a large body is copied into the ring while there is room, and its frame
says where: so frames keep their order. All else goes through the socket.
"""

import logging
from collections.abc import Callable

from jina.excepts import WireError
from jina.transport.idle import IDLE
from jina.transport.ring import CAN_SHARE, Reference, Ring, RingReader
from jina.wire.frames import Buffer, Frame, Kind
from jina.wire.head import Body

_log = logging.getLogger(__name__)

SHARED_FROM = 256 << 10  # bytes of a body; smaller ones gain nothing
MOST_HEAD = 64 << 10
FIRST_KIND = int(Kind.OFFER)  # frames of this kind and above are for here

Send = Callable[[int, int, Buffer, Body], None]


class Sharing:
    """The memory that one channel shares, one ring a direction.

    :param send: sends a frame on the channel.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._offered = not CAN_SHARE
        self._accepted = False
        self._ring: Ring | None = None
        self._reader: RingReader | None = None

    def outgoing(self, kind: int, head: Buffer, body: Body, size: int) -> Buffer | None:
        """Put a large body into the ring.

        :return: the head of a frame ``SHARED`` that stands for it; ``None`` if it has to go through the socket.
        """
        if not self._offered:
            self._offer()
        if self._ring is None or not self._accepted or len(head) > MOST_HEAD:
            return None
        reference = self._ring.put(body, size)
        if reference is None:
            return None
        IDLE.watch(self._ring)
        return b''.join((bytes((kind,)), reference.packed(), head))

    def received(self, frame: Frame) -> Frame | None:
        """Handle a frame that is for here.

        :return: the frame that the peer is to have, if any.
        :raises WireError: if it is none that the other end may send now.
        """
        kind, stream, head, _ = frame
        if kind == Kind.SHARED:
            return self._fetch(stream, head)
        if kind == Kind.OFFER and self._reader is None:
            self._accept(head)
        elif kind == Kind.ACCEPT and self._ring is not None:
            self._accepted = True
        else:
            raise WireError(f'a frame of kind {kind}, unasked for')
        return None

    def close(self) -> None:
        """Share nothing any more."""
        self._offered, self._accepted = True, False
        for end in (self._ring, self._reader):
            if end is not None:
                end.close()
        self._ring = self._reader = None

    def _offer(self) -> None:
        self._offered = True
        try:
            self._ring = Ring()
        except OSError as error:
            _log.debug('no memory to share: %s', error)
            return
        self._send(Kind.OFFER, 0, self._ring.offer(), [])

    def _accept(self, offer: Buffer) -> None:
        try:
            self._reader = RingReader(offer)
        except OSError as error:
            _log.debug('memory is not shared: %s', error)
            return
        self._send(Kind.ACCEPT, 0, b'', [])

    def _fetch(self, stream: int, head: Buffer) -> Frame:
        if self._reader is None:
            raise WireError('a body in shared memory, of which there is none')
        reference, rest = Reference.unpacked(head[1:])
        return head[0], stream, rest, self._reader.take(reference)
