"""The gateway: doors for clients, the graph, and connections to the Executors. It never decodes a document."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, Protocol

from jina.control import Connect, Connected, Failed, GiveUp, Message, Open, Ready, ToGateway
from jina.gateway.engine import Engine
from jina.gateway.native import NativeDoor
from jina.gateway.pool import Pool
from jina.graph import Graph
from jina.spec import DoorSpec, GatewaySpec

_log = logging.getLogger('jina.gateway')


class Door(Protocol):
    """One public protocol at one port."""

    def bind(self) -> int:
        """Take the port and return it.

        :raises NoAvailablePortError: if it is taken.
        """

    async def serve(self) -> None:
        """Accept requests; returns at once."""

    async def stop(self) -> None:
        """Let open requests end, for a second at the most, and close."""


class Gateway:
    """Serves a graph of Executors.

    :param tell: sends a message to the parent.
    :param extend: extends the FastAPI application of the HTTP door.
    """

    def __init__(
        self,
        spec: GatewaySpec,
        tell: Callable[[Message], object] = lambda _: None,
        extend: Callable[[Any], Any] | None = None,
    ) -> None:
        self._spec = spec
        self._tell = tell
        self._extend = extend
        self._pools = {node.name: Pool(node) for node in spec.nodes}
        graph = Graph({node.name: node.needs for node in spec.nodes}, [n.name for n in spec.nodes if n.inspect])
        self._engine = Engine(graph, self._pools, spec.name)
        self._native = NativeDoor(self._engine, spec.listen, spec.prefetch) if spec.listen else None
        self._open_doors = spec.doors
        self._doors: list[Door] = []
        self._told: asyncio.Queue[ToGateway] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, progress: Callable[[str], None]) -> Ready:
        """Take the ports, wait to be told where the Executors are, connect to them, and open the doors.

        :raises NoAvailablePortError: if a port is taken.
        """
        progress('taking its ports')
        self._bind(self._spec.doors)
        progress('waiting for its Executors')
        if any(not node.addresses for node in self._spec.nodes):
            await self._connect_to_the_told()
        for name, number, address in self._external():
            progress(f'connecting to Executor {name!r} at {address}')
            await self._pools[name].keep_connected(address, number)
        for door in self._doors:
            await door.serve()
        address = await self._native.start() if self._native else ''
        self._spawn(self._obey())
        return Ready(address, self._ports)

    def told(self, message: ToGateway) -> None:
        """The parent says something; it is done in the order of arrival."""
        self._told.put_nowait(message)

    async def stop(self) -> None:
        """Close the doors, then the connections to the Executors."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for door in self._doors:
            await door.stop()
        if self._native:
            await self._native.stop()
        for pool in self._pools.values():
            pool.close()

    def _external(self) -> Iterator[tuple[str, int, str]]:
        """(name, number, address) of the replicas that others have started."""
        for node in self._spec.nodes:
            for number, address in enumerate(node.addresses):
                yield node.name, number, address

    async def _connect_to_the_told(self) -> None:
        message = await self._told.get()
        assert isinstance(message, Connect)
        for name, addresses in message.addresses.items():
            for number, address in addresses.items():
                await self._pools[name].connect(address, number)

    async def _obey(self) -> None:
        while message := await self._told.get():
            if isinstance(message, Connect):
                for name, addresses in message.addresses.items():
                    for number, address in addresses.items():
                        self._spawn(self._connect(name, number, address))
            elif isinstance(message, GiveUp):
                self._pools[message.name].give_up(message.number, message.why)
            else:
                await self._reopen(message)

    async def _connect(self, name: str, number: int, address: str) -> None:
        try:
            await self._pools[name].connect(address, number)
        except OSError as error:  # it has ended again: the parent knows, and goes on from there
            _log.warning('%s', error)
        else:
            self._tell(Connected(name, number))

    async def _reopen(self, message: Open) -> None:
        """Close the doors and open others; if these cannot be, those that were."""
        for door in self._doors:
            await door.stop()
        before = self._open_doors
        try:
            self._bind([DoorSpec.from_dict(door) for door in message.doors])
        except Exception as error:
            for door in self._doors:
                await door.stop()
            self._bind(before)
            self._tell(Failed.of(error))
        else:
            self._tell(Ready('', self._ports))
        for door in self._doors:
            await door.serve()

    def _bind(self, doors: list[DoorSpec]) -> None:
        self._doors = []
        for spec in doors:
            self._doors.append(_door(spec, self._engine, self._spec, self._extend))
        self._ports = [door.bind() for door in self._doors]
        self._open_doors = doors

    def _spawn(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)  # the loop itself holds tasks weakly
        task.add_done_callback(self._tasks.discard)


def _door(spec: DoorSpec, engine: Engine, gateway: GatewaySpec, extend: Callable[[Any], Any] | None) -> Door:
    """The door for a protocol; its server is imported only if it is asked for."""
    if spec.protocol == 'http':
        from jina.gateway.http import HttpDoor

        return HttpDoor(engine, spec, gateway, extend)
    if spec.protocol == 'websocket':
        from jina.gateway.websocket import WebSocketDoor

        return WebSocketDoor(engine, spec, gateway)
    from jina.gateway.grpc import GrpcDoor

    return GrpcDoor(engine, spec, gateway)
