"""Every schedule of a small program, and its traces by definition: the judge of partial-order reduction.

A trace is the set of events, each a task, its how-manieth event, and what it did, and the order of the pairs that
conflict. Nothing of the reduction is used but the declarations themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from harness.explore.program import make_world
from harness.sim import Candidate, Clock, Footprints, Outcome, Task, World, are_in_conflict
from tests.explore.dpor.notes import SHARED, seen

Trace = tuple[frozenset[Any], frozenset[Any]]
Ending = tuple[object, ...]


class Witness(Footprints):
    """Notes the events of one execution."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[int, list[int]]] = []
        self.is_stuck = False

    def able(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [each for each in candidates if not self.would_block(each.number)]

    def step(self, candidate: Task | Clock) -> None:
        self.is_stuck = self.is_stuck or self.would_block(candidate.number)
        if not self.is_stuck:
            self.events.append((candidate.number, list(self.take(candidate)[0])))

    def edge(self, source: Task | Clock, target: Task) -> None:
        pass

    def start(self, task: Task, child: Task) -> None:
        if not self.is_stuck:
            self.events[-1][1].append(self.started())

    def end(self, task: Task) -> None:
        if not self.is_stuck:
            self.events[-1][1].append(self.ended(task))

    def trace(self) -> Trace:
        counts: dict[int, int] = {}
        named = []
        for task, accesses in self.events:
            counts[task] = counts.get(task, 0) + 1
            named.append(((task, counts[task]), accesses))
        events = frozenset((name, frozenset(map(self._name, accesses))) for name, accesses in named)
        pairs = frozenset(
            (one, other)
            for position, (other, later) in enumerate(named)
            for one, earlier in named[:position]
            if one[0] != other[0] and any(are_in_conflict(a, b) for a in earlier for b in later)
        )
        return events, pairs

    def _name(self, access: int) -> tuple[object, ...]:
        location = access >> 2
        if location <= 0:
            return location, access & 3
        obj, key = self.locations.names[location]
        labels = SHARED[0]._asdict().items() if SHARED else ()
        label = next((name for name, shared in labels if shared is obj), type(obj).__name__)
        return label, key if isinstance(key, (str, int)) else "", access & 3


def executions(program: Callable[[], object], *, pruned: bool, most: int) -> Iterator[tuple[Outcome, Witness]]:
    """Run every schedule; ``pruned`` of steps that would only be to wait, where another is possible.

    Raises:
        OverflowError: there are more than ``most``.
    """
    with make_world(program, []) as world:
        world.warm_up()
        path: list[list[int]] = []  # numbers still to be tried at each choice, the current one first
        done = 0
        while True:
            done += 1
            if done > most:
                raise OverflowError(most)
            yield _execute(world, path, pruned=pruned)
            while path and len(path[-1]) == 1:
                path.pop()
            if not path:
                return
            path[-1].pop(0)


def _execute(world: World, path: list[list[int]], *, pruned: bool) -> tuple[Outcome, Witness]:
    witness = Witness()
    at = 0

    def choose(candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        nonlocal at
        able = (witness.able(candidates) if pruned else None) or candidates
        if at == len(path):
            path.append([each.number for each in able])
        wanted = path[at][0]
        at += 1
        return next(each for each in candidates if each.number == wanted)

    return world.execute(choose, tracker=witness), witness


def ending(outcome: Outcome) -> Ending:
    """Return how an execution ended and what its tasks saw."""
    return outcome.kind, seen()
