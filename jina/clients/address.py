"""Where a server is, and how it is spoken to."""

import enum
from typing import NamedTuple
from urllib.parse import urlsplit

from jina.excepts import BadOption

PROTOCOLS = ('grpc', 'http', 'websocket')
SCHEMES = {
    'grpc': ('grpc', False),
    'grpcs': ('grpc', True),
    'http': ('http', False),
    'https': ('http', True),
    'ws': ('websocket', False),
    'wss': ('websocket', True),
    'websocket': ('websocket', False),
    'websockets': ('websocket', True),
}
_SCHEME_OF = {'grpc': ('grpc', 'grpcs'), 'http': ('http', 'https'), 'websocket': ('ws', 'wss')}


class Address(NamedTuple):
    """A server.

    :ivar path: what the server's own paths are below; without a slash at its end.
    """

    protocol: str
    host: str
    port: int
    tls: bool = False
    path: str = ''

    @property
    def authority(self) -> str:
        """``host:port``, as URLs have it."""
        return f'[{self.host}]:{self.port}' if ':' in self.host else f'{self.host}:{self.port}'

    def __str__(self) -> str:
        return f'{_SCHEME_OF[self.protocol][self.tls]}://{self.authority}{self.path}'


def read_address(host: str, port: int | None, protocol: str | None, tls: bool) -> Address:
    """What the options of a client say.

    :param host: name or address, or a URL, whose scheme and port go before the other options.
    :param protocol: one of :data:`PROTOCOLS`, in any case, or a member of an enum; default: what ``host`` says, or
        gRPC.
    :raises BadOption: for a protocol that is none of them, a URL that says another one, or if there is no port.
    """
    scheme = host.partition('://')[0].lower() if '://' in host else ''
    spoken, secure = _protocol_of(scheme, protocol)
    try:
        url = urlsplit(host if scheme else f'//{_bracketed(host)}')
        found = url.port or port or (_default_port(secure or tls) if scheme else 0)
    except ValueError as error:
        raise BadOption(f'Client(host={host!r}): {error}') from None
    if not found:
        raise BadOption('Client needs the port of the server: Client(host=…, port_expose=…)')
    if not isinstance(found, int) or not 0 < found < 65536:
        raise BadOption(f'Client(port_expose={found!r}): a port is a number from 1 to 65535')
    if not url.hostname or url.query or url.fragment or (spoken == 'grpc' and url.path.strip('/')):
        raise BadOption(f'Client(host={host!r}): it takes a name, an address, or a URL as grpc://1.2.3.4:5555')
    return Address(spoken, url.hostname, found, secure or tls, url.path.rstrip('/'))


def _protocol_of(scheme: str, protocol: str | None) -> tuple[str, bool]:
    """The protocol, and whether its name says that TLS is used."""
    asked = str(protocol.value if isinstance(protocol, enum.Enum) else protocol or '').lower()
    for name in (scheme, asked):
        if name and name not in SCHEMES:
            raise BadOption(f'Client(protocol={name!r}): a client speaks one of {", ".join(PROTOCOLS)}')
    return SCHEMES[scheme or asked or 'grpc']


def _default_port(tls: bool) -> int:
    return 443 if tls else 80


def _bracketed(host: str) -> str:
    """An address of version 6 as URLs have it."""
    return f'[{host}]' if host.count(':') > 1 and not host.startswith('[') else host
