"""Selectively uniform random walk (SURW): tasks weighted by what they still have to do to shared state.

A walk that gives each task an equal chance rarely lets a short task come late. Here the next operation on shared state
is given to a task with odds by how many of them it still has to make, itself or by tasks that it will start: where
nothing blocks, every interleaving of these operations is equally likely. The rest of the program is interleaved by a
plain walk.

Sound: each reported failure is a real execution. Not complete: silence proves nothing.

Reference: Zhao, Wolff, Mathur, Roychoudhury: Selectively uniform concurrency testing, ASPLOS 2025; the walk with tasks
held back until the intended one comes is of its authors' implementation. Where the paper takes shared operations and
their numbers from a profiling run, we learn them from every execution, the first one being a plain random walk. A
timer that falls due counts as one operation. Data is drawn uniformly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import final

from harness.explore.strategies.pending import Pending, Touch
from harness.explore.strategies.strategy import draw_option
from harness.sim import Candidate, Clock, Numbering, Option, Task

__all__ = ["Surw"]


@final
class Surw:
    """Random walk weighted by remaining operations. Confined.

    Args:
        seed: Start of the stream; equal seeds make equal choices on any machine and Python version.
        selective: Weigh by operations on shared state only; else by all steps, which is the paper's URW.
    """

    def __init__(self, seed: int = 0, *, selective: bool = True) -> None:
        self.name = "surw" if selective else "urw"
        self.seed = seed
        self._random = Random(seed)  # noqa: S311 - schedules are no secrets
        self.tracker = _Progress(self._random, selective=selective)

    def begin(self) -> bool:
        """Learn from the last execution; there is always another one to try."""
        self.tracker.forget()
        return True

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:  # noqa: ARG002 - interface
        """Return the candidate intended for the next counted operation, or one that does something else."""
        if candidates[0].__class__ is Option:
            return draw_option(candidates, self._random)
        progress = self.tracker
        free = [candidate for candidate in candidates if candidate.number not in progress.held]
        while free:
            chosen = free.pop(int(self._random.random() * len(free)))
            if not progress.is_counted(chosen.number):
                return chosen
            if progress.intended is None:
                progress.intended = self._weighted(candidates).number
            if chosen.number == progress.intended:
                return chosen
            progress.held.add(chosen.number)  # until the intended one was there
        return self._weighted(candidates)  # the intended one cannot go on, or does less than it used to

    def _weighted(self, candidates: Sequence[Candidate]) -> Candidate:
        weights = [max(self.tracker.left.get(candidate.number, 0), 0) for candidate in candidates]
        if not any(weights):
            weights = [1] * len(weights)
        place = self._random.random() * sum(weights)
        for candidate, weight in zip(candidates, weights, strict=True):
            place -= weight
            if place < 0:
                return candidate
        return candidates[-1]


@final
class _Progress(Pending):
    """Counts operations on shared state, and learns how many each task makes. Confined.

    Attributes:
        held: Tasks that wait at a counted operation for the intended one.
        intended: Task that makes the next counted operation, once it is drawn.
        left: By task, the counted operations it and the tasks it will start are expected to make yet.
    """

    def __init__(self, random: Random, *, selective: bool) -> None:
        super().__init__(Numbering())
        self._random = random
        self._selective = selective
        self._shared: set[object] = set()  # labels of operations on what two tasks touch and one writes
        self._begin({})

    def _begin(self, expected: dict[int, int]) -> None:
        self.held: set[int] = set()
        self.intended: int | None = None
        self.left = dict(expected)
        self._expected = expected
        self._parents: dict[int, int] = {}
        self._alive = 1  # tasks started and not ended
        self._steps: list[tuple[int, Sequence[Touch]]] = []  # of this execution, in order
        self._beside: list[tuple[int, Sequence[Touch]]] = []  # those made while another task was alive

    def forget(self) -> None:
        super().forget()
        if self._selective:
            self._shared.update(_shared_labels(self._beside))
        own = Counter(number for number, touches in self._steps if self._counts(touches))
        for child in sorted(self._parents, reverse=True):  # children have higher numbers than their parents
            own[self._parents[child]] += own[child]
        self._begin(dict(own))

    def is_counted(self, number: int) -> bool:
        """Return whether a task's next step is one that weights count."""
        return self._counts(self.touches.get(number, ()))

    def _counts(self, touches: Sequence[Touch]) -> bool:
        return not self._selective or any(touch.label in self._shared for touch in touches)

    def step(self, candidate: Task | Clock) -> None:
        super().step(candidate)
        number = candidate.number
        self._steps.append((number, self._last))
        if self._alive > 1:
            self._beside.append((number, self._last))
        if self._counts(self._last):
            self.left[number] = self.left.get(number, 0) - 1
            self.intended = None
            self.held.clear()

    def start(self, task: Task, child: Task) -> None:
        """Let the child take its share of its parent's weight, and of the parent's turn."""
        self._alive += 1
        parent, share = task.number, self._expected.get(child.number, 0)
        self._parents[child.number] = parent
        if self.intended == parent and self._random.random() * max(self.left.get(parent, 0), 1) < share:
            self.intended = child.number
        self.left[parent] = self.left.get(parent, 0) - share

    def end(self, task: Task) -> None:  # noqa: ARG002 - interface
        self._alive -= 1


def _shared_labels(steps: Sequence[tuple[int, Sequence[Touch]]]) -> set[object]:
    """Return the labels of what several tasks touch and one writes."""
    users: dict[object, set[int]] = {}
    written: set[object] = set()
    for number, touches in steps:
        for touch in touches:
            users.setdefault((touch.where, touch.key), set()).add(number)
            if touch.writes:
                written.add((touch.where, touch.key))
    shared = {place for place in written if len(users[place]) > 1}
    return {touch.label for _, touches in steps for touch in touches if (touch.where, touch.key) in shared}
