"""Public operations of the standard library's primitives, each one step of a schedule.

An event, a semaphore or a queue is made of locks and conditions, differently in each Python version. Here every public
operation is one scheduling point, after which the library's own code runs to its end without another; where it waits,
it waits as a whole. So the semantics are the library's own, of objects of any age and of subclasses, and a schedule
speaks of ``put`` and ``get``, not of the locks inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from functools import partial, wraps
from queue import Queue, SimpleQueue
from typing import Any, ParamSpec, TypeVar, final

from harness.sim.ending import end_pools_at_exit
from harness.sim.later import announced
from harness.sim.lock_holders import with_shadowed_lock
from harness.sim.locks import REAL_LOCK_TYPES
from harness.sim.task import current_task, refuse_to_wait
from harness.sim.threads import is_running_outside, task_of

__all__ = ["operation", "operations"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

# (class, its public operations). What runs the program's own code, such as Condition.wait_for and callbacks of
# futures, is not listed: that code has scheduling points of its own.
_OPERATIONS: tuple[tuple[type, str], ...] = (
    (threading.Event, "is_set set clear wait"),
    (threading.Semaphore, "acquire release __enter__"),
    (threading.BoundedSemaphore, "release"),
    (threading.Barrier, "wait reset abort"),
    (Queue, "put get task_done join qsize empty full shutdown"),
    (futures.Future, "cancelled running done result exception set_running_or_notify_cancel"),
)


def operation(real: Callable[_P, _R], name: str) -> Callable[_P, _R]:
    """Return a method that is one step of the task that calls it, and the real method everywhere else."""

    @wraps(real)
    def step(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        task = current_task()
        if task is None or task.inside:
            return real(*args, **kwargs)
        scheduler = task.scheduler
        if scheduler.tracker is not None:
            scheduler.tracker.primitive(task, args[0], name, args[1:], kwargs)
        scheduler.point(task)
        watch = scheduler.watch
        if watch is not None:
            watch.publish(task, args[0])
        task.inside += 1
        task.operation = args[0], name
        try:
            return real(*args, **kwargs)
        finally:
            task.inside -= 1
            task.operation = None
            if watch is not None:
                watch.acquire(task, args[0])
            if scheduler.recorder is not None:
                scheduler.note(task, "call", f"{scheduler.name_of(args[0])}.{name}")

    return step


def operations() -> Iterator[tuple[type, str, Callable[..., Any]]]:
    """Yield class, name and replacement of every public operation."""
    for owner, names in (*_OPERATIONS, *_simple_queue()):
        for name in names.split():
            real = vars(owner).get(name)
            if real is not None:
                yield owner, name, operation(real, name.strip("_"))
    condition = threading.Condition
    for name, method in (
        ("wait", _taking_a_moment(condition.wait)),
        ("notify", _waking_tasks(condition.notify)),
        ("notify_all", condition.notify_all),
    ):
        yield condition, name, with_shadowed_lock(operation(method, name))
    pool = futures.ThreadPoolExecutor
    yield pool, "submit", _with_tasks(_of_announced(operation(pool.submit, "submit")))
    yield pool, "shutdown", _with_tasks(pool.shutdown)
    for name in ("set_result", "set_exception", "cancel"):
        yield futures.Future, name, _before_callbacks(getattr(futures.Future, name), name)


def _simple_queue() -> list[tuple[type, str]]:
    from queue import _PySimpleQueue  # type: ignore[attr-defined]  # stands in for the one written in C

    return [(_PySimpleQueue, "put get put_nowait get_nowait empty qsize")]


def _before_callbacks(real: Callable[_P, _R], name: str) -> Callable[_P, _R]:
    """Return a method of a future that is one step, and calls the future's callbacks after it."""

    @wraps(real)
    def collect(*args: Any, **kwargs: Any) -> tuple[Any, bool]:
        later: list[None] = []
        future = args[0]
        future._invoke_callbacks = lambda: later.append(None)
        try:
            return real(*args, **kwargs), bool(later)
        finally:
            vars(future).pop("_invoke_callbacks", None)  # another task may have waited to settle it as well

    step: Callable[..., tuple[Any, bool]] = operation(collect, name)

    @wraps(real)
    def settle(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        task = current_task()
        if task is None or task.inside:
            return real(*args, **kwargs)
        future: Any = args[0]
        result, is_settled = step(*args, **kwargs)
        if is_settled:
            future._invoke_callbacks()
        return result  # type: ignore[no-any-return]  # what the real method returns

    return settle


def _taking_a_moment(real: Callable[..., bool]) -> Callable[..., bool]:
    """Return ``Condition.wait`` for tasks, which takes time even where none is left; see `Clock.run_late`."""

    @wraps(real)
    def wait(condition: Any, timeout: float | None = None) -> bool:
        refuse_to_wait()
        is_notified = real(condition, timeout)
        task = current_task()
        if task is not None and timeout is not None and timeout <= 0 and not is_notified:
            task.scheduler.clock.run_late()
        return is_notified

    return wait


def _waking_tasks(real: Callable[..., None]) -> Callable[..., None]:
    """Return ``Condition.notify`` for tasks, which may not wake an OS thread that is none."""

    @wraps(real)
    def notify(condition: Any, n: int = 1) -> None:
        task = current_task()
        if task is not None and any(type(waiter) in REAL_LOCK_TYPES for waiter in condition._waiters):
            task.scheduler.escape(task, "wakes a thread that was started outside the exploration")
        real(condition, n)

    return notify


@final
class _Idle(threading.Semaphore):
    """How many threads of a pool are idle. A pool only asks, with a time-out of nothing, which takes no time here."""

    def acquire(self, blocking: bool = True, timeout: float | None = None) -> bool:  # noqa: ARG002 - interface
        return super().acquire(blocking=False)


def _of_announced(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``submit`` of a thread pool, whose threads pass a hook before a call that nothing else tells of."""

    @wraps(real)
    def submit(pool: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        return real(pool, announced(fn), *args, **kwargs)

    return submit


def _with_tasks(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a thread pool for tasks: its threads are tasks, and its queue is one they can wait at."""

    @wraps(real)
    def method(pool: Any, *args: Any, **kwargs: Any) -> Any:
        task = current_task()
        if task is not None:
            scheduler, items = task.scheduler, pool._work_queue
            end_pools_at_exit(scheduler)
            if any(task_of(thread, scheduler) is None and is_running_outside(thread) for thread in pool._threads):
                scheduler.escape(
                    task, "submits to a ThreadPoolExecutor whose threads were started outside the exploration"
                )
            if type(items) is SimpleQueue:
                scheduler.put_back.append(partial(vars(pool).update, dict(vars(pool))))
                pool._work_queue, pool._threads = scheduler.shadow(items), set()
                pool._idle_semaphore = _Idle(0)
            elif type(pool._idle_semaphore) is not _Idle:
                pool._idle_semaphore = _Idle(pool._idle_semaphore._value)
        return real(pool, *args, **kwargs)

    return method
