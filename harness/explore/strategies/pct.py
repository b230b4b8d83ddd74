"""Priority-based random scheduling (PCT).

Each task gets a random priority when it is first met, and the candidate of highest priority goes on. At ``depth - 1``
choices drawn beforehand, the candidate that would go on drops below all initial priorities. A failure that needs
``depth`` ordering constraints among ``n`` tasks in ``k`` choices is met with probability >= ``1 / (n * k**(depth -
1))`` in each execution.

Sound: each reported failure is a real execution. Not complete: silence proves nothing. A task that spins until another
one changes something can starve that one, and is cut at the step bound.

Reference: Burckhardt, Kothari, Musuvathi, Nagarakatti: A randomized scheduler with probabilistic guarantees of finding
bugs, ASPLOS 2010. We count choices, not steps: where one task alone can go on, priorities decide nothing. The paper
takes ``n`` and ``k`` as given; we use the largest met so far, so that the first execution has no drops. Each timer
that falls due counts as a task, for it may be as late as any. Data is drawn uniformly, and the odds are of failures
whose data is drawn.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import final

from harness.explore.arguments import whole
from harness.explore.strategies.strategy import draw_option
from harness.sim import CLOCK_NUMBER, Candidate, Option, Task

__all__ = ["Pct"]


@final
class Pct:
    """Random priorities with a few drops. Confined.

    Args:
        seed: Start of the stream; equal seeds make equal choices on any machine and Python version.
        depth: Ordering constraints of the failures looked for, at least 1; most failures need 1 to 3.

    Raises:
        InvalidArgumentError: ``depth`` is below 1.
    """

    name = "pct"

    def __init__(self, seed: int = 0, *, depth: int = 3) -> None:
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - schedules are no secrets
        self.depth = whole("depth", depth, 1, "the number of ordering constraints to look for")
        self.tasks = self.length = 0  # n and k: the most tasks and the most choices met in one execution
        self.executions = 0
        self.condition = ""  # of the odds, in words
        self._begin()

    def begin(self) -> bool:
        """Draw new drops; there is always another execution to try."""
        self._learn()
        self.executions += 1
        self._begin()
        return True

    def _begin(self) -> None:
        self._made = self._met = 0  # choices and tasks of this execution
        self._priorities: dict[int, float] = {}  # above 0 initially, below after a drop
        places = range(1, self.length + 1)
        drops = self._random.sample(places, min(self.depth - 1, self.length))
        self._drops = {place: -float(order) for order, place in enumerate(drops, 1)}  # choice -> priority from there

    def _learn(self) -> None:
        self.tasks, self.length = max(self.tasks, self._met), max(self.length, self._made)

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:  # noqa: ARG002 - interface
        """Return the candidate of highest priority."""
        if candidates[0].__class__ is Option:
            self.condition = ", given the data it needs"
            return draw_option(candidates, self._random)
        self._made += 1
        chosen = max(candidates, key=self._priority)
        drop = self._drops.get(self._made)
        if drop is not None:
            self._priorities[chosen.number] = drop
            chosen = max(candidates, key=self._priority)
        if chosen.number == CLOCK_NUMBER:
            del self._priorities[CLOCK_NUMBER]  # the next timer is a task of its own
        return chosen

    def _priority(self, candidate: Candidate) -> float:
        number = candidate.number
        found = self._priorities.get(number)
        if found is None:
            self._met += 1
            found = self._priorities[number] = 1.0 - self._random.random()
        return found

    @property
    def odds(self) -> float:
        """Least probability that one execution meets a given failure of this depth, by what was met so far."""
        self._learn()
        return 1.0 / (max(self.tasks, 1) * float(max(self.length, 1)) ** (self.depth - 1))

    @property
    def missed(self) -> float:
        """Greatest probability that all executions so far missed a given failure of this depth."""
        return (1.0 - self.odds) ** max(self.executions - 1, 0)  # the first one has no drops

    def claim(self) -> str:
        """Return what the executions are worth."""
        odds = self.odds
        if not self.tasks:
            return "no schedule left a choice between tasks"
        least = f"p >= 1/(n k^{self.depth - 1}) = 1/{round(1 / odds):,}"
        met = f"n={self.tasks} tasks and k={self.length} choices met"
        chance = f"met with {least} per schedule ({met}){self.condition}, missed with p <= {self.missed:.1e}"
        return f"a failure of depth {self.depth} is {chance}"
