"""Replay: one execution along a recorded schedule, in this process or another."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from harness.explore.debugging import debugger, no_debugger
from harness.explore.errors import ReplayDivergenceError
from harness.explore.execution import Execution
from harness.explore.origin import Origin
from harness.explore.program import instrument_names, name_of
from harness.explore.reporting import make_execution
from harness.explore.schedule import FollowSchedule, Schedule
from harness.explore.token import Token
from harness.instrument import Target
from harness.sim import EngineName, Fault, Outcome

__all__ = ["replay"]


def replay(
    program: Callable[[], object],
    token: str,
    *,
    instrument: Sequence[Target] = (),
    isolate: Sequence[object] = (),
    setup: Callable[[], object] | None = None,
    engine: EngineName = "greenlet",
    faults: Sequence[Fault] = (),
) -> Execution:
    """Run a program once along the schedule of a token, and return what happened.

    Args:
        program: The program the token was made for.
        token: Text of a failure's schedule.
        instrument: Modules to instrument beside those that the token names.
        isolate: As for the exploration that found the token.
        setup: As for the exploration that found the token.
        engine: What tasks are made of; ``"threads"`` forces the same order on OS threads.
        faults: As for the exploration that found the token.

    Returns:
        The execution with its events; its ``error`` is the failure that came again, or ``None``.

    Raises:
        InvalidTokenError: the token is damaged or belongs to another program.
        ReplayDivergenceError: the program did not follow the schedule.
        UnknownModuleError: a module that the token names cannot be imported.

    Example:
        >>> replay(lost_update, result.failure.token).error
        AssertionError()
    """
    given = Origin.of(program, instrument, isolate, setup, engine, faults)
    wanted = Token.decode(token)
    wanted.require(program)
    names = [name for name in wanted.instrument if name not in instrument_names(given.instrument)]
    follow = FollowSchedule(wanted.schedule)
    # A person may stop in a debugger as long as they like.
    world = dataclasses.replace(given, instrument=(*names, *given.instrument)).world(patience_s=None)
    with debugger(), world:
        with no_debugger():
            world.warm_up()
        outcome = world.execute(follow.choose, record=True)
    _check(follow, wanted.schedule, outcome)
    return make_execution(name_of(program), outcome, engine)


def _check(follow: FollowSchedule, schedule: Schedule, outcome: Outcome) -> None:
    if follow.divergence is not None:
        found, wanted = follow.divergence, follow.divergence.wanted
        name = outcome.tasks[wanted - 1] if 0 < wanted <= len(outcome.tasks) else f"number {wanted}"
        details = tuple(filter(None, (found.reason, found.place)))
        raise ReplayDivergenceError(found.step, name, found.runnable, schedule.length, details)
    if follow.made != schedule.length:
        raise ReplayDivergenceError(follow.made, None, (), schedule.length)
