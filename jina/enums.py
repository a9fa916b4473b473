"""The choices that options take, as enums; the plain strings do as well.

>>> Flow().add(replicas=3, polling=PollingType.ALL)
"""

from enum import StrEnum


class PollingType(StrEnum):
    """Who of the replicas receives a request, and when it goes on."""

    ANY = 'ANY'
    ALL = 'ALL'
    ALL_ASYNC = 'ALL_ASYNC'


class OnErrorStrategy(StrEnum):
    """What becomes of a request on which an Executor fails."""

    IGNORE = 'IGNORE'
    SKIP_HANDLE = 'SKIP_HANDLE'
    THROW_EARLY = 'THROW_EARLY'


class RuntimeBackendType(StrEnum):
    """Where an Executor runs."""

    THREAD = 'THREAD'
    PROCESS = 'PROCESS'


class GatewayProtocolType(StrEnum):
    """How clients reach a Flow."""

    GRPC = 'grpc'
    HTTP = 'http'
    WEBSOCKET = 'websocket'
