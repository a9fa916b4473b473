"""Client: the same ``post`` as a Flow has, to a server that runs elsewhere."""

from typing import Any, ClassVar

from jina.clients.address import read_address
from jina.clients.link import Link
from jina.clients.poster import Poster
from jina.excepts import BadOption


class Client(Poster):
    """Talks to a Flow that runs elsewhere.

    >>> c = Client(port_expose=12345)
    >>> c.post(on='/bar', inputs=Document(), on_done=print)

    :param host: name or address; ``grpc://1.2.3.4:5555`` says protocol and port as well, and so do ``grpcs``, ``http``,
        ``https``, ``ws`` and ``wss``.
    :param port_expose: port; ``port`` is another name for it.
    :param protocol: ``grpc``, ``http`` or ``websocket``, in any case, or a member of ``GatewayProtocolType``; ``grpc``
        unless ``host`` says otherwise.
    :param asyncio: ``post`` gives an async generator.
    :param https: use TLS.
    :raises BadOption: for a protocol that is none of these, or if no port is given.
    """

    _only: ClassVar[str] = ''

    def __init__(
        self,
        host: str = 'localhost',
        port_expose: int | None = None,
        protocol: str | None = None,
        asyncio: bool = False,
        https: bool = False,
        port: int | None = None,
    ) -> None:
        super().__init__(self._connect, asyncio)
        self._address = read_address(host, port_expose or port, protocol or self._only, https)
        if self._only and self.protocol != self._only:
            name = type(self).__name__
            raise BadOption(f'{name}: it speaks {self._only}, not {self.protocol}: use Client for any protocol')

    @property
    def host(self) -> str:
        """Name or address of the server."""
        return self._address.host

    @property
    def port_expose(self) -> int:
        """Its port."""
        return self._address.port

    @property
    def protocol(self) -> str:
        """``grpc``, ``http`` or ``websocket``."""
        return self._address.protocol

    @property
    def https(self) -> bool:
        """Whether TLS is used."""
        return self._address.tls

    async def _connect(self) -> Link:
        """Open a link; its library is imported only if it is asked for."""
        if self.protocol == 'http':
            from jina.clients.http import open_http

            return await open_http(self._address)
        if self.protocol == 'websocket':
            from jina.clients.websocket import open_websocket

            return await open_websocket(self._address)
        from jina.clients.grpc import open_grpc

        return await open_grpc(self.host, self.port_expose, tls=self.https)

    def close(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        self._sessions.close()

    def __enter__(self) -> 'Client':
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


class GRPCClient(Client):
    """A :class:`Client` over gRPC."""

    _only = 'grpc'


class HTTPClient(Client):
    """A :class:`Client` over HTTP."""

    _only = 'http'


class WebSocketClient(Client):
    """A :class:`Client` over WebSocket."""

    _only = 'websocket'
