"""What the tasks of a generated program saw, kept where no hook looks: this module is never instrumented."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

NOTES: list[tuple[int, object]] = []
SHARED: dict[int, Any] = {}  # at 0 the shared objects, a named tuple
_CHOSEN: list[Callable[[], None]] = []  # the program to run


def note(task: int, value: object) -> None:
    """Note what a task saw."""
    NOTES.append((task, value))


def begin() -> None:
    """Forget the last execution."""
    NOTES.clear()
    SHARED.clear()


def seen() -> tuple[object, ...]:
    """Return what each task saw, in its own order."""
    return tuple(sorted(((task, tuple(v for t, v in NOTES if t == task)) for task in {t for t, _ in NOTES}), key=repr))


def select(program: Callable[[], None]) -> None:
    """Let a program be the one to run."""
    _CHOSEN[:] = [program]


def selected() -> Callable[[], None]:
    """Return the program to run."""
    return _CHOSEN[0]


__name__ = "harness.sim.notes"  # what the laboratory does for itself is no event, nor is what is noted here
