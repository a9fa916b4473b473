"""The event loop that everything here runs on."""

import asyncio

try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment]


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop, where there is one."""
    return uvloop.new_event_loop() if uvloop else asyncio.new_event_loop()
