"""Preemption-bounded search: every schedule with at most so many preemptions.

The default policy lets the running task go on while it can. Leaving it there costs one; where it cannot go on, any
task may follow at no cost. Most failures of SCTBench need a bound of one or two.

Exhaustive within the bound (see `bounded_search`). Letting a timer fall due while a task can go on counts as a
preemption. Data is enumerated at no cost.

Reference: Musuvathi, Qadeer: Iterative context bounding for systematic testing of multithreaded programs, PLDI 2007.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from harness.explore.strategies.bounded_search import BoundedSearch
from harness.sim import Candidate, Task

__all__ = ["PreemptionBounded"]


@final
class PreemptionBounded:
    """Search by preemptions. Confined.

    Args:
        seed: Start of the stream that orders schedules of equal cost.
        bound: Most preemptions of a schedule, at least 0.

    Raises:
        InvalidArgumentError: ``bound`` is below 0.
    """

    name = "preemption"

    def __init__(self, seed: int = 0, *, bound: int = 2) -> None:
        self.seed = seed
        search = BoundedSearch("preemption", bound, _rank, seed)
        self.begin, self.choose, self.claim = search.begin, search.choose, search.claim


def _rank(candidates: Sequence[Candidate], current: Task | None) -> list[tuple[Candidate, int]]:
    if current is None or current not in candidates:
        is_task = isinstance(candidates[0], Task)
        return [(other, 0 if isinstance(other, Task) else int(is_task)) for other in candidates]
    return [(current, 0), *((other, 1) for other in candidates if other is not current)]
