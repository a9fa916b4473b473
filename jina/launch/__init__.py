"""Who starts a worker or a gateway, and where. One contract; the table says what there is.

All that a launcher knows is the spec and the line: what is started reads the one, and says on the other what becomes of
it. Every implementation passes the suite ``tests/launch/test_contract.py``.
"""

import importlib
from typing import cast

from jina.launch.base import Handle, Launcher
from jina.launch.waiting import STOP_SECONDS, stop_all, wait_ready

__all__ = ['STOP_SECONDS', 'Handle', 'Launcher', 'launcher', 'stop_all', 'wait_ready']

_LAUNCHERS = {'PROCESS': 'jina.launch.process:launch', 'THREAD': 'jina.launch.thread:launch'}


def launcher(backend: str) -> Launcher:
    """The launcher of that name, imported when first asked for."""
    module, _, name = _LAUNCHERS[backend].partition(':')
    return cast('Launcher', getattr(importlib.import_module(module), name))
