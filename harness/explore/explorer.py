"""Exploration: run a program again and again under different schedules, until one makes it fail."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from typing import Literal

from harness.explore.arguments import check_seconds, whole
from harness.explore.determinism import difference
from harness.explore.errors import InvalidArgumentError
from harness.explore.exploration import ExecutionLog, Exploration
from harness.explore.failure import Failure
from harness.explore.failure_place import place_of
from harness.explore.origin import Origin
from harness.explore.program import name_of
from harness.explore.races import RaceClocks, RaceCollector, RaceError, RaceMode, check_races
from harness.explore.reporting import make_failure, shrunk
from harness.explore.schedule import FollowChoices
from harness.explore.shrinking import recorded
from harness.explore.strategies import (
    Strategy,
    chosen_strategy,
    claim_of,
    go_on,
    is_exhausted,
    member_of,
    tell,
    tracker_of,
    withheld_by,
)
from harness.explore.verdict import Verdict
from harness.instrument import Target
from harness.sim import Choose, EngineName, Fault, Outcome, World, execute_under_gil

__all__ = ["explore"]

_FAILED = ("error", "deadlock")


def explore(
    program: Callable[[], object],
    *,
    strategy: str | Strategy = "auto",
    max_schedules: int = 1_000,
    max_seconds: float | None = None,
    seed: int = 0,
    instrument: Sequence[Target] = (),
    isolate: Sequence[object] = (),
    setup: Callable[[], object] | None = None,
    preempt: Literal["access", "gil"] = "access",
    races: RaceMode = "report",
    allow: Sequence[tuple[str, str]] = (),
    on_failure: Literal["stop", "continue"] = "stop",
    engine: EngineName = "greenlet",
    check_determinism: bool = False,
    faults: Sequence[Fault] = (),
) -> Exploration:
    """Run a program under many schedules of its threads and report the first that makes it fail.

    The program's threads run as tasks of a deterministic scheduler; its module and those named are rewritten for the
    time of the call. Before each execution globals, class attributes, closure cells and containers of these modules
    are put back as they were at the call. What the program prints is kept, and shown for a failing execution only.

    Args:
        program: Function without arguments, with its assertions; run afresh for each execution, in the calling thread.
        strategy: Who goes on at each choice. ``"auto"`` shares the executions among the next three, and turns to
            ``"dpor"`` where a proof is likely to fit into ``max_schedules``. ``"random"``: any, equally likely.
            ``"pct"``: random priorities with two drops, which meets failures of depth 3 with stated odds. ``"pos"``:
            priorities drawn anew where operations conflict. ``"dpor"``: one schedule of each trace, which proves a
            program whose traces are all seen. ``"surw"``: odds by what each task has still to do to shared state.
            ``"delay"``, ``"preemption"``: all schedules with at most two delays or preemptions, few first. Or an object
            of `harness.explore` such as ``Pct(seed, depth=2)``, or one's own; it brings its own seed and is used up by
            the call.
        max_schedules: Most executions to run, at least 1.
        max_seconds: Begin no execution after so many real seconds; results then depend on the machine.
        seed: Start of the pseudo-random stream. Equal seeds give equal results on any machine.
        instrument: Further modules, packages (by name, or by a pattern such as ``"gateway.*"``), classes or functions
            whose modules are rewritten. The program's own module always is; the standard library and installed
            packages run as single steps unless named here.
        isolate: Further modules (or names) and objects whose state is put back.
        setup: Called before each execution, for state that only the caller can reset.
        races: What to make of races, two accesses of one location that nothing puts in order, one of them a write.
            ``"report"`` lists them in the result and leaves the verdict alone. To keep the speed it follows the first
            50 executions, one in 8 up to the thousandth and one in 64 from there, and so may miss what only an
            execution in between shows. ``"fail"`` follows every execution and takes a race for a failure; ``"off"``
            follows none.
        allow: Races that are harmless, as pairs of a place and the reason. The place is the race's location
            (``"Counter.n"``), or the function or ``file:line`` of one of its accesses.
        engine: What tasks are made of: ``"greenlet"``, or ``"threads"`` for OS threads that pass a baton, which is
            slower and gives the same schedules, tokens and events.
        preempt: Where a task can be left that could go on: before every ``"access"`` to shared state, or only where an
            interpreter with a ``"gil"`` can switch by itself, which is slower, finds less and proves nothing.
        check_determinism: Run each schedule twice and compare the events. The first difference ends the exploration as
            ``UNCONTROLLED``, and ``limits`` says at which step it was and what is likely to cause it.
        faults: What may go wrong with calls that leave the program, such as `harness.sim.Delay`: before each call of a
            simulated executor, or of a `harness.sim.fault_point`, the schedule decides which of them strikes, if any.
        on_failure: ``"stop"`` at the first failing schedule, or ``"continue"`` and collect one failure per error site.

    Returns:
        The verdict with what it rests on. An interrupt (Ctrl-C) ends the exploration with what it has.

    Raises:
        InvalidArgumentError: an argument cannot be used.
        UnknownModuleError: a name in ``instrument`` or ``isolate`` cannot be imported.
        WorldInUseError: another exploration is running in this process.

    Example:
        >>> result = explore(lost_update)
        >>> result.verdict
        <Verdict.FAILED: 'FAILED'>
    """
    origin = Origin.of(program, instrument, isolate, setup, engine, faults)
    max_schedules, seed = _check_bounds(max_schedules, seed, max_seconds, on_failure)
    origin = dataclasses.replace(origin, allow=check_races(races, allow))
    chosen = chosen_strategy(strategy, seed, max_schedules, is_told=preempt != "gil")
    _check_preempt(preempt, chosen)
    world = origin.world(kept=[strategy])
    campaign = _Campaign(
        origin, chosen, getattr(chosen, "seed", seed), max_schedules, preempt, RaceCollector(races, origin.allow)
    )
    campaign.check_determinism = check_determinism
    with world:
        campaign.run(world, max_seconds, stop_at_failure=on_failure == "stop")
    return campaign.result(world)


def _check_bounds(max_schedules: int, seed: int, max_seconds: float | None, on_failure: str) -> tuple[int, int]:
    """Return the number of executions and the seed."""
    if max_seconds is not None:
        check_seconds("max_seconds", max_seconds, "seconds, or None for no limit")
    if on_failure not in ("stop", "continue"):
        raise InvalidArgumentError(f"{on_failure=} is unknown; pass 'stop' or 'continue'")
    executions = whole("max_schedules", max_schedules, 1, "the number of executions to run")
    return executions, whole("seed", seed, None, "one, so that the same choices can be made again")


def _check_preempt(preempt: str, strategy: Strategy) -> None:
    if preempt not in ("access", "gil"):
        raise InvalidArgumentError(f"{preempt=} is unknown; pass 'access' or 'gil'")
    if preempt == "gil" and tracker_of(strategy) is not None:
        raise InvalidArgumentError(
            f"{preempt=} takes choices away from the strategy, {strategy.name!r} counts on all; pass strategy='auto'"
        )


class _Campaign:
    """The executions of one exploration, as they come in."""

    def __init__(
        self,
        origin: Origin,
        strategy: Strategy,
        seed: int,
        max_schedules: int,
        preempt: str,
        races: RaceCollector,
    ) -> None:
        self.check_determinism = False
        self.origin, self.strategy, self.seed, self.races = origin, strategy, seed, races
        self.program = origin.program
        self.max_schedules, self.preempt = max_schedules, preempt
        self.log = ExecutionLog()
        self.failures: dict[tuple[object, ...], Failure] = {}  # by kind and place of the error
        self.limits: list[str] = []
        self.leaked: dict[str, None] = {}  # names of threads, in the order they were met
        self.is_uncontrolled = False
        self.found_by = ""  # member of a portfolio that found the first failure

    def run(self, world: World, max_seconds: float | None, *, stop_at_failure: bool) -> None:
        deadline = None if max_seconds is None else time.monotonic() + max_seconds
        warm_up = world.warm_up()
        if warm_up.kind == "uncontrolled":
            self.log.add(warm_up)
            self.take(world, warm_up)
            return
        choose, begin = self.strategy.choose, self.strategy.begin
        for executions in range(self.max_schedules):
            if not begin() and not (self.withheld(world) and go_on(self.strategy)):
                return
            watch = self.races.watch(executions)
            outcome = self.execute(world, choose, watch)
            self.log.add(outcome)
            tell(self.strategy, outcome)
            if self.check_determinism and self.has_difference(world, outcome):
                return
            if watch is not None and watch.pairs:
                self.take_races(world, outcome, watch)
            if outcome.leaked:
                self.leaked.update(dict.fromkeys(outcome.leaked))
            if outcome.kind != "ok":
                self.take(world, outcome)
            if self.is_uncontrolled or (stop_at_failure and self.failures):
                return
            if world.is_interrupted:
                self.limits.append(f"interrupted after {len(self.log)} of {self.max_schedules} schedules")
                return
            if deadline is not None and time.monotonic() >= deadline:
                self.limits.append(f"stopped after {max_seconds:g} s and {len(self.log)} schedules")
                return
            del outcome  # with what it holds, before that is searched

    def execute(self, world: World, choose: Choose, watch: RaceClocks | None) -> Outcome:
        if self.preempt == "gil":
            return execute_under_gil(world, choose)
        return world.execute(choose, tracker=tracker_of(self.strategy), watch=watch)

    def has_difference(self, world: World, outcome: Outcome) -> bool:
        """Run a schedule twice more, with its events recorded; take note of the first difference."""
        if outcome.kind not in ("ok", *_FAILED):
            return False
        found = difference(*(recorded(world, outcome.choices)[0].outcome for _ in range(2)))
        if found is not None:
            self.is_uncontrolled = True
            self.limits.insert(0, found)
        return found is not None

    def take(self, world: World, outcome: Outcome) -> None:
        """Take note of an execution that did not end well."""
        if outcome.kind == "uncontrolled":
            self.is_uncontrolled = True
            self.limits.insert(0, outcome.text)
        elif outcome.kind == "cut":
            self.limits.append(outcome.text)
        elif outcome.kind in _FAILED and place_of(outcome) not in self.failures:
            self.failures[place_of(outcome)] = self.failure(world, outcome)

    def take_races(self, world: World, outcome: Outcome, watch: RaceClocks) -> None:
        """Take note of new races: repeat the execution with the calls kept that lead to each access."""
        if not self.races.has_news(watch):
            return
        again = RaceClocks(with_stacks=True)
        world.execute(FollowChoices(outcome.choices).choose, watch=again)
        races = self.races.take(watch, again, len(self.log))
        if races and self.races.mode == "fail" and outcome.kind == "ok":
            self.log.note_race()
            execution, _ = recorded(world, outcome.choices)
            self.failures["race", *races] = make_failure(self.origin, execution, error=RaceError(races[0]))

    def failure(self, world: World, outcome: Outcome) -> Failure:
        """Run a failing schedule again, with its events recorded, shrink the first one, and make the report of it."""
        self.found_by = self.found_by or member_of(self.strategy)
        again, has_diverged = recorded(world, outcome.choices)
        if has_diverged or place_of(again.outcome) != place_of(outcome):
            self.limits.append(
                f"the failing schedule ended otherwise when it was repeated ({again.outcome.kind} instead of "
                f"{outcome.kind}); the program reads a clock, randomness or state that is not controlled"
            )
            return make_failure(self.origin, again, error=outcome.error)
        if self.failures:
            return make_failure(self.origin, again)
        return shrunk(world, make_failure(self.origin, again), again)

    def withheld(self, world: World) -> list[str]:
        """Return what withholds a proof, in a fixed order."""
        return [*self.limits, *withheld_by(self.strategy), *world.limits]

    def result(self, world: World) -> Exploration:
        withheld = self.withheld(world)
        leaked = [f"thread {name!r} outlived the program, nobody had joined it" for name in self.leaked]
        return Exploration(
            program=name_of(self.program),
            verdict=self._verdict(is_proved=is_exhausted(self.strategy) and not withheld),
            schedules=len(self.log),
            failures=tuple(self.failures.values()),
            limits=tuple(dict.fromkeys([*withheld, *leaked])),
            races=tuple(self.races.races),
            strategy=self.strategy.name,
            seed=self.seed,
            found_by=self.found_by,
            claim=claim_of(self.strategy),
            is_interrupted=world.is_interrupted,
            log=self.log,
        )

    def _verdict(self, *, is_proved: bool) -> Verdict:
        if self.failures:
            return Verdict.FAILED
        if self.is_uncontrolled:
            return Verdict.UNCONTROLLED
        return Verdict.PROVED if is_proved else Verdict.PASSED
