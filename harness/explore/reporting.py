"""From outcomes of executions to what the user is given: executions and failures."""

from __future__ import annotations

from dataclasses import replace

from harness.explore.execution import Execution
from harness.explore.failure import Failure
from harness.explore.gil import reachable_under_gil
from harness.explore.origin import Origin
from harness.explore.program import instrument_names, name_of
from harness.explore.races import RaceError
from harness.explore.shrinking import Recorded, recorded, shrink
from harness.explore.token import Token, fingerprint
from harness.sim import EngineName, Outcome, World

__all__ = ["make_execution", "make_failure", "shrink_again", "shrunk"]


def make_execution(program: str, outcome: Outcome, engine: EngineName) -> Execution:
    """Return the public form of a recorded outcome."""
    return Execution(
        program=program,
        kind=outcome.kind,
        error=outcome.error,
        task=outcome.task,
        text=outcome.text,
        events=outcome.events,
        tasks=outcome.tasks,
        output=outcome.output,
        preemptions=outcome.preemptions,
        engine=engine,
    )


def make_failure(origin: Origin, again: Recorded, error: BaseException | None = None) -> Failure:
    """Return the report of a recorded execution; ``error`` is the one to tell of if it has none."""
    outcome, program = again.outcome, origin.program
    shown = outcome.error if outcome.error is not None else error
    assert shown is not None
    return Failure(
        kind="race" if isinstance(shown, RaceError) else "deadlock" if outcome.kind == "deadlock" else "error",
        error=shown,
        token=Token(fingerprint(program), instrument_names(origin.instrument), again.schedule).encode(),
        schedule=again.schedule,
        preemptions=outcome.preemptions,
        execution=make_execution(name_of(program), outcome, origin.engine),
        origin=origin,
        choices=outcome.choices,
    )


def shrunk(world: World, found: Failure, again: Recorded) -> Failure:
    """Return the failure shrunk in the world it was found in; it knows the one that was found."""
    simplest, shrinking = shrink(world, again)
    reachable = reachable_under_gil(world, simplest)
    shown = make_failure(found.origin, simplest)
    return replace(shown, found=found, shrinking=shrinking, reachable_under_gil=reachable)


def shrink_again(found: Failure) -> Failure:
    """Return the failure shrunk in a world of its own."""
    with found.origin.world() as world:
        world.warm_up()
        again, _ = recorded(world, found.choices)
        return shrunk(world, found, again)
