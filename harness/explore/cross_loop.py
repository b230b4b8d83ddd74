"""Uses of an object on another event loop than its own, as a failing execution shows them.

asyncio complains in a few words, deep in a library, and of a loop that nobody knows. The traceback still holds the
objects: which loop the thing belongs to, which one ran, and what the program's own line had used. Where a loop was
never woken because another thread put a callback into its queue, nothing complains at all, and the events tell.
"""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import FrameType
from typing import final

from harness.explore.error_text import text_of
from harness.sim import DeadlockError, Event, LoopMade, Outcome, is_library, shown_file

__all__ = ["Births", "CrossLoop", "find_cross_loop"]

_COMPLAINTS = re.compile(r"different (event )?loop|Event loop is closed|loop other than the current one")
_RUNNING = frozenset({"run_until_complete", "run_forever"})
_FACTORIES = frozenset({"create_future", "create_task"})
_FRAMES = 25  # kept of each birth


@final
@dataclass(frozen=True, slots=True)
class CrossLoop:
    """A use on a foreign loop. Immutable.

    Attributes:
        name: The object, such as ``AsyncClient#1``.
        made: File and line that made it, empty where that is not known.
        home: The loop it belongs to.
        foreign: The loop it was used on, ``None`` for a thread without one.
        first: Its use on its own loop, ``None`` where no event tells of it.
        second: The use that failed.
        waits: Who waits on the object's own loop for ever, where it was not woken.
    """

    name: str
    made: str
    home: LoopMade
    foreign: LoopMade | None
    first: Event | None
    second: Event
    waits: str = ""


@final
class Births:
    """Notes where objects are made, in place of a profiler; none is noted where one is set. Confined."""

    def __init__(self) -> None:
        self._frames: dict[int, list[tuple[str, int]]] = {}  # by id of the object

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note births for the time of the context."""
        if sys.getprofile() is not None:
            yield
            return
        sys.setprofile(self._profile)
        try:
            yield
        finally:
            sys.setprofile(None)

    def place_of(self, thing: object, program_path: str) -> str:
        """Return the innermost line of the program that made an object, else one that is no library's."""
        places = self._frames.get(id(thing), [])
        own = [place for place in places if place[0] == program_path]
        own = own or [place for place in places if not is_library(place[0])]
        return f"{shown_file(own[0][0])}:{own[0][1]}" if own else ""

    def _profile(self, frame: FrameType, event: str, value: object) -> None:
        name = frame.f_code.co_name
        if event == "call" and name == "__init__":
            self._note(frame.f_locals.get("self"), frame)
        elif event == "return" and name in _FACTORIES:
            self._note(value, frame)

    def _note(self, made: object, frame: FrameType | None) -> None:
        stack: list[tuple[str, int]] = []
        while frame is not None and len(stack) < _FRAMES:
            stack.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        self._frames[id(made)] = stack


def find_cross_loop(outcome: Outcome, program_path: str, births: Births | None = None) -> CrossLoop | None:
    """Return the use that made a recorded execution fail, or ``None`` where it failed of something else.

    Args:
        outcome: The execution, with its events.
        program_path: File of the program, whose lines stand for what happens below them.
        births: Where the objects of that execution were made, if it was watched.
    """
    if not outcome.loops:
        return None
    if isinstance(outcome.error, DeadlockError):
        return _never_woken(outcome, outcome.error)
    frames, blamed = _blamed(outcome.error)
    if not blamed:
        return None
    running = [_loop_of(frame.f_locals.get("self")) for frame in frames if frame.f_code.co_name in _RUNNING]
    foreign = running[-1] if running else None
    home, thing = _home(blamed, foreign)
    used = _used(blamed, program_path)
    if home is None or used is None:
        return None
    frame, line, seen = used
    thing = seen if seen is not None else thing
    made = "" if births is None else births.place_of(thing, program_path)
    found = _told(outcome, frame.f_code.co_filename, line, thing, home, foreign)
    return None if found is None else replace(found, made=made)


def _never_woken(outcome: Outcome, error: DeadlockError) -> CrossLoop | None:
    """Return the callback that another thread put into a loop's queue without waking it."""
    call = next((event for event in reversed(outcome.events) if event.target.endswith(".call_soon")), None)
    if call is None:
        return None
    home = int(call.owner.partition("#")[2])
    before = outcome.events[: call.step]
    own = [event for event in before if event.actor == call.actor]
    theirs = [event for event in before if _is_on(event, home)]
    near = [event.owner for event in own if event.line == call.line and event.kind in ("call", "release")]
    shared = [event.target for event in own if any(event.target == other.target for other in theirs)]
    foreign = None if call.async_task is None else outcome.loops[call.async_task.loop - 1]
    name = [call.owner, *shared, *filter(None, near)][-1]
    waits = next((line for line in error.lines if f" of loop {home} awaits at " in line), "")
    return CrossLoop(name, "", outcome.loops[home - 1], foreign, theirs[-1] if theirs else None, call, waits)


