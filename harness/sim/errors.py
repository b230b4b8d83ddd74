"""Errors and stops of the controlled world."""

from __future__ import annotations

__all__ = [
    "DeadlockError",
    "DrawError",
    "ExceptionNotRetrievedError",
    "FaultError",
    "SimError",
    "TaskDestroyedError",
    "TaskExit",
    "WorldInUseError",
]


class SimError(Exception):
    """The controlled world could not do what was asked."""


class WorldInUseError(SimError, RuntimeError):
    """A second world was to be made while one exists in this process."""

    def __str__(self) -> str:
        return "an exploration is wanted, another one is running in this process; wait for its end or use a new process"


class DrawError(SimError, ValueError):
    """Options cannot be drawn from; the message says what was wanted, what is so and what to do."""


class FaultError(SimError, ValueError):
    """A fault cannot be made with these values; the message says what is so and what to do."""


class DeadlockError(SimError):
    """Nothing is runnable, no timer is due, and some task has not ended.

    Attributes:
        lines: Who waits for what, one line each, and the circle they stand in.
        places: File and line at which each of them waits, in the same order.
    """

    def __init__(self, lines: tuple[str, ...], places: tuple[tuple[str, int], ...] = ()) -> None:
        super().__init__(lines, places)
        self.lines, self.places = lines, places

    def __str__(self) -> str:
        return "\n  ".join(["nothing can go on, and no timer is due", *self.lines])


class TaskDestroyedError(SimError):
    """An asyncio task was forgotten before it had ended, so that what it was to do was not done."""

    def __init__(self, task: str, work: str) -> None:
        super().__init__(task, work)
        self.task, self.work = task, work

    def __str__(self) -> str:
        return f"task {self.task!r} was destroyed while it was pending in {self.work}; keep a reference and await it"


class ExceptionNotRetrievedError(SimError):
    """An asyncio task or future ended with an exception that nobody asked for."""

    def __init__(self, task: str, error: Exception, work: str = "") -> None:
        super().__init__(task, error, work)
        self.task, self.error, self.work = task, error, work

    def __str__(self) -> str:
        what = f"{type(self.error).__name__}: {self.error}".rstrip(": ")
        where = f" in {self.work}" if self.work else ""
        return f"{self.task!r} ended{where} with {what}, which nobody asked for; await it, or ask for its exception"


class TaskExit(BaseException):
    """Thrown into a task that is left over at the end of an execution, so that its ``finally`` blocks run."""
