"""What makes two failures the same: their kind and their places."""

from __future__ import annotations

from harness.sim import DeadlockError, Outcome

__all__ = ["Place", "place_of"]

Place = tuple[object, ...]


def place_of(outcome: Outcome) -> Place:
    """Return kind, type of the error, and the line that raised it or the lines at which tasks wait."""
    error = outcome.error
    if isinstance(error, DeadlockError):
        return outcome.kind, tuple(sorted(error.places))
    kind = type(error)  # by name: a class that the program itself defines is another one in each execution
    return outcome.kind, kind.__module__, kind.__qualname__, _line(error)


def _line(error: BaseException | None) -> tuple[str, int]:
    traceback = error.__traceback__ if error is not None else None
    line: tuple[str, int] = ("", 0)
    while traceback is not None:
        line = traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
    return line
