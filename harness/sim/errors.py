"""Errors and stops of the controlled world."""

from __future__ import annotations

__all__ = ["DeadlockError", "DrawError", "SimError", "TaskExit", "WorldInUseError"]


class SimError(Exception):
    """The controlled world could not do what was asked."""


class WorldInUseError(SimError, RuntimeError):
    """A second world was to be made while one exists in this process."""

    def __str__(self) -> str:
        return "an exploration is wanted, another one is running in this process; wait for its end or use a new process"


class DrawError(SimError, ValueError):
    """Options cannot be drawn from; the message says what was wanted, what is so and what to do."""


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


class TaskExit(BaseException):
    """Thrown into a task that is left over at the end of an execution, so that its ``finally`` blocks run."""