def _blamed(error: BaseException | None) -> tuple[list[FrameType], list[tuple[FrameType, int]]]:
    """Return all frames on the way to the complaint, and those of the complaint itself with their lines."""
    frames: list[FrameType] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        own = list(_frames_of(error))
        frames += [frame for frame, _ in own]
        if isinstance(error, (RuntimeError, ValueError)) and _COMPLAINTS.search(text_of(error)):
            return frames, own
        inner = error.exceptions[0] if isinstance(error, BaseExceptionGroup) else None
        error = inner or error.__cause__ or error.__context__
    return frames, []


def _frames_of(error: BaseException) -> Iterator[tuple[FrameType, int]]:
    traceback = error.__traceback__
    while traceback is not None:
        yield traceback.tb_frame, traceback.tb_lineno
        traceback = traceback.tb_next


def _home(blamed: Sequence[tuple[FrameType, int]], foreign: int | None) -> tuple[int | None, object]:
    """Return the number of the loop that was meant, and the object it was found in."""
    local = blamed[-1][0].f_locals
    me = local.get("self")
    for found in (me, getattr(me, "_loop", None)):
        if _loop_of(found) is not None:
            return _loop_of(found), me
    frame = blamed[-1][0]
    named = [frame.f_globals[name] for name in frame.f_code.co_names if name in frame.f_globals]
    return _future_of_another_loop([*local.values(), *named], foreign)


def _future_of_another_loop(values: Iterable[object], foreign: int | None) -> tuple[int | None, object]:
    """Return the loop of the future that a coroutine awaits: a variable, or an attribute or an item of one."""
    for value in values:
        for found in (value, *getattr(value, "__dict__", {}).values(), *_items(value)):
            loop = _loop_of(found.get_loop()) if hasattr(type(found), "get_loop") else None
            if loop is not None and loop != foreign:
                return loop, found
    return None, None


def _items(value: object) -> Collection[object]:
    """Return what a container of the language's own holds."""
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, (list, tuple, set, deque)) else ()


def _loop_of(found: object) -> int | None:
    """Return the number of a controlled loop, ``None`` for anything else."""
    is_ours = type(found).__module__ == "harness.sim.loops.event_loop"
    return getattr(found, "number", None) if is_ours else None


def _used(blamed: Sequence[tuple[FrameType, int]], program_path: str) -> tuple[FrameType, int, object] | None:
    """Return the program's own frame, its line, and whose method it called there."""
    files = [frame.f_code.co_filename for frame, _ in blamed]
    own = [position for position, file in enumerate(files) if file == program_path]
    own = own or [position for position, file in enumerate(files) if not is_library(file)]
    if not own:
        return None
    frame, line = blamed[own[-1]]
    for below, _ in blamed[own[-1] + 1 :]:
        me = below.f_locals.get("self")
        if me is not None and _loop_of(me) is None:
            return frame, line, me
    return frame, line, None


def _told(outcome: Outcome, path: str, line: int, thing: object, home: int, foreign: int | None) -> CrossLoop | None:
    at_line = [event for event in outcome.events if (event.path, event.line) == (path, line)]
    kind = type(thing).__name__
    mine = [event for event in at_line if event.owner.partition("#")[0] == kind]
    second = next((event for event in reversed(mine or at_line) if not _is_on(event, home)), None)
    if second is None:
        return None
    name = second.owner if mine else f"{type(thing).__module__.partition('.')[0]} {kind}"
    before = [event for event in outcome.events[: second.step] if _is_on(event, home)]
    same = [event for event in before if event.owner == second.owner and event.owner]
    near = [event for event in before if (event.path, event.line) == (path, line)]
    uses = same or near
    first = uses[-1] if uses else None
    used_on = outcome.loops[foreign - 1] if foreign is not None and foreign != home else None
    if used_on is None and second.async_task is not None:
        used_on = outcome.loops[second.async_task.loop - 1]
    return CrossLoop(name, "", outcome.loops[home - 1], used_on, first, second)


def _is_on(event: Event, loop: int) -> bool:
    return event.async_task is not None and event.async_task.loop == loop
