"""Delay-bounded search: every schedule that departs from a round robin by at most so many delays.

The default policy lets the running task go on while it can, and then the next one in order of creation, round and
round (from the first one where a task has ended); a delay skips the task whose turn it is. With ``d`` delays there are
few schedules even of many tasks, and most failures of SCTBench need one or two.

Exhaustive within the bound (see `bounded_search`). Letting a timer fall due while a task can go on is one delay. Data
is enumerated at no cost.

Reference: Emmi, Qadeer, Rakamaric: Delay-bounded scheduling, POPL 2011.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from harness.explore.strategies.bounded_search import BoundedSearch
from harness.sim import Candidate, Task

__all__ = ["DelayBounded"]


@final
class DelayBounded:
    """Search by delays. Confined.

    Args:
        seed: Start of the stream that orders schedules of equal cost.
        bound: Most delays of a schedule, at least 0.

    Raises:
        InvalidArgumentError: ``bound`` is below 0.
    """

    name = "delay"

    def __init__(self, seed: int = 0, *, bound: int = 2) -> None:
        self.seed = seed
        search = BoundedSearch("delay", bound, _rank, seed)
        self.begin, self.choose, self.claim = search.begin, search.choose, search.claim


def _rank(candidates: Sequence[Candidate], current: Task | None) -> list[tuple[Candidate, int]]:
    turn = current.number if current is not None else 0
    tasks = [candidate for candidate in candidates if isinstance(candidate, Task)]
    tasks.sort(key=lambda task: (task.number < turn, task.number))
    ranked: list[tuple[Candidate, int]] = [(task, delays) for delays, task in enumerate(tasks)]
    return ranked + [(clock, min(len(tasks), 1)) for clock in candidates[len(tasks) :]]
