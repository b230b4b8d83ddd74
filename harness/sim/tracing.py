"""Trace and profile functions of tasks: each thread has its own, and no other task comes in while one is called.

A greenlet that is left inside a trace function loses later events, so the program's functions are called with hooks
off. Frames of ours are not shown to them. What was set before the world was made, by a debugger or to measure coverage,
goes on seeing all tasks.
"""

from __future__ import annotations

import bdb
import sys
import threading
from collections.abc import Callable, Iterator
from functools import wraps
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, final

from harness.sim.task import Task, current_task, running_task
from harness.sim.thread_state import TraceFunction

if TYPE_CHECKING:
    from harness.sim.scheduler import Scheduler

__all__ = ["begin_tracing", "tracing_hooks", "tracing_replacements"]

_OWN = tuple(str(Path(__file__).parents[1] / package) for package in ("explore", "instrument", "sim"))
_TRACE, _PROFILE = 0, 1  # positions in a state's pair
_REAL_SETTERS: tuple[Callable[[Any], None], ...] = (sys.settrace, sys.setprofile)
_REAL_GETTERS: tuple[Callable[[], Any], ...] = (sys.gettrace, sys.getprofile)


@final
class _Atomic:
    """A trace or profile function of the program's, called with hooks off."""

    __slots__ = ("function",)

    def __init__(self, function: TraceFunction) -> None:
        self.function = function

    def __call__(self, frame: FrameType, event: str, argument: object) -> object:
        task = running_task()
        if task is None or _is_ours(frame):
            return None
        task.atomic += 1
        try:
            inner = self.function(frame, event, argument)
        finally:
            task.atomic -= 1
        return self if inner is self.function else _Atomic(inner) if inner is not None else None


def _is_ours(frame: FrameType) -> bool:
    """Return whether a frame runs code of ours, or a method that was generated for a class of ours."""
    caller = frame.f_back if frame.f_code.co_filename == "<string>" else None
    return (caller or frame).f_code.co_filename.startswith(_OWN)


def tracing_replacements() -> Iterator[tuple[object, str, Callable[..., object]]]:
    """Yield owner, name and replacement of what sets, tells and is a trace or profile function."""
    yield bdb.Bdb, "trace_dispatch", _atomically(bdb.Bdb.trace_dispatch)
    for position, name in ((_TRACE, "trace"), (_PROFILE, "profile")):
        yield sys, f"set{name}", _setter(position)
        yield sys, f"get{name}", _getter(position)
        for_all = getattr(sys, f"_set{name}allthreads", None)  # 3.12 and later
        if for_all is not None:
            yield sys, f"_set{name}allthreads", _setter_for_all(position, for_all)


def _atomically(dispatch: Callable[..., object]) -> Callable[..., object]:
    """Return what a debugger binds to frames itself, past the functions below, with hooks off while it runs."""

    @wraps(dispatch)
    def trace(*args: object) -> object:
        task = running_task()
        if task is None:
            return dispatch(*args)
        task.atomic += 1
        try:
            return dispatch(*args)
        finally:
            task.atomic -= 1

    return trace


def begin_tracing(scheduler: Scheduler) -> None:
    """Set what ``threading.settrace`` and ``setprofile`` have for new threads, unless that is older than the execution.

    Called in the task that begins.
    """
    functions, task = tracing_hooks(), current_task()
    for position, function in enumerate(functions):
        if task is not None and function is not None and function is not scheduler.tracing_hooks[position]:
            _bind(task, position, _Atomic(function))


def tracing_hooks() -> tuple[Any, Any]:
    """Return what the program has set for new threads."""
    return threading._trace_hook, threading._profile_hook  # type: ignore[attr-defined]


def _bind(task: Task, position: int, function: TraceFunction | None) -> None:
    trace, profile = task.state.tracing
    task.state.tracing = (function, profile) if position == _TRACE else (trace, function)
    task.scheduler.states.is_bound = True
    if task is running_task():
        task.state.bind()


def _setter(position: int) -> Callable[[TraceFunction | None], None]:
    def setter(function: TraceFunction | None) -> None:
        task = current_task()
        if task is None:
            _REAL_SETTERS[position](function)
        else:
            _bind(task, position, None if function is None else _Atomic(function))

    return setter


def _setter_for_all(position: int, real: Callable[[Any], None]) -> Callable[[TraceFunction | None], None]:
    def setter(function: TraceFunction | None) -> None:
        task = current_task()
        if task is None:
            real(function)
            return
        for each in task.scheduler.tasks:
            _bind(each, position, None if function is None else _Atomic(function))

    return setter


def _getter(position: int) -> Callable[[], TraceFunction | None]:
    def getter() -> TraceFunction | None:
        task = current_task()
        placed = _REAL_GETTERS[position]() if task is None else task.state.tracing[position]
        if isinstance(placed, _Atomic):
            return placed.function
        return placed if task is None or task.number == 1 else None

    return getter
