"""Waiting for what was asked of the home: a door may wait for a call, for some seconds.

It must not know what was asked.
"""

from __future__ import annotations

import asyncio
from typing import Final

from hallway.home.calls import Call

SERVICE_WAIT: Final = 10.0
"""Seconds after which a service call answers even if the service is not done."""


async def finished(call: Call, seconds: float) -> None:
    """Wait until the call is done, that long at most."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def wake(_call: Call) -> None:
        if not done.done():
            done.set_result(None)

    unsubscribe = call.on_done(wake)
    timer = loop.call_later(seconds, wake, call)
    try:
        await done
    finally:
        timer.cancel()
        unsubscribe()
