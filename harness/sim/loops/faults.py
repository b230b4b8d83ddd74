"""What asyncio would only log, and is a failure of the execution: tasks forgotten, exceptions that nobody asked for.

asyncio finds out when it frees the task or future. Garbage of an execution is collected at its end, so that it is found
there in every run. A program that sets an exception handler of its own is told instead, as with threads.
"""

from __future__ import annotations

import asyncio
import sys
import warnings
from typing import Any, final

from harness.sim.errors import ExceptionNotRetrievedError, TaskDestroyedError
from harness.sim.event import call_site, origin_of
from harness.sim.place import shown_file

__all__ = ["Hushed", "fault_of"]


def fault_of(context: dict[str, Any]) -> Exception | None:
    """Return the error for what a loop's exception handler is told, ``None`` for cancellations."""
    message, error = context["message"], context.get("exception")
    what = context.get("task") or context.get("future")
    if isinstance(what, asyncio.Task) and error is None and not what.done():
        return TaskDestroyedError(what.get_name(), _work_of(what))
    if "never retrieved" in message and isinstance(error, Exception):
        name = what.get_name() if isinstance(what, asyncio.Task) else type(what).__name__
        fault = ExceptionNotRetrievedError(name, error, _raised_in(what, error))
        fault.__cause__ = error
        return fault
    return error if isinstance(error, Exception) else None


def _work_of(task: asyncio.Task[Any]) -> str:
    """Return what a task was at: its coroutine, and the line of its await."""
    coroutine = task.get_coro()
    name = getattr(coroutine, "__qualname__", type(coroutine).__name__)
    frame = getattr(coroutine, "cr_frame", None)
    if frame is None:
        return f"{name}()"
    file, line, _ = call_site(frame)
    return f"{name}() at {shown_file(file)}:{line}"


def _raised_in(what: object, error: Exception) -> str:
    """Return the coroutine of a task, and the program's line at which it raised; of a future nothing is known."""
    if not isinstance(what, asyncio.Task):
        return ""
    file, line, _ = origin_of(error)
    return f"{_work_of(what)} at {shown_file(file)}:{line}" if file else _work_of(what)


@final
class Hushed:
    """Keeps to itself what the end of an execution makes finalizers complain of: it is not the program's doing."""

    def __enter__(self) -> None:
        self._real = sys.unraisablehook, warnings.showwarning
        sys.unraisablehook = warnings.showwarning = _ignore

    def __exit__(self, *raised: object) -> None:
        sys.unraisablehook, warnings.showwarning = self._real


def _ignore(*_complaint: object, **_options: object) -> None:
    """Say nothing."""
