"""Orders: a schedule as who runs how far, which still means something after a part of it was taken away.

A schedule names choices by their position, so that leaving one out moves all that follow. An order says: the first task
until it has had 7 events, the third until 2, and so on. Whoever stands first and can go on, does; where nobody in the
order can, the base policy chooses. So every order is an execution, and one that was read off an execution gives that
execution again, up to hand-overs nobody can see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import NamedTuple, final

from harness.explore.schedule import Follower, base_choice
from harness.sim import Candidate, Event, Option, Task

__all__ = ["END", "FollowOrder", "Order", "Stretch", "order_of", "order_of_tasks", "tidy"]

END = 2**60  # more events than a task can have


class Stretch(NamedTuple):
    """A task that runs until it has had so many events, the clock being task 0."""

    task: int
    until: int


Order = tuple[Stretch, ...]


def order_of(events: Iterable[Event]) -> Order:
    """Return the order of an execution."""
    return order_of_tasks(event.task for event in events)


def order_of_tasks(tasks: Iterable[int]) -> Order:
    """Return the order in which each event was had by the given task."""
    counts: Counter[int] = Counter()
    order = []
    for task, group in groupby(tasks):
        counts[task] += sum(1 for _ in group)
        order.append(Stretch(task, counts[task]))
    return tuple(order)


def tidy(order: Sequence[Stretch]) -> Order:
    """Return the order without stretches that change nothing, neighbours of one task joined."""
    reached: dict[int, int] = {}
    out: list[Stretch] = []
    for stretch in order:
        if stretch.until <= reached.get(stretch.task, 0):
            continue
        reached[stretch.task] = stretch.until
        if out and out[-1].task == stretch.task:
            out.pop()
        out.append(stretch)
    return tuple(out)


@final
class FollowOrder(Follower):
    """Runs the tasks in an order. Confined to one execution, whose events must be recorded.

    Args:
        order: The order.
        drawn: Numbers of the options that each task draws, in turn; the first option after that.
    """

    def __init__(self, order: Order, drawn: Mapping[int, Sequence[int]] | None = None) -> None:
        super().__init__()
        self._order, self._drawn = order, drawn or {}
        self._first = 0  # stretches before this one are over

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate that stands first in the order."""
        base = base_choice(candidates, current)
        wanted = None if isinstance(base, Option) else self._wanted(candidates)
        if current is not None and isinstance(base, Option):
            wanted = self._draw(candidates, current.number)
        return self.follow(base, base if wanted is None else wanted, current)  # a task that has not begun is false

    def _draw(self, candidates: Sequence[Candidate], task: int) -> Candidate:
        drawn, done = self._drawn.get(task, ()), len(self.draws[task])
        number = drawn[done] if done < len(drawn) else 0
        return candidates[number] if number < len(candidates) else candidates[0]

    def _wanted(self, candidates: Sequence[Candidate]) -> Candidate | None:
        runnable = {candidate.number: candidate for candidate in candidates}
        counts = _counts(candidates)
        order, first = self._order, self._first
        while first < len(order) and counts[order[first].task] >= order[first].until:
            first += 1
        self._first = first
        for task, until in order[first:]:
            if task in runnable and counts[task] < until:
                return runnable[task]
        return None


def _counts(candidates: Sequence[Candidate]) -> Mapping[int, int]:
    for candidate in candidates:
        if isinstance(candidate, Task):
            recorder = candidate.scheduler.recorder
            assert recorder is not None, "orders count events"
            return recorder.counts
    return Counter()
