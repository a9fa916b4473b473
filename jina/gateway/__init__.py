"""The gateway: doors for clients, the graph, and connections to the Executors. It never decodes a document."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from jina.control import Connect, Ready
from jina.gateway.engine import Engine
from jina.gateway.native import NativeDoor
from jina.gateway.pool import Pool
from jina.graph import Graph
from jina.spec import DoorSpec, GatewaySpec


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
    """Serves a graph of Executors."""

    def __init__(self, spec: GatewaySpec) -> None:
        self._spec = spec
        self._pools = {node.name: Pool(node.name) for node in spec.nodes}
        graph = Graph({node.name: node.needs for node in spec.nodes})
        self._engine = Engine(graph, self._pools, spec.name)
        self._native = NativeDoor(self._engine, spec.listen, spec.prefetch) if spec.listen else None
        self._doors: list[Door] = []
        self._told = asyncio.Event()
        self._addresses = {node.name: node.addresses for node in spec.nodes}

    async def start(self, progress: Callable[[str], None]) -> Ready:
        """Take the ports, wait to be told where the Executors are, connect to them, and open the doors.

        :raises NoAvailablePortError: if a port is taken.
        """
        progress('taking its ports')
        self._doors = [_door(spec, self._engine, self._spec) for spec in self._spec.doors]
        ports = [door.bind() for door in self._doors]
        progress('waiting for its Executors')
        if not all(self._addresses.values()):
            await self._told.wait()
        progress('connecting to its Executors')
        for name, addresses in self._addresses.items():
            for address in addresses:
                await self._pools[name].connect(address)
        for door in self._doors:
            await door.serve()
        return Ready(await self._native.start() if self._native else '', ports)

    def told(self, message: Connect) -> None:
        """Where the Executors listen."""
        self._addresses.update(message.addresses)
        self._told.set()

    async def stop(self) -> None:
        """Close the doors, then the connections to the Executors."""
        for door in self._doors:
            await door.stop()
        if self._native:
            await self._native.stop()
        for pool in self._pools.values():
            pool.close()


def _door(spec: DoorSpec, engine: Engine, gateway: GatewaySpec) -> Door:
    """The door for a protocol; its server is imported only if it is asked for."""
    if spec.protocol == 'http':
        from jina.gateway.http import HttpDoor

        return HttpDoor(engine, spec.host, spec.port, gateway.static)
    if spec.protocol == 'websocket':
        from jina.gateway.websocket import WebSocketDoor

        return WebSocketDoor(engine, spec, gateway)
    from jina.gateway.grpc import GrpcDoor

    return GrpcDoor(engine, spec.host, spec.port, gateway.prefetch)
