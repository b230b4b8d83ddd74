"""Partial order sampling (POS): random priorities of operations, drawn anew where operations conflict.

Each pending operation has a random priority, and the highest goes first. When it is done, the priorities of those that
conflict with it are drawn anew: they have just lost a comparison and would otherwise be likely to lose the next. So
the order of independent operations takes no part in the odds, and partial orders are met more evenly than by a random
walk.

Sound: each reported failure is a real execution. Not complete: silence proves nothing.

Reference: Yuan, Yang, Gu: Partial order aware concurrency sampling, CAV 2018. Which operations conflict we know from
their declarations, coarsely (see `pending`); a timer that falls due is one more operation. Data is drawn uniformly.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import final

from harness.explore.strategies.pending import Pending, is_conflict
from harness.explore.strategies.strategy import draw_option
from harness.sim import Candidate, Clock, Option, Task

__all__ = ["Pos"]


@final
class Pos:
    """Priorities by operation. Confined.

    Args:
        seed: Start of the stream; equal seeds make equal choices on any machine and Python version.
    """

    name = "pos"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - schedules are no secrets
        self.tracker = _Priorities()

    def begin(self) -> bool:
        """Forget the priorities; there is always another execution to try."""
        self.tracker.forget()
        return True

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:  # noqa: ARG002 - interface
        """Return the candidate whose operation has the highest priority."""
        if candidates[0].__class__ is Option:
            return draw_option(candidates, self._random)
        priorities, random = self.tracker.priorities, self._random.random
        best, highest = candidates[0], -1.0
        for candidate in candidates:
            priority = priorities.get(candidate.number)
            if priority is None:
                priority = priorities[candidate.number] = random()
            if priority > highest:
                best, highest = candidate, priority
        return best


@final
class _Priorities(Pending):
    """Drops the priority of what was done, and of what conflicts with it."""

    def __init__(self) -> None:
        super().__init__()
        self.priorities: dict[int, float] = {}  # by number of the candidate, of its pending operation

    def forget(self) -> None:
        super().forget()
        self.priorities.clear()

    def step(self, candidate: Task | Clock) -> None:
        super().step(candidate)
        priorities, done = self.priorities, self._last
        priorities.pop(candidate.number, None)
        if done:
            for number in [other for other in priorities if is_conflict(done, self.touches.get(other, ()))]:
                del priorities[number]
