"""The event by which a thread tells that it has been started, made without the lock that nobody waits for.

To make an event takes a condition and a lock; a task is started the moment it is asked for, so that its thread's event
is a mere flag. What it lacks it gets when somebody does more than look: a thread made by a task may outlive the world.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import FunctionType
from typing import final

from harness.sim.task import current_task

__all__ = ["thread_maker"]


@final
class _Started(threading.Event):
    """An event whose condition is made when it is first used. As ``threading.Event``."""

    def __init__(self) -> None:
        if current_task() is None:
            super().__init__()
        else:
            self._flag = False

    def __getattr__(self, name: str) -> threading.Condition:
        if name != "_cond":
            raise AttributeError(name)
        made = threading.Condition(threading.Lock())
        condition: threading.Condition = self.__dict__.setdefault(name, made)  # others may do so meanwhile
        return condition


_Started.__name__ = _Started.__qualname__ = "Event"  # what reports call it


def thread_maker() -> Callable[..., None]:
    """Return ``Thread.__init__`` with such an event, or as it is where it is not the standard library's."""
    real = threading.Thread.__init__
    if real.__globals__ is not vars(threading):
        return real
    made = FunctionType(real.__code__, {**real.__globals__, "Event": _Started}, real.__name__, real.__defaults__)
    made.__kwdefaults__ = real.__kwdefaults__
    return made
