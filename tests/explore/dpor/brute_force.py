"""Every schedule of a small program, and its traces by definition: the judge of partial-order reduction.

A trace is the set of events, each a task, its how-manieth event, and what it did, and the order of the pairs that
conflict. A draw of data is an event that conflicts with none. Nothing of the reduction is used but the declarations
themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.sim import READ, WRITE, Candidate, Clock, Footprints, Option, Outcome, Task, World, are_in_conflict
from tests.explore.dpor.notes import SHARED, seen, select

Trace = tuple[frozenset[Any], frozenset[Any]]
Ending = tuple[object, ...]

_END = -400_000  # location of the end of the world: daemons read it, what ends it writes it


class Witness(Footprints):
    """Notes the events of one execution."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[tuple[int, list[int]]] = []
        self.drawn: dict[int, int] = {}  # position of a draw -> the option
        self.is_stuck = False
        self._daemons: set[int] = set()  # those that run
        self._has_daemons = False

    def able(self, candidates: Sequence[Candidate]) -> list[Candidate]:
        return [each for each in candidates if not self.would_block(each.number)]

    def step(self, candidate: Task | Clock) -> None:
        self.is_stuck = self.is_stuck or self.would_block(candidate.number)
        if not self.is_stuck:
            task = candidate.timers[0].task if isinstance(candidate, Clock) else candidate
            ends = [_END * 4 + READ] if task is not None and task.number in self._daemons else []
            self.events.append((candidate.number, [*self.take(candidate)[0], *ends]))

    def draw(self, task: Task, option: int) -> None:
        if not self.is_stuck:
            self.drawn[len(self.events)] = option
            self.events.append((task.number, []))

    def edge(self, source: Task | Clock, target: Task) -> None:
        pass

    def start(self, task: Task, child: Task) -> None:
        if child.is_daemon:
            self._daemons.add(child.number)
            self._has_daemons = True
        if not self.is_stuck:
            self.events[-1][1].append(self.started())

    def take_number(self, task: Task) -> None:
        if not self.is_stuck:
            self.events[-1][1].append(self.named())

    def end(self, task: Task) -> None:
        self._daemons.discard(task.number)
        if not self.is_stuck:
            self.events[-1][1].append(self.ended(task))

    def finish(self) -> None:
        """Note that the execution is over."""
        if self._has_daemons and not self.is_stuck:
            self.events[-1][1].append(_END * 4 + WRITE)

    def trace(self) -> Trace:
        counts: dict[int, int] = {}
        named = []
        for position, (task, made) in enumerate(self.events):
            counts[task] = counts.get(task, 0) + 1
            accesses = [access for access in made if access >> 2 != _END]  # which events it had tells the same
            named.append(((task, counts[task], self.drawn.get(position, -1)), accesses))
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


@dataclass
class _Choice:
    """One choice of the current schedule."""

    left: list[int]  # numbers still to be tried, the current one first
    tried: dict[int, list[int]] = field(default_factory=dict)  # what the others did
    event: int = 0  # position of the event that the choice led to
    is_draw: bool = False


def executions(
    world: World, program: Callable[[], None], *, pruned: bool, most: int, asleep: bool = False
) -> Iterator[tuple[Outcome, Witness]]:
    """Run every schedule.

    Args:
        world: An entered one of the selected program.
        program: The program.
        pruned: Leave out steps that would only be to wait, where another is possible.
        most: Bound.
        asleep: Leave out what differs from a schedule that was run only by the order of steps that do not conflict, by
            sleep sets: what was tried first need not come again before something that conflicts with it.

    Raises:
        OverflowError: there are more than ``most``.
    """
    select(program)
    world.warm_up()
    path: list[_Choice] = []
    done = 0
    while True:
        done += 1
        if done > most:
            raise OverflowError(most)
        outcome, witness, is_new = _execute(world, path, pruned=pruned, asleep=asleep)
        if is_new:
            yield outcome, witness
        while path and not _go_on(path[-1], witness):
            path.pop()
        if not path:
            return


def _go_on(choice: _Choice, witness: Witness) -> bool:
    number = choice.left.pop(0)
    if not choice.is_draw and choice.event < len(witness.events) and witness.events[choice.event][0] == number:
        choice.tried[number] = witness.events[choice.event][1]
    return bool(choice.left)


def _execute(world: World, path: list[_Choice], *, pruned: bool, asleep: bool) -> tuple[Outcome, Witness, bool]:
    witness = Witness()
    sleeping: dict[int, list[int]] = {}
    at = seen = 0
    is_new = True

    def choose(candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        nonlocal at
        if isinstance(candidates[0], Option):
            assert current is not None
            if at == len(path):
                path.append(_Choice([option.number for option in candidates], is_draw=True))
            at += 1
            witness.draw(current, path[at - 1].left[0])
            return candidates[path[at - 1].left[0]]
        able = (witness.able(candidates) if pruned else None) or candidates
        wake()
        if at == len(path):
            awake = [each.number for each in able if each.number not in sleeping]
            path.append(_Choice(awake or [able[0].number]))
        choice = path[at]
        choice.event = len(witness.events)
        if asleep:
            sleeping.update(choice.tried)
        at += 1
        return next(each for each in candidates if each.number == choice.left[0])

    def wake() -> None:
        """Wake what is in conflict with the steps made since."""
        nonlocal seen, is_new
        for task, made in witness.events[seen:]:
            is_new = is_new and task not in sleeping
            for number in [n for n, slept in sleeping.items() if n == task or not _commute(slept, made)]:
                del sleeping[number]
        seen = len(witness.events)

    outcome = world.execute(choose, tracker=witness)
    witness.finish()
    wake()
    return outcome, witness, is_new


def _commute(some: Sequence[int], others: Sequence[int]) -> bool:
    return not any(are_in_conflict(one, other) for one in some for other in others)


def ending(outcome: Outcome) -> Ending:
    """Return how an execution ended and what its tasks saw."""
    return outcome.kind, seen()
