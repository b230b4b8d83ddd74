"""Which asyncio task each event belongs to, and at which await a task stood when the next of its loop came in.

Tasks of one loop share a thread, and leave it only at awaits. So nothing is seen of the hand-over itself: it shows when
an event comes from another task than the last one of that loop, which by then stands at the await that let it in.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING, Any, final

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.sim.task import Task

__all__ = ["AsyncTask", "AsyncTasks"]


@dataclass(frozen=True, slots=True)
class AsyncTask:
    """An asyncio task that events belong to. Immutable.

    Attributes:
        number: Number of the task in the execution, from 1.
        name: Its name, such as ``Task-2``.
        coroutine: Name of the coroutine function it runs.
        loop: Number of its loop, from 1.
        maker: Number of the task that made it, 0 where none did.
        born: Events before it was made.
        ended: Step by which its maker had seen it end, -1 if that did not come.
    """

    number: int
    name: str
    coroutine: str
    loop: int
    maker: int = 0
    born: int = 0
    ended: int = -1

    def __str__(self) -> str:
        return f"{self.name} ({self.coroutine})" if self.coroutine else self.name


@final
class AsyncTasks:
    """Follows the tasks of all loops of one execution. Confined.

    Args:
        is_inside: Whether a file is ours or of the standard library, whose lines are not told.
        home: File of the program, whose lines are told first.

    Attributes:
        left_at: By step: file and line of the await at which the task stood that had this event last.
    """

    def __init__(self, is_inside: Callable[[str], bool], home: str) -> None:
        self._is_inside, self._home = is_inside, home
        self._numbers: dict[int, int] = {}  # by id of the task, valid while the reference below leads to it
        self._tasks: list[tuple[weakref.ref[Any], AsyncTask]] = []
        self._children: dict[int, list[int]] = {}  # tasks not yet seen to have ended, by their maker
        self._running: dict[int, int] = {}  # by loop: the task that had its last event,
        self._last: dict[int, int] = {}  # by task: its last event
        self._by_step: dict[int, int] = {}
        self.left_at: dict[int, tuple[str, int]] = {}

    def add(self, made: Any, loop: int, maker: Any, step: int) -> None:
        """Note that a task was made, unless its first step ran before; not hashed, which would number it."""
        if self._is_known(made):
            return
        by = 0 if maker is None else self._number(maker, loop, step)
        number = len(self._tasks) + 1
        self._numbers[id(made)] = number
        coroutine = getattr(made.get_coro(), "__qualname__", "").rpartition("<locals>.")[2]
        self._tasks.append((weakref.ref(made), AsyncTask(number, made.get_name(), coroutine, loop, by, step)))
        self._children.setdefault(by, []).append(number)

    def note(self, step: int, task: Task) -> None:
        """Note who has an event."""
        loop = task.loop
        current = None if loop is None else loop.current()
        if current is None:
            return
        number = self._number(current, loop.number, step)
        before = self._running.get(loop.number)
        if before != number:
            self._running[loop.number] = number
            reference, told = self._tasks[number - 1]
            if told.name != current.get_name():  # task groups name theirs after they made them
                self._tasks[number - 1] = reference, replace(told, name=current.get_name())
            if before is not None:
                self._leave(before)
            self._see_ends(number, step)
        self._by_step[step], self._last[number] = number, step

    def of(self, step: int) -> AsyncTask | None:
        """Return the task that had an event, ``None`` where it was no task's."""
        number = self._by_step.get(step)
        return None if number is None else self._tasks[number - 1][1]

    def waiting(self, loop: int) -> list[tuple[AsyncTask, tuple[str, int]]]:
        """Return the tasks of a loop that have not ended, with the await at which each stands."""
        living = [(told, task()) for task, told in self._tasks if told.loop == loop]
        places = [(told, self._await_of(task)) for told, task in living if task is not None and not task.done()]
        return [(told, place) for told, place in places if place is not None]

    def _number(self, task: Any, loop: int, step: int) -> int:
        self.add(task, loop, None, step)
        return self._numbers[id(task)]

    def _is_known(self, task: Any) -> bool:
        number = self._numbers.get(id(task))
        return number is not None and self._tasks[number - 1][0]() is task

    def _leave(self, number: int) -> None:
        task = self._tasks[number - 1][0]()
        place = None if task is None or task.done() else self._await_of(task)
        if place is not None:
            self.left_at[self._last[number]] = place

    def _see_ends(self, maker: int, step: int) -> None:
        living = []
        for number in self._children.get(maker, ()):
            reference, told = self._tasks[number - 1]
            task = reference()
            if task is None or task.done():
                self._tasks[number - 1] = reference, replace(told, ended=step)
            else:
                living.append(number)
        self._children[maker] = living

    def _await_of(self, task: Any) -> tuple[str, int] | None:
        """Return the innermost await in the program's file, else in a file that is neither ours nor the library's."""
        found: tuple[str, int] | None = None
        waiting = task.get_coro()
        while waiting is not None:
            frame: FrameType | None = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
            if frame is None:
                break
            file = frame.f_code.co_filename
            if file == self._home or ((found is None or found[0] != self._home) and not self._is_inside(file)):
                found = file, frame.f_lineno
            waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
        return found
