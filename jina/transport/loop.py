"""The event loop that everything here runs on."""

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """uvloop, where there is one."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
