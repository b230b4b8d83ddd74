"""Following a registry's versions from a notebook, whoever publishes them.

The kernel's own event loop looks at the version number a few times a second, between cells: one attribute is read, no
lock is taken, no thread is started, and the publisher pays nothing. Drawing happens where widgets may be changed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

__all__ = ["INTERVAL_S", "Versioned", "follow"]

INTERVAL_S: Final = 0.2


class Versioned(Protocol):
    """What can be followed."""

    @property
    def version(self) -> int:
        """Number that changes with each publish."""


def follow(registry: Versioned, changed: Callable[[], object], is_open: Callable[[], bool]) -> bool:
    """Call ``changed`` on the running loop after each new version, while ``is_open``; return whether a loop runs."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return False
    seen = registry.version

    def look() -> None:
        nonlocal seen
        if not is_open():
            return
        loop.call_later(INTERVAL_S, look)
        if registry.version != seen:
            seen = registry.version
            changed()

    loop.call_later(INTERVAL_S, look)
    return True
