"""What to say of a deadlock: who waits for what, at which line, who holds it, and the circle they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.sim.errors import DeadlockError
from harness.sim.event import call_site
from harness.sim.locks import Lock
from harness.sim.place import shown_file
from harness.sim.task import Task

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = ["describe_deadlock", "why_not_runnable"]


def describe_deadlock(scheduler: Scheduler, tasks: Sequence[Task]) -> DeadlockError:
    """Return the error for tasks that have not ended and cannot go on."""
    lines = [f"task {task.name!r} {_waiting(scheduler, task)}" for task in tasks]
    lines += [line for task in tasks for line in _awaiting(scheduler, task)]
    circle = _circle(tasks)
    if circle:
        names = [part.name if isinstance(part, Task) else scheduler.name_of(part) for part in circle]
        lines.append(f"circle: {' -> '.join(names)}")
    return DeadlockError(tuple(lines), tuple(call_site(task.frame)[:2] for task in tasks))


def why_not_runnable(scheduler: Scheduler, number: int) -> str:
    """Return in words why a task of this number, 0 for the clock, cannot go on."""
    if number == 0:
        return "no timer is set"
    if number > len(scheduler.tasks):
        return f"only {len(scheduler.tasks)} tasks have been started"
    task = scheduler.tasks[number - 1]
    if task.is_done:
        return f"{task.name!r} has ended"
    is_here = task.frame is None  # it is the one that asks, and its line is told beside this
    return f"{task.name!r} {f'waits for {_wanted(scheduler, task)}' if is_here else _waiting(scheduler, task)}"


def _waiting(scheduler: Scheduler, task: Task) -> str:
    number = None if task.loop is None else task.loop.number
    if number is not None and task.waits_for is task.loop:
        return f"runs loop {number}, which has nothing left to run"
    parts = [f"waits{_place(task)} for {_wanted(scheduler, task)}"]
    if number is not None:
        parts.append(f"stops loop {number}")
    if task.held:
        parts.append(f"holds {', '.join(_lock(scheduler, lock) for lock in task.held)}")
    return ", and ".join(parts)


def _awaiting(scheduler: Scheduler, task: Task) -> list[str]:
    """Return at which await each asyncio task stands of the loop that a task runs, when events are kept."""
    if task.loop is None or scheduler.recorder is None:
        return []
    waiting = scheduler.recorder.async_tasks.waiting(task.loop.number)
    return [
        f"task {told.name!r} ({told.coroutine}) of loop {told.loop} awaits at {shown_file(path)}:{line}"
        for told, (path, line) in waiting
    ]


def _wanted(scheduler: Scheduler, task: Task) -> str:
    if task.operation is not None:
        primitive, name = task.operation
        return f"{scheduler.name_of(primitive)}.{name}"
    if not isinstance(task.waits_for, Lock):
        return str(task.waits_for)
    owner = task.waits_for.owner
    return f"{_lock(scheduler, task.waits_for)}, held by {repr(owner.name) if owner is not None else 'no task'}"


def _lock(scheduler: Scheduler, lock: object) -> str:
    name = scheduler.name_of(lock)
    if not isinstance(lock, Lock) or not lock.made[0]:
        return name
    return f"{name} (made at {shown_file(lock.made[0])}:{lock.made[1]})"


def _place(task: Task) -> str:
    """Return the line at which a task waits."""
    file, line, _ = call_site(task.frame)
    return f" at {shown_file(file)}:{line}" if file else ""


def _circle(tasks: Sequence[Task]) -> list[Task | Lock]:
    """Return tasks and locks in turn, from a task back to itself, or nothing where there is no such circle."""
    for task in tasks:
        path: list[Task | Lock] = [task]
        current: Task | None = task
        while current is not None and isinstance(current.waits_for, Lock) and current.operation is None:
            path.append(current.waits_for)
            current = current.waits_for.owner
            if current is None or (current in path and current is not task):
                break
            path.append(current)
            if current is task:
                return path
    return []
