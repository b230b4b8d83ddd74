"""Standard-library code that calls the program or lets others go on while it holds a real lock.

There the lock is shadowed first. A real re-entrant lock belongs to the OS thread, which all tasks share: without this a
second task would walk in while the first is inside, and a plain lock would hang.
"""

from __future__ import annotations

import functools
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import _base
from functools import partial, wraps
from typing import Any

from harness.sim.locks import REAL_LOCK_TYPES
from harness.sim.task import Task, current_task

__all__ = ["lock_holders", "with_shadowed_lock"]


def lock_holders() -> Iterator[tuple[type, str, Callable[..., object]]]:
    """Yield class, name and replacement of methods that call out under a lock of their own."""
    yield logging.Handler, "handle", _under_shadow(logging.Handler.handle, lambda handler, _: handler.lock)
    yield threading.Condition, "__enter__", with_shadowed_lock(threading.Condition.__enter__)
    several = _base._AcquireFutures  # of wait and as_completed
    yield several, "__enter__", _with_shadowed_futures(several.__enter__)
    if sys.version_info < (3, 12):
        yield functools.cached_property, "__get__", _under_shadow(functools.cached_property.__get__, _lock_to_fill)


def with_shadowed_lock(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of a condition before which a real lock of the condition gives way to its shadow."""

    @wraps(real)
    def method(condition: Any, *args: Any, **kwargs: Any) -> Any:
        task = current_task()
        if task is not None and not task.inside:
            _shadow_lock(task, condition)
        return real(condition, *args, **kwargs)

    return method


def _with_shadowed_futures(real: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of what holds the conditions of several futures, before which their real locks give way."""

    @wraps(real)
    def method(several: Any) -> Any:
        task = current_task()
        if task is not None:
            for future in several.futures:
                _shadow_lock(task, future._condition)
        return real(several)

    return method


def _shadow_lock(task: Task, condition: Any) -> None:
    if type(condition._lock) in REAL_LOCK_TYPES:
        scheduler, before = task.scheduler, dict(vars(condition))
        threading.Condition.__init__(condition, scheduler.shadow(condition._lock))
        condition._waiters = before["_waiters"]
        scheduler.put_back.append(partial(vars(condition).update, before))


def _lock_to_fill(cached: Any, instance: object, _: object = None) -> object:
    """Return the lock of a cached property that is to be computed, else ``None``."""
    is_there = instance is None or cached.attrname in getattr(instance, "__dict__", {cached.attrname})
    return None if is_there else cached.lock


def _under_shadow(real: Callable[..., object], lock_of: Callable[..., Any]) -> Callable[..., object]:
    @wraps(real)
    def held(*args: Any) -> object:
        task = current_task()
        lock = None if task is None else lock_of(*args)
        if task is None or type(lock) not in REAL_LOCK_TYPES:
            return real(*args)
        with task.scheduler.shadow(lock):
            return real(*args)

    return held
