"""The contract of a launcher, whole."""

from collections.abc import Mapping
from typing import Protocol

from jina.control import ControlLine, Ready, Start


class Handle(Protocol):
    """What was started.

    :ivar name: the Executor's name, or ``gateway``.
    :ivar where: for messages: ``process 1234``, ``thread``.
    :ivar line: the line to it.
    :ivar ready: what it said when it was ready; ``None`` before.
    :ivar doing: what it last said it was about to do.
    """

    name: str
    where: str
    line: ControlLine
    ready: Ready | None
    doing: str

    def alive(self) -> bool:
        """Whether it has not ended."""

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended; whether it has."""

    def kill(self) -> None:
        """End it at once, if that can be done at all."""

    def ending(self) -> str:
        """How it ended, for messages: ``killed by SIGKILL``, ``exited with code 1``."""


class Launcher(Protocol):
    """Starts ``python -m jina worker`` or ``python -m jina gateway``, or the same in another shape."""

    def __call__(self, kind: str, name: str, start: Start, cls: type | None, env: Mapping[str, str]) -> Handle:
        """Start it; returns before it is ready.

        :param kind: ``worker`` or ``gateway``.
        :param start: what it is told first.
        :param cls: the Executor class, where the caller has it.
        :param env: environment variables to set for it.
        """
