"""Keeps the loops of an execution apart from the loop that the exploration itself may run in, a notebook's say.

The running loop and the hooks of async generators belong to the OS thread, which all tasks share with whoever called
the exploration; the policy and the set of all tasks belong to the process.
"""

from __future__ import annotations

import sys
from asyncio import events, tasks
from collections.abc import Iterator
from contextlib import contextmanager
from operator import call
from typing import Any, final
from weakref import WeakSet, ref

from harness.sim.loops.event_loop import EventLoop
from harness.sim.loops.loop_task import LoopTask
from harness.sim.loops.ordered_set import OrderedRefs
from harness.sim.loops.policy import Policy

__all__ = ["ALL_TASKS", "EAGER_TASKS", "LoopsApart", "tasks_outside"]

# asyncio's weak set of all tasks, under its name before and since 3.12.
ALL_TASKS: WeakSet[Any] = vars(tasks)["_all_tasks" if hasattr(tasks, "_all_tasks") else "_scheduled_tasks"]

_OUTSIDE: list[set[Any]] = []  # weak references to the tasks that were there before executions, while there are some

EAGER_TASKS: set[Any] = vars(tasks).get("_eager_tasks", set())  # those in their first step, since 3.12


@final
class LoopsApart:
    """Context manager around the executions of one exploration. Confined to the world's thread."""

    def __init__(self) -> None:
        self._own = Policy()
        self._made = OrderedRefs()
        self._has_others = False  # whether a task may have been made by another loop than ours

    def __enter__(self) -> None:
        self._running = events._get_running_loop()
        self._hooks = sys.get_asyncgen_hooks()
        self._policy = events._event_loop_policy  # type: ignore[attr-defined]  # what set_event_loop_policy sets
        self._tasks: set[Any] = ALL_TASKS.data  # type: ignore[attr-defined]
        events._set_running_loop(None)
        sys.set_asyncgen_hooks(None, None)
        self._own.begin(self._policy)
        events._event_loop_policy = self._own  # type: ignore[attr-defined]
        _OUTSIDE.append(self._tasks)
        ALL_TASKS.data = self._made  # type: ignore[attr-defined]
        ALL_TASKS.add = self._add  # type: ignore[assignment,method-assign]  # by another name of its argument

    def reset(self) -> None:
        """Forget what an execution left, and what it set; called after each."""
        is_untouched = (
            events._event_loop_policy is self._own  # type: ignore[attr-defined]
            and events._get_running_loop() is None
            and sys.get_asyncgen_hooks() == (None, None)
        )
        if is_untouched and not (self._has_others and self._foreign()):
            self._own.forget()
            self._made.clear()
            self._has_others = False
        else:
            with self.left():
                pass

    @contextmanager
    def left(self) -> Iterator[None]:
        """Run code that is no part of an execution, in between."""
        self.__exit__()
        try:
            yield
        finally:
            self.__enter__()

    def _add(self, task: Any) -> None:
        """Keep a task among all tasks, without asking to be told of its end: an execution does not last."""
        self._made.append(ref(task))
        if type(task) is not LoopTask:
            self._has_others = True

    def _foreign(self) -> list[Any]:
        """Return the tasks that another thread of the process has made in the meantime."""
        living = filter(None, map(call, self._made))
        return [task for task in living if not isinstance(task.get_loop(), EventLoop)]

    def __exit__(self, *raised: object) -> None:
        foreign = self._foreign()
        del ALL_TASKS.add
        ALL_TASKS.data = self._tasks  # type: ignore[attr-defined]
        _OUTSIDE.remove(self._tasks)
        self._made.clear()
        self._has_others = False
        for task in foreign:
            ALL_TASKS.add(task)
        events._event_loop_policy = self._policy  # type: ignore[attr-defined]
        sys.set_asyncgen_hooks(*self._hooks)
        events._set_running_loop(self._running)


def tasks_outside() -> list[Any]:
    """Return the tasks of loops that other threads of the process run beside an exploration, made before it began."""
    return [task for tasks in _OUTSIDE for task in map(call, list(tasks)) if task is not None]
