"""Threads of a thread pool: taking the next job is one step, whatever the standard library does between two jobs.

Its worker counts idle threads and asks the queue in other ways in each Python version. Here all of that belongs to the
step that takes a job, so that a schedule is the same in all of them; the worker's code itself runs as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, _base, thread
from functools import wraps
from typing import Any, final

from harness.sim.later import announced
from harness.sim.operations import operation
from harness.sim.primitive_use import SETTLED
from harness.sim.task import Task, current_task

__all__ = ["pool_patches"]


def pool_patches() -> Iterator[tuple[object, str, Callable[..., object]]]:
    """Yield owner, name and replacement of everything that is replaced."""
    yield thread, "_worker", _in_steps(vars(thread)["_worker"])
    yield Future, "add_done_callback", _add_done_callback


def _in_steps(real: Callable[..., None]) -> Callable[..., None]:
    """Return what a pool's thread runs, for tasks: between jobs it has no scheduling points but ours."""

    @wraps(real)
    def worker(pool: object, items: Any, initializer: Callable[..., object] | None, *args: Any) -> None:
        task = current_task()
        if task is None:
            return real(pool, items, initializer, *args)
        task.inside += 1
        try:
            begin = None if initializer is None else _outside(task, announced(initializer))
            real(pool, _Jobs(task, items), begin, *args)
        finally:
            task.inside -= 1
        return None

    return worker


def _outside(task: Task, function: Callable[..., object]) -> Callable[..., object]:
    """Return a function of the program, with the scheduling points that it has."""

    def call(*args: object, **kwargs: object) -> object:
        task.inside -= 1
        try:
            return function(*args, **kwargs)
        finally:
            task.inside += 1

    return call


@final
class _Jobs:
    """The queue of a pool, as one of its threads sees it. Confined to the thread."""

    def __init__(self, task: Task, items: Any) -> None:
        self._task, self._items = task, items
        self._is_taking = False

    def get_nowait(self) -> object:
        """Return the next job; part of the step that may go on to wait for one."""
        self.take()
        return self._taken(self._items.get_nowait())

    def get(self, block: bool = True) -> object:
        """Wait for the next job."""
        self.take()
        return self._taken(self._items.get(block))

    def put(self, item: object) -> None:
        """Pass on that the pool is at its end."""
        self._items.put(item)

    def take(self) -> None:
        """Begin the step that takes a job, if it has not begun."""
        task = self._task
        if self._is_taking or task.atomic:
            return
        self._is_taking = True
        scheduler = task.scheduler
        task.inside -= 1
        try:
            if scheduler.tracker is not None:
                scheduler.tracker.primitive(task, self._items, "get")
            scheduler.point(task)
        finally:
            task.inside += 1
        task.operation = self._items, "get"

    def _taken(self, item: Any) -> object:
        task = self._task
        scheduler = task.scheduler
        self._is_taking, task.operation = False, None
        if scheduler.watch is not None:
            scheduler.watch.acquire(task, self._items)
        if scheduler.recorder is not None and not task.atomic:
            task.inside -= 1
            scheduler.note(task, "call", f"{scheduler.name_of(self._items)}.get")
            task.inside += 1
        return None if item is None else _Job(self, item.run, task)


@final
class _Job:
    """A job, in the worker's hands. Confined."""

    def __init__(self, jobs: _Jobs, run: Callable[..., object], task: Task) -> None:
        self._jobs = jobs
        self._run: Callable[..., object] | None = _outside(task, run)

    def run(self) -> None:
        """Run it and let go of it; what the worker does after that belongs to taking the next one."""
        run, self._run = self._run, None  # who waits for the next job keeps neither the last one nor its result
        assert run is not None
        run()
        del run
        self._jobs.take()


def _add(future: Any, function: Callable[[Any], object]) -> bool:
    """Keep a callback for the end of a future; return whether that end is still to come."""
    with future._condition:
        if future._state in SETTLED:
            return False
        future._done_callbacks.append(function)
        return True


_real_add_done_callback = Future.add_done_callback
_add_in_one_step = operation(_add, "add_done_callback")


@wraps(_real_add_done_callback)
def _add_done_callback(future: Any, fn: Callable[[Any], object]) -> None:
    """Add a callback in one step, and run it after the step where the future is done; as the real one."""
    task, fn = current_task(), announced(fn)
    if task is None or task.inside:
        _real_add_done_callback(future, fn)
    elif not _add_in_one_step(future, fn):
        try:
            fn(future)
        except Exception:
            _base.LOGGER.exception("exception calling callback for %r", future)
