"""Tasks, futures and callbacks of a loop in the controlled world: asyncio's own, the first two hashed by creation.

asyncio keeps its tasks in sets in many places, and cancels or counts them in the order of the set. With numbers for
hashes that order is the same in every process.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from contextvars import Context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.sim.loops.event_loop import EventLoop

__all__ = ["LoopFuture", "LoopHandle", "LoopTask"]


class LoopTask(asyncio.Task[Any]):
    """A task of a controlled loop. Loop-affine."""

    _number = 0

    def __hash__(self) -> int:
        return self._number or _number(self)

    def get_name(self) -> str:
        """Return its name, which tells in which order loops made tasks where nobody gave it one."""
        tracker = self.get_loop().scheduler.tracker  # type: ignore[attr-defined]  # only our loops make them
        if tracker is not None and sys._getframe(1).f_globals is not vars(logging):  # it asks for each record
            tracker.tell_task_name()
        return super().get_name()


class LoopFuture(asyncio.Future[Any]):
    """A future of a controlled loop. Loop-affine."""

    _number = 0

    def __hash__(self) -> int:
        return self._number or _number(self)


class LoopHandle(asyncio.Handle):
    """A callback of a controlled loop that is not in debug mode, of which nothing is asked then. Loop-affine."""

    if TYPE_CHECKING:  # what the stubs of asyncio leave out
        _callback: Callable[..., object]
        _context: Context
        _loop: EventLoop
        _repr: str | None
        _source_traceback: object

    __slots__ = ()


# Reports and texts of asyncio call them as they are.
_cls: type
for _cls, _name in ((LoopTask, "Task"), (LoopFuture, "Future"), (LoopHandle, "Handle")):
    _cls.__name__ = _cls.__qualname__ = _name
    _cls.__module__ = "asyncio"


def _number(made: LoopTask | LoopFuture) -> int:
    """Return the number of a task or future, given when it is first hashed, a task's when it is made."""
    loop: EventLoop = made.get_loop()  # type: ignore[assignment]  # only our loops make them
    loop.hashes += 1
    made._number = loop.hashes
    return made._number
