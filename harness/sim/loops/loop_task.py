"""Tasks and futures of a loop in the controlled world: asyncio's own, hashed by creation.

asyncio keeps its tasks in sets in many places, and cancels or counts them in the order of the set. With numbers for
hashes that order is the same in every process.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.sim.loops.event_loop import EventLoop

__all__ = ["LoopFuture", "LoopTask"]


class LoopTask(asyncio.Task[Any]):
    """A task of a controlled loop. Loop-affine."""

    _number = 0

    def __hash__(self) -> int:
        return self._number or _number(self)


class LoopFuture(asyncio.Future[Any]):
    """A future of a controlled loop. Loop-affine."""

    _number = 0

    def __hash__(self) -> int:
        return self._number or _number(self)


for _cls, _name in ((LoopTask, "Task"), (LoopFuture, "Future")):  # reports and texts of asyncio call them as they are
    _cls.__name__ = _cls.__qualname__ = _name
    _cls.__module__ = "asyncio"


def _number(made: LoopTask | LoopFuture) -> int:
    """Return the number of a task or future, given when it is first hashed, a task's when it is made."""
    loop: EventLoop = made.get_loop()  # type: ignore[assignment]  # only our loops make them
    loop.scheduler.loop_hashes += 1
    made._number = loop.scheduler.loop_hashes
    return made._number
