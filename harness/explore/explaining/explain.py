"""The text of `Failure.explain`: at most 40 lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.explore.error_text import is_time_out, text_of
from harness.explore.errors import InvalidArgumentError
from harness.explore.explaining.columns import columns, drawn, said, short_name
from harness.explore.explaining.race import Family, Race, find_race
from harness.explore.program import file_of
from harness.explore.regression import world_options
from harness.instrument import module_of
from harness.sim import (
    DeadlockError,
    Event,
    ExceptionNotRetrievedError,
    LoopMade,
    TaskDestroyedError,
    is_library,
    shown_file,
)

if TYPE_CHECKING:
    from harness.explore.cross_loop import CrossLoop
    from harness.explore.failure import Failure

__all__ = ["explain"]

_WIDTH = 120
_MOST_LINES = 40
_MOST_DRAWN = 3
_ADVICE: dict[Family, str] = {
    "lock": "hold one lock around both accesses of {first}, so that nobody comes in between",
    "publish once": "build aside and publish in one assignment; readers take it once and use what they took",
    "one per loop": "keep one for each event loop, made on the loop that uses it",
    "check under the lock": "check again under the lock that the change is made under, or make both one step",
    "read after the await": "read what the change rests on after the last await, or hold an asyncio.Lock over both",
    "one order of locks": "take the locks in the same order everywhere",
    "let go of the lock": "nobody may wait, call out or ask for {first} again while holding it; hold it for shorter",
    "wake it": "see that what is waited for comes in every order, also where a task fails or ends early",
    "await it": "the thread of a loop may not wait for what the loop itself has to run: await it",
    "wait for it": "no order is enforced: let the one wait for the other (join, Event, Condition)",
}
_GIL = {
    True: "this interpreter can switch there, so it can happen natively",
    False: "with the GIL no switch can come there; free-threaded interpreters have no such protection",
    None: "whether this interpreter can switch there is not known",
}
_SLOWER = (
    "However long it is, a task may be slower.",
    "Fix (time-out): bear one that comes at any moment, or wait without.",
)
_AT_AWAIT = "tasks of one loop change at awaits, on every interpreter, so it can happen natively"


def explain(failure: Failure) -> str:
    """Return the explanation of a failure."""
    events = failure.execution.events
    cross = failure.cross_loop
    slow = _time_out(events, shown_file(file_of(failure.origin.program))) if is_time_out(failure.error) else []
    race = find_race(events, is_explained=bool(slow)) if cross is None else _uses(cross)
    if cross is not None:
        head = _foreign(failure, cross)
    elif isinstance(failure.error, (ExceptionNotRetrievedError, TaskDestroyedError)):
        what, _, instead = str(failure.error).rpartition("; ")
        head = [what, f"Fix: {instead}."]
    elif isinstance(failure.error, DeadlockError) and (race is None or race.awaited is None):
        head = _deadlock(failure.error)
    else:
        head = _head(failure, race)
    at_await = cross is None and race is not None and race.awaited is not None
    gil = _AT_AWAIT if at_await else _GIL[failure.reachable_under_gil]
    tail = [f"Under the GIL: {gil}.", f"Replay: {replay_call(failure)}"]
    body = [_outcome(failure), "", *columns(events, race, file_of(failure.origin.program))]
    room = _MOST_LINES - len(head) - len(tail) - 2
    return "\n".join(line.rstrip() for line in [*head, "", *body[:room], "", *tail])


def replay_call(failure: Failure) -> str:
    """Return the call that replays a failure."""
    name, module = failure.execution.program, module_of(failure.origin.program)
    is_named = module is not None and module.__name__ != "__main__" and "<" not in name
    place = f"{module.__name__}.{name}" if is_named and module is not None else name
    try:
        options = world_options(failure.origin)
    except InvalidArgumentError:
        options = ", ... with the options it was explored with"
    return f'harness.replay({place}, "{failure.token}"{options})'


def _head(failure: Failure, race: Race | None) -> list[str]:
    file = shown_file(file_of(failure.origin.program))
    if race is None:
        return _without_race(failure, file)
    first, second, third = race.first, race.second, race.third
    one = f"{first.actor_name} {said(first)} at {_place(first, file)},{_awaiting(race)}"
    if first.actor == second.actor:
        other = f"and {said(second)} itself at {_place(second, file)}."
    elif third is not None:
        goes_on = f"before {_short(third)} {said(third)} at line {third.via or third.line}"
        other = f"{second.actor_name} {said(second)} at {_place(second, file)}, {goes_on}."
    else:
        then = "then " * (race.awaited is None)
        other = f"{then}{second.actor_name} {said(second)} at {_place(second, file)}."
    return [one, other, _fix(race.family, first.target)]


def _without_race(failure: Failure, file: str) -> list[str]:
    """Return what explains a failure in which no two tasks are seen to touch the same thing."""
    events = failure.execution.events
    slow = _time_out(events, file)
    if slow:
        return slow
    told = [f"{event.actor_name} {said(event)} at {_place(event, file)}" for event in drawn(events)][-_MOST_DRAWN:]
    if told:
        return ["No two tasks touch the same thing before it fails: in any order,", *_once(told)]
    if is_time_out(failure.error) and any(event.kind == "clock" for event in events):
        return ["A time-out falls due before what is waited for has come.", *_SLOWER]
    return [
        "No two tasks are seen to touch the same thing before it fails:",
        "it may in any order.",
        "Fix: see the error.",
    ]


def _time_out(events: Sequence[Event], file: str) -> list[str]:
    """Return who was slow when the clock advanced, and what that means; nothing where nobody was."""
    for clock in reversed([event for event in events if event.kind == "clock"]):
        slow = _slow(events[: clock.step], file)
        if slow:
            return [f"{slow}: it could go on,", f"but time passes and a time-out falls due. {_SLOWER[0]}", _SLOWER[1]]
    return []


def _once(told: Sequence[str]) -> list[str]:
    """Return under which draws it fails, and what to do."""
    return [f"it fails once {', and '.join(told)}.", "Fix: see the error, and what was drawn."]


def _slow(before: Sequence[Event], file: str) -> str:
    """Return which task could have gone on when the clock advanced instead: one that was left, or had not begun."""
    if before and before[-1].preempted:
        return f"{before[-1].actor_name} is slow at {_place(before[-1], file)}"
    begun = {event.task_name for event in before}
    start = next((event for event in before if event.kind == "start" and event.target not in begun), None)
    return "" if start is None else f"{start.target}, started at {_place(start, file)}, is slow to begin"


def _uses(cross: CrossLoop) -> Race:
    return Race(cross.first or cross.second, cross.second, None, "one per loop")


def _foreign(failure: Failure, cross: CrossLoop) -> list[str]:
    """Return both uses with their loops, what to do, and how the loops were made."""
    file, first, second = shown_file(file_of(failure.origin.program)), cross.first, cross.second
    home = f"loop {cross.home.number}"
    one = f"{cross.waits or f'{cross.name} belongs to {home}'},"
    if first is not None:
        one = f"{first.actor_name} {said(first)} at {_place(first, file)}, on {home},"
    on = "outside any loop" if cross.foreign is None else f"on loop {cross.foreign.number}"
    is_quiet = second.target.endswith(".call_soon")
    does = f"puts a callback into {home} without waking it" if is_quiet else said(second)
    belongs = "" if cross.name == second.owner and is_quiet else f": {cross.name} belongs to {home}"
    then = f"then {second.actor_name} {does} at {_place(second, file)}, {on}{belongs}."
    made = f"; {cross.name} was made at {cross.made}" if cross.made else ""
    return [
        one,
        then,
        f"{_fix('one per loop', '')[:-1]}{', or reach it by call_soon_threadsafe' * is_quiet}{made}.",
        *(_loop(loop) for loop in (cross.home, cross.foreign) if loop is not None),
    ]


def _loop(loop: LoopMade) -> str:
    if is_library(loop.path):
        return f"loop {loop.number} of {loop.thread}, made in asyncio, which the thread begins in"
    source = f": {loop.source}" if loop.source else ""
    return f"loop {loop.number} of {loop.thread}, made at {loop.file}:{loop.line}{source}"


def _short(event: Event) -> str:
    return event.task_name if event.async_task is None else event.async_task.name


def _awaiting(race: Race) -> str:
    """Return which await of the first task let the other one in."""
    if race.awaited is None:
        return ""
    path, line = race.awaited
    return f" and awaits at {short_name(path)}:{line}, which lets the other in:"


def _fix(family: Family, first: str) -> str:
    return f"Fix ({family}): {_ADVICE[family].format(first=first)}."


def _place(event: Event, program_file: str) -> str:
    """Return the line in the program, and where below it the access itself is."""
    if not event.depth or not event.via:
        return f"{event.file}:{event.line}"
    return f"{program_file}:{event.via} (in {event.function}, {short_name(event.path)}:{event.line})"


def _outcome(failure: Failure) -> str:
    text = text_of(failure.error).strip().partition("\n")[0]
    said_first = f"{type(failure.error).__name__}: {text}" if text else type(failure.error).__name__
    error = next((event for event in reversed(failure.execution.events) if event.kind == "error"), None)
    where = (
        f", in {error.actor_name} at {short_name(error.path)}:{error.line}" if error is not None and error.line else ""
    )
    room = _WIDTH - len(where)
    return f"{said_first if len(said_first) <= room else said_first[: room - 3] + '...'}{where}"


def _deadlock(error: DeadlockError) -> list[str]:
    """Return who waits for what, of the tasks of the circle where there is one: two, what to do, and the others."""
    circle = next((line for line in error.lines if line.startswith("circle: ")), "")
    members = [line for line in error.lines if line is not circle and _is_member(line, circle)]
    told = [line for line in members if "the end of task" not in line and " runs loop " not in line]
    waiting = told or members
    return [*waiting[:2], _fix(_to_wake(waiting, circle), ""), *waiting[2:6], *([circle] if circle else [])]


def _to_wake(waiting: Sequence[str], circle: str) -> Family:
    """Return what mends a deadlock with these lines of who waits for what."""
    if circle:
        return "one order of locks"
    if any(" and stops loop " in line for line in waiting):
        return "await it"
    is_of_locks = any("Lock" in line or "Condition" in line for line in waiting)
    return "check under the lock" if is_of_locks else "wake it"


def _is_member(line: str, circle: str) -> bool:
    name = line.partition("'")[2].partition("'")[0]
    return not circle or f"{name} ->" in circle or circle.endswith(name)
