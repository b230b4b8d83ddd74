"""Search of all schedules within a bound, cheapest first.

A schedule is the list of its deviations from what a default policy does; each has a cost, and a schedule costs their
sum. From each execution follow those that deviate once more, at a later choice. So every schedule whose cost is within
the bound is run exactly once, and none of cost ``c + 1`` before all of cost ``c`` were. Among schedules of equal cost
the order is random, so that a search which is cut short does not look at one end of the program only.

Exhaustive within the bound, and says so when it is done; beyond it silence proves nothing.

Reference: iterative bounding is of Musuvathi, Qadeer: Iterative context bounding, PLDI 2007. They search each bound
anew by depth; we keep the schedules still to be run, and so repeat none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import final

from harness.explore.arguments import whole
from harness.sim import Candidate, Option, Task

__all__ = ["BoundedSearch", "Ranking"]

# Gives the candidates with their costs in order of preference; the first one, what the default policy takes, costs 0.
Ranking = Callable[[Sequence[Candidate], Task | None], Sequence[tuple[Candidate, int]]]
_Deviations = tuple[tuple[int, int], ...]  # (choice from 0, number of the candidate), in order


@final
class BoundedSearch:
    """What a bounded strategy is made of. Confined.

    Args:
        unit: What costs are counted in, for people.
        bound: Largest cost of a schedule, at least 0.
        ranking: The default policy and its alternatives.
        seed: Start of the stream that orders schedules of equal cost.

    Raises:
        InvalidArgumentError: ``bound`` is below 0.
    """

    def __init__(self, unit: str, bound: int, ranking: Ranking, seed: int) -> None:
        self.unit, self.bound = unit, whole("bound", bound, 0, f"the most {unit}s of a schedule")
        self._rank = ranking
        self._random = Random(seed)  # noqa: S311 - schedules are no secrets
        self._waiting: list[list[_Deviations]] = [
            [] for _ in range(self.bound + 1)
        ]  # schedules still to be run, by cost
        self._waiting[0].append(())
        self._run = [0] * (self.bound + 1)  # schedules run, by cost
        self._current: dict[int, int] = {}
        self._deviations: _Deviations = ()
        self._cost = self._made = self._last = 0
        self.is_off_path = False  # whether some execution did not meet what its deviations were made for

    def begin(self) -> bool:
        """Take the next schedule; ``False`` when every one within the bound was run."""
        for cost, waiting in enumerate(self._waiting):
            if waiting:
                self._take(cost, waiting)
                return True
        return False

    def _take(self, cost: int, waiting: list[_Deviations]) -> None:
        place = int(self._random.random() * len(waiting))
        waiting[place], waiting[-1] = waiting[-1], waiting[place]
        self._deviations = waiting.pop()
        self._current = dict(self._deviations)
        self._cost = cost
        self._last = self._deviations[-1][0] if self._deviations else -1
        self._made = 0
        self._run[cost] += 1

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return what the schedule at hand wants; past its last deviation, note those that deviate here."""
        place, self._made = self._made, self._made + 1
        ranked = _free(candidates) if candidates[0].__class__ is Option else self._rank(candidates, current)
        if place <= self._last:
            wanted = self._current.get(place, ranked[0][0].number)
            for candidate, _ in ranked:
                if candidate.number == wanted:
                    return candidate
            self.is_off_path = True
            return ranked[0][0]
        for candidate, cost in ranked[1:]:
            if self._cost + cost <= self.bound:
                self._waiting[self._cost + cost].append((*self._deviations, (place, candidate.number)))
        return ranked[0][0]

    def claim(self) -> str:
        """Return up to which cost every schedule was run."""
        left = next((cost for cost, waiting in enumerate(self._waiting) if waiting), None)
        if self.is_off_path:
            return "the program did not repeat itself, so that nothing is claimed"
        if left is None:
            return f"every schedule of at most {self._some(self.bound)} was run"
        done = f"every schedule of at most {self._some(left - 1)} was run, and " if left else ""
        return f"{done}{self._run[left]:,} of those with {left}"

    def _some(self, cost: int) -> str:
        return f"{cost} {self.unit}{'s' * (cost != 1)}"


def _free(candidates: Sequence[Candidate]) -> list[tuple[Candidate, int]]:
    """Rank options, none of which costs anything."""
    return [(candidate, 0) for candidate in candidates]
