"""Following a registry's versions from a notebook, whoever publishes them.

A coalescing subscription of a coroutine: each publish is handed to the loop that subscribed, which in a notebook is
the kernel's own, where widgets may be changed. The publisher pays one call, of versions in quick succession only the
last is drawn, and between two drawings the kernel is left some rest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from harness.registry import NoRunningLoopError, Publication, Registry, Subscription

__all__ = ["REST_S", "follow"]

REST_S: Final = 0.1


def follow(
    registry: Registry, changed: Callable[[], object], is_open: Callable[[], bool], *, rest_s: float = REST_S
) -> Subscription | None:
    """Call ``changed`` on the running loop after new versions, while ``is_open``.

    Args:
        registry: What to follow.
        changed: Draws the current version.
        is_open: Whether there is still something to draw on; once not, the subscription ends.
        rest_s: Least time between two calls, seconds.

    Returns:
        The subscription, ``None`` where no loop runs.
    """

    async def tell(_: Publication) -> None:
        if not is_open():
            subscription.cancel()
            return
        changed()
        await asyncio.sleep(rest_s)

    try:
        subscription = registry.subscribe(tell, coalesce=True)
    except NoRunningLoopError:
        return None
    return subscription
