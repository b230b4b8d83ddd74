"""Comparison of the reduction with brute force."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.explore.dpor import Dpor
from harness.sim import Candidate, Clock, Option, Task, World
from tests.explore.dpor.brute_force import Ending, Trace, Witness, ending, executions
from tests.explore.dpor.notes import select


class Both:
    """Tells two trackers of an execution, of which the first makes the choices."""

    def __init__(self, dpor: Dpor, witness: Witness) -> None:
        self._told = dpor, witness
        self._is_chosen = False  # whether the step that is told of next was a choice

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the choice of the reduction, told to the witness where data are drawn."""
        dpor, witness = self._told
        chosen = dpor.choose(candidates, current)
        if isinstance(chosen, Option):
            assert current is not None
            witness.draw(current, chosen.number)
        else:
            self._is_chosen = True
        return chosen

    def step(self, candidate: Task | Clock) -> None:
        dpor, witness = self._told
        if not self._is_chosen:
            dpor.step(candidate)
        self._is_chosen = False
        witness.step(candidate)

    def __getattr__(self, name: str) -> Callable[..., None]:
        methods = [getattr(tracker, name) for tracker in self._told]

        def tell(*args: object, **kwargs: object) -> None:
            for method in methods:
                method(*args, **kwargs)

        return tell


@dataclass
class Findings:
    traces: set[Trace]
    endings: set[Ending]
    executions: int
    limits: list[str]  # what withholds a proof

    @property
    def fails(self) -> bool:
        """Whether a task failed in one of the executions, which ends it."""
        return any(kind == "error" for kind, *_ in self.endings)

    @property
    def is_withheld(self) -> bool:
        """Whether no proof is given because a call may do anything."""
        return any("may do anything" in limit for limit in self.limits)


def by_reduction(world: World, program: Callable[[], None], most: int) -> Findings:
    dpor = Dpor()
    found = Findings(set(), set(), 0, ["more executions than allowed"])
    select(program)
    world.warm_up()
    while dpor.begin():
        if found.executions >= most:
            return found
        witness = Witness()
        both = Both(dpor, witness)
        outcome = world.execute(both.choose, tracker=both)  # type: ignore[arg-type]  # by its methods
        witness.finish()
        redundant = dpor.redundant
        dpor.after(outcome)
        found.executions += 1
        if dpor.redundant == redundant:
            found.traces.add(witness.trace())
            found.endings.add(ending(outcome))
    found.limits = dpor.proof.limits()
    return found


class _Told(Witness):
    """Counts the steps that it is told of."""

    def __init__(self, *, chooses: bool) -> None:
        super().__init__()
        self.chooses, self.steps = chooses, 0

    def step(self, candidate: Task | Clock) -> None:
        self.steps += 1
        super().step(candidate)


def steps_told(world: World, *, chooses: bool) -> tuple[int, int]:
    """Return how many choices one execution has, and of how many steps a tracker is told that makes them, or not."""
    tracker = _Told(chooses=chooses)
    outcome = world.execute(lambda candidates, _: candidates[0], tracker=tracker)
    return len(outcome.choices), tracker.steps


def by_force(world: World, program: Callable[[], None], most: int, *, asleep: bool = False) -> Findings:
    found = Findings(set(), set(), 0, [])
    for outcome, witness in executions(world, program, pruned=True, most=most, asleep=asleep):
        found.executions += 1
        found.traces.add(witness.trace())
        found.endings.add(ending(outcome))
    return found


def endings_of_all(world: World, program: Callable[[], None], most: int) -> set[Ending]:
    return {ending(outcome) for outcome, _ in executions(world, program, pruned=False, most=most)}
