"""Bytes between processes. One contract, several ways; the address says which.

=================  ==================================================================
``unix:/path``     a Unix socket: processes of one host
``tcp:host:port``  TCP: port 0 lets the system choose; :attr:`Listener.address` tells
``memory:name``    inside one process, across threads: for tests and embedding
=================  ==================================================================

Every implementation passes the suite ``tests/transport/test_contract.py``.
"""

from jina.transport.base import Accept, Channel, Connect, Listen, Listener, Peer
from jina.transport.memory import connect_memory, listen_memory
from jina.transport.streams import connect_tcp, connect_unix, listen_tcp, listen_unix

__all__ = ['Channel', 'Listener', 'Peer', 'connect', 'listen']

_SCHEMES: dict[str, tuple[Connect, Listen]] = {
    'unix': (connect_unix, listen_unix),
    'tcp': (connect_tcp, listen_tcp),
    'memory': (connect_memory, listen_memory),
}


async def connect(address: str, peer: Peer) -> Channel:
    """Open a channel to a listener; ``peer`` receives what arrives on it.

    :raises OSError: if nothing listens there.
    """
    (connect_to, _), rest = _scheme(address)
    return await connect_to(rest, peer)


async def listen(address: str, accept: Accept) -> Listener:
    """Accept channels at an address; ``accept()`` makes the peer of each.

    :raises OSError: if the address is taken.
    """
    (_, listen_at), rest = _scheme(address)
    return await listen_at(rest, accept)


def _scheme(address: str) -> tuple[tuple[Connect, Listen], str]:
    scheme, _, rest = address.partition(':')
    if scheme not in _SCHEMES:
        raise OSError(f'{address!r} is no address: it begins with {", ".join(f"{s}:" for s in _SCHEMES)}')
    return _SCHEMES[scheme], rest
