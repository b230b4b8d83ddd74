"""Shrinking: from a failing execution to the simplest schedule that fails in the same way.

Runs the passes in turn on recorded executions until none helps or the bound on extra executions, or on their events, is
reached. A candidate is taken only if its own execution fails in the same way and measures less, so every step of the
way is a real execution and the result replays. Deterministic: nothing is drawn, and equal executions shrink equally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import final

from harness.explore.failure_place import place_of
from harness.explore.schedule import FollowChoices, Schedule
from harness.explore.shrinking.advance import advance
from harness.explore.shrinking.few_switches import one_switch, without_switch
from harness.explore.shrinking.leave_out import leave_out
from harness.explore.shrinking.measure import Measure
from harness.explore.shrinking.order import FollowOrder, Order, order_of
from harness.explore.shrinking.straighten import straightened
from harness.sim import Outcome, World

__all__ = ["MAX_RUNS", "PassCount", "Recorded", "Shrinking", "recorded", "shrink"]

MAX_RUNS = 100
_MOST_EVENTS = 400_000  # in all runs together, so that long programs are not shrunk for minutes
_PLACES = 40  # tried for a single preemption


@dataclass(frozen=True, slots=True)
class Recorded:
    """A failing execution with its events, and the schedule that gives it. Immutable."""

    outcome: Outcome
    schedule: Schedule
    draws: Mapping[int, Sequence[int]]

    @property
    def measure(self) -> Measure:
        """How simple it is."""
        early = sum(event.step for event in self.outcome.events if event.preempted)
        schedule = self.schedule
        return Measure(self.outcome.preemptions, len(schedule.deviations), schedule.length, early, schedule.deviations)


@dataclass(frozen=True, slots=True)
class PassCount:
    """What one pass did: candidates it ran, and how many of them were taken. Immutable."""

    name: str
    runs: int
    taken: int


@dataclass(frozen=True, slots=True)
class Shrinking:
    """How a failure was shrunk. Immutable.

    Attributes:
        before: Measure of the execution that was found.
        after: Measure of the one it was shrunk to.
        passes: The passes in the order run, each with its counts.
    """

    before: Measure
    after: Measure
    passes: tuple[PassCount, ...]

    @property
    def runs(self) -> int:
        """Executions spent, without the one that recorded the failure."""
        return sum(count.runs for count in self.passes)

    def __str__(self) -> str:
        passes = ", ".join(f"{count.name} {count.taken} of {count.runs}" for count in self.passes)
        return f"{self.before.preemptions} preemptions to {self.after.preemptions} in {self.runs} runs ({passes})"


def shrink(world: World, found: Recorded, max_runs: int = MAX_RUNS) -> tuple[Recorded, Shrinking]:
    """Return the simplest failing execution reached, and how it was reached.

    Args:
        world: The entered world in which it was found.
        found: The execution, with its events.
        max_runs: Most executions to spend.
    """
    shrinker = _Shrinker(world, found, max_runs)
    shrinker.run()
    return shrinker.best, Shrinking(found.measure, shrinker.best.measure, tuple(shrinker.passes))


@final
class _Shrinker:
    """One shrinking as it goes on. Confined."""

    def __init__(self, world: World, found: Recorded, max_runs: int) -> None:
        self._world, self.best = world, found
        self._left, self._events_left = max_runs, _MOST_EVENTS
        self._place = place_of(found.outcome)
        self._tried: set[Order] = set()
        self._runs = self._taken = 0
        self.passes: list[PassCount] = []

    def run(self) -> None:
        before = None
        while self._left and self._events_left > 0 and self.best.measure != before:
            before = self.best.measure
            self._pass("straighten", lambda: self._try_all(straightened(self.best.outcome.events), first=False))
            self._pass("leave out", lambda: leave_out(self._order(), self._accept))
            if self.best.outcome.preemptions:
                self._pass("without switch", lambda: self._try_all(without_switch(self.best.outcome.events)))
            if self.best.outcome.preemptions:
                self._pass("one switch", lambda: self._try_all(islice(one_switch(self.best.outcome.events), _PLACES)))
        self._pass("advance", lambda: advance(self._order(), self._accept))

    def _order(self) -> Order:
        return order_of(self.best.outcome.events)

    def _pass(self, name: str, work: Callable[[], object]) -> None:
        self._runs = self._taken = 0
        work()
        if self._runs:
            self.passes.append(PassCount(name, self._runs, self._taken))

    def _try_all(self, orders: Iterable[Order], *, first: bool = True) -> None:
        """Try orders in turn, up to the first that is taken or all of them."""
        for order in orders:
            if self._accept(order) is not None and first:
                return

    def _accept(self, order: Order) -> Order | None:
        """Run an order unless it was run before; keep it if it fails in the same way and is simpler."""
        if not self._left or self._events_left <= 0 or order in self._tried or self._world.is_interrupted:
            return None
        self._tried.add(order)
        self._left -= 1
        self._runs += 1
        follow = FollowOrder(order, self.best.draws)
        outcome = self._world.execute(follow.choose, record=True)
        self._events_left -= len(outcome.events)
        recorded = Recorded(outcome, follow.schedule(), follow.draws)
        if place_of(outcome) != self._place or recorded.measure >= self.best.measure:
            return None
        self._taken += 1
        self.best = recorded
        return order_of(outcome.events)


def recorded(world: World, choices: tuple[int, ...]) -> tuple[Recorded, bool]:
    """Run choices again with their events recorded; return that, and whether it left the choices."""
    follow = FollowChoices(choices)
    outcome = world.execute(follow.choose, record=True)
    return Recorded(outcome, follow.schedule(), follow.draws), follow.has_diverged
