"""Which real objects have shadows: locks, and queues written in C, that were made before the world."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any

from harness.sim.locks import REAL_LOCK_TYPES, Lock, RLock
from harness.sim.simple_queue import SimpleQueueShadow

__all__ = ["SHADOWED_TYPES", "Shadow", "shadow"]

SHADOWED_TYPES: tuple[type, ...] = (*REAL_LOCK_TYPES, SimpleQueue)
Shadow = Lock | SimpleQueueShadow


def shadow(real: Any) -> Shadow:
    """Return a shadow for an object of one of these types."""
    kind = type(real)
    if kind is SimpleQueue:
        return SimpleQueueShadow(real)
    return Lock(real) if kind is REAL_LOCK_TYPES[0] else RLock(real)
