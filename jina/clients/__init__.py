"""Client: the same ``post`` as a Flow has, to a server that runs elsewhere."""

from typing import Any

from jina.clients.link import Link
from jina.clients.poster import Poster
from jina.excepts import BadOption

PORTS = {'grpc': 80, 'grpcs': 443}


class Client(Poster):
    """Talks to a Flow that runs elsewhere.

    >>> c = Client(port_expose=12345)
    >>> c.post(on='/bar', inputs=Document(), on_done=print)

    :param host: name or address; ``grpc://1.2.3.4:5555`` says protocol and port as well.
    :param port_expose: port; ``port`` is another name for it.
    :param protocol: ``grpc``.
    :param asyncio: ``post`` gives an async generator.
    :param https: use TLS.
    :raises BadOption: for a protocol that this client does not speak, or if no port is given.
    """

    def __init__(
        self,
        host: str = 'localhost',
        port_expose: int | None = None,
        protocol: str = 'grpc',
        asyncio: bool = False,
        https: bool = False,
        port: int | None = None,
    ) -> None:
        super().__init__(self._connect, asyncio)
        scheme, _, rest = host.rpartition('://')
        self.host, _, given = rest.partition(':')
        self.protocol = (scheme or protocol).lower()
        if self.protocol not in PORTS:
            raise BadOption(f'Client(protocol={self.protocol!r}): this client speaks grpc')
        self.https = https or self.protocol == 'grpcs'
        self.port_expose = port_expose or port or (int(given) if given else 0)
        if not self.port_expose:
            raise BadOption('Client needs the port of the server: Client(host=…, port_expose=…)')

    async def _connect(self) -> Link:
        from jina.clients.grpc import open_grpc

        return await open_grpc(self.host, self.port_expose, tls=self.https)

    def close(self) -> None:
        """Close the connections; the client can be used again afterwards."""
        self._sessions.close()

    def __enter__(self) -> 'Client':
        return self

    def __exit__(self, *exc: Any) -> None:
        self.close()


GRPCClient = Client
