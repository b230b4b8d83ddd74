"""Data drawn through the world: a choice among values that the schedule holds like a choice among tasks.

A program that calls `choose` leaves a decision to the exploration: random strategies draw it, exhaustive ones try every
value, and a token repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar, final

from harness.sim.errors import DrawError
from harness.sim.task import current_task

__all__ = ["Option", "choose"]

_T = TypeVar("_T")


@final
@dataclass(frozen=True, slots=True)
class Option:
    """One value that could be drawn; a candidate beside tasks and the clock, never among them. Immutable.

    Attributes:
        number: Position among the options, from 0.
    """

    number: int

    @property
    def name(self) -> str:
        """What reports call it."""
        return f"option {self.number}"


def choose(options: Sequence[_T]) -> _T:
    """Return one of the options, as the exploration decides; the schedule records which.

    A strategy tries the first option before the others where it has an order. The draw is no scheduling point: no other
    task runs in between. Outside an exploration (`stress`, a plain call) it gives the first option, so that the
    program still runs, always in the same way.

    Args:
        options: Values in an order that is the same in every run.

    Raises:
        DrawError: there is no option, or the options are a set, whose order differs between processes, or no sequence.

    Example:
        >>> def program():
        ...     size = harness.choose([0, 1, 1000])
    """
    if isinstance(options, Set):
        raise DrawError(f"options in a fixed order are wanted, {type(options).__name__!r} has none; pass sorted(...)")
    if isinstance(options, Mapping) or not hasattr(options, "__getitem__"):
        raise DrawError(f"a sequence of options is wanted, {type(options).__name__!r} is none; pass list(...)")
    if not len(options):  # also of an array, which has no truth
        raise DrawError("an option to choose is wanted, options is empty; pass at least one")
    task = current_task()
    return options[0 if task is None else task.scheduler.draw(task, options)]
