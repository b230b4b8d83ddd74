"""From outcomes of executions to what the user is given: executions and failures."""

from __future__ import annotations

from dataclasses import replace

from harness.explore.cross_loop import Births, find_cross_loop
from harness.explore.execution import Execution
from harness.explore.failure import Failure, FailureKind
from harness.explore.gil import reachable_under_gil
from harness.explore.origin import Origin
from harness.explore.program import file_of, instrument_names, name_of
from harness.explore.races import RaceError
from harness.explore.shrinking import Recorded, recorded, shrink
from harness.explore.token import Token, fingerprint
from harness.sim import EngineName, ExceptionNotRetrievedError, Outcome, TaskDestroyedError, World

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
    cross_loop = find_cross_loop(outcome, file_of(program))
    return Failure(
        kind=_kind(outcome, shown) if cross_loop is None else "cross-loop",
        error=shown,
        token=Token(fingerprint(program), instrument_names(origin.instrument), again.schedule).encode(),
        schedule=again.schedule,
        preemptions=outcome.preemptions,
        execution=make_execution(name_of(program), outcome, origin.engine),
        origin=origin,
        choices=outcome.choices,
        cross_loop=cross_loop,
    )


def _kind(outcome: Outcome, error: BaseException) -> FailureKind:
    if isinstance(error, RaceError):
        return "race"
    if outcome.kind == "deadlock":
        return "deadlock"
    if isinstance(error, TaskDestroyedError):
        return "leak"
    is_elsewhere = outcome.kind == "error" and bool(outcome.task) and outcome.task != outcome.tasks[0]
    return "unhandled" if is_elsewhere or isinstance(error, ExceptionNotRetrievedError) else "error"


def shrunk(world: World, found: Failure, again: Recorded) -> Failure:
    """Return the failure shrunk in the world it was found in; it knows the one that was found."""
    simplest, shrinking = shrink(world, again)
    reachable = reachable_under_gil(world, simplest)
    shown = make_failure(found.origin, simplest)
    if shown.cross_loop is not None:
        births = Births()
        with births.watched():
            told = recorded(world, simplest.outcome.choices)[0].outcome
        path = file_of(found.origin.program)
        shown = replace(shown, cross_loop=find_cross_loop(told, path, births) or shown.cross_loop)
    return replace(shown, found=found, shrinking=shrinking, reachable_under_gil=reachable)


def shrink_again(found: Failure) -> Failure:
    """Return the failure shrunk in a world of its own."""
    with found.origin.world() as world:
        world.warm_up()
        again, _ = recorded(world, found.choices)
        return shrunk(world, found, again)
