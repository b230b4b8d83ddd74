"""Which accesses of a failing execution raced.

A task that was away between two of its accesses found, or left, something that no order of whole turns gives: the pair
to name is the access before it left and the access of another task meanwhile. The four cases on one variable are those
of AVIO. Where none is there, it is what the failing task read last of another's, or the last conflict. A task that
waited for a lock in vain, and whoever holds it, come first. Of several the one nearest to the program's own lines is
named.

Who does an access is a thread, or an asyncio task of one: the tasks of a loop race as threads do, at their awaits.

Reference: Lu, Tucek, Qin, Zhou: AVIO, detecting atomicity violations via access interleaving invariants, ASPLOS 2006.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, final

from harness.explore.shrinking.dependence import do_clash, is_write
from harness.sim import Event

__all__ = ["Family", "Race", "find_race"]

Family = Literal[
    "lock",
    "publish once",
    "one per loop",
    "check under the lock",
    "read after the await",
    "one order of locks",
    "let go of the lock",
    "wait for it",
    "wake it",
    "await it",
]
_NO_ACCESS = frozenset({"acquire", "release", "wait", "start", "join", "sleep", "end", "error", "clock", "draw"})
_NEAR = 8  # events before its end that explain why a task failed
_UNSERIALIZABLE = {"rww": 0, "rwr": 1, "wrw": 2, "wwr": 2}


@final
@dataclass(frozen=True, slots=True)
class Race:
    """The accesses to name. Immutable.

    Attributes:
        first: The earlier access.
        second: Access of another task that came after it; of the same one where it waits for itself.
        third: What the first task then did with the same variable, where that is part of it.
        awaited: File and line of the await at which the first task stood meanwhile, where both are tasks of one loop.
        family: What kind of change mends it.
    """

    first: Event
    second: Event
    third: Event | None
    family: Family
    awaited: tuple[str, int] | None = None


def find_race(events: Sequence[Event], *, is_explained: bool = False) -> Race | None:
    """Return the accesses that raced, or ``None`` where no two tasks touched the same thing.

    Args:
        events: Those of the failing execution.
        is_explained: Whether something else explains the failure too, so that a mere conflict is none to name.
    """
    return _Finder(events).find(is_explained=is_explained)


class _Finder:
    """Looks through the events of one execution. Confined."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events
        self._starts = {event.target: event.step for event in events if event.kind == "start"}
        self._joins = {(event.task, event.target): event.step for event in events if event.kind == "join"}
        tasks = [event.async_task for event in events if event.async_task is not None]
        self._async_tasks = {task.number: task for task in tasks}
        self._error = next((event for event in reversed(events) if event.kind == "error"), None)

    def find(self, *, is_explained: bool) -> Race | None:
        found = self._lock_over_await() or self._lock_in_vain() or self._interrupted() or self._doomed()
        return found if found is not None or is_explained else self._last_conflict()

    def _lock_over_await(self) -> Race | None:
        """Return the acquisition that stops a loop whose own task holds the lock over an await."""
        for waited in self._events:
            if waited.kind == "wait" and waited.async_task is not None:
                holder = self._holder(waited)
                if holder is not None and holder.task == waited.task and holder.actor != waited.actor:
                    awaited = self._await_between(holder, waited)
                    if awaited is not None:
                        return Race(holder, self._outcome_of(waited), None, "let go of the lock", awaited)
        return None

    def _outcome_of(self, waited: Event) -> Event:
        """Return the vain end of a wait for a lock, or the wait if it never ended."""
        for event in self._events[waited.step :]:
            if event.actor == waited.actor and event.owner == waited.owner and event.kind == "read":
                return event
        return waited

    def _await_between(self, first: Event, second: Event) -> tuple[str, int] | None:
        """Return the await of the first event's asyncio task at which it stood when the second came."""
        if first.async_task is None or second.async_task is None or first.task != second.task:
            return None
        left = [event.left_at for event in self._events[first.step : second.step] if event.actor == first.actor]
        return left[-1]

    def _lock_in_vain(self) -> Race | None:
        """Return the acquisition that the failing task waited for in vain."""
        for waited in reversed(self._last_of_failing()):
            if waited.kind == "read" and waited.owner == waited.target and "Lock" in waited.owner:
                holder = self._holder(waited)
                return Race(holder, waited, None, "let go of the lock") if holder is not None else None
        return None

    def _holder(self, waited: Event) -> Event | None:
        for event in reversed(self._events[: waited.step]):
            if event.owner == waited.owner and event.kind in ("acquire", "release"):
                return event if event.kind == "acquire" else None
        return None

    def _interrupted(self) -> Race | None:
        found = min(self._triples(), key=_rank, default=None)
        if found is None:
            return None
        first, second, third = found
        awaited = self._await_between(first, second)
        return Race(first, second, self._write_after(third), self._family(first, second, third), awaited)

    def _triples(self) -> Iterator[tuple[Event, Event, Event]]:
        """Yield two successive accesses of a task to one variable, and one of another that cannot stand in between."""
        for accesses in self._accesses().values():
            last: dict[tuple[tuple[int, int], str], int] = {}
            for position, third in enumerate(accesses):
                before = last.get((third.actor, third.part))
                last[third.actor, third.part] = position
                for second in accesses[before + 1 : position] if before is not None else ():
                    first = accesses[before or 0]
                    if _pattern(first, second, third) in _UNSERIALIZABLE and self._is_race(second, third):
                        yield first, second, third

    def _accesses(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self._events:
            if event.owner and event.kind not in _NO_ACCESS:
                found.setdefault(event.owner, []).append(event)
        return found

    def _is_race(self, one: Event, other: Event) -> bool:
        """Return whether the two conflict and neither start nor join puts them in order."""
        if one.actor == other.actor or not do_clash(one, other):
            return False
        if one.task == other.task:
            return not (self._is_in_line(one, other) or self._is_in_line(other, one))
        return not (self._is_ordered(one, other) or self._is_ordered(other, one))

    def _is_in_line(self, one: Event, other: Event) -> bool:
        """Return whether one of a thread's events is outside its loop's tasks, or of a task that made the other's."""
        maker, made = one.async_task, other.async_task
        if maker is None or made is None:
            return True
        while made.maker != maker.number:
            above = self._async_tasks.get(made.maker)
            if above is None:
                return False
            made = above
        is_after = made.ended >= 0 and one.step >= made.ended
        return one.step < made.born or is_after

    def _is_ordered(self, one: Event, other: Event) -> bool:
        started, joined = self._starts.get(other.task_name), self._joins.get((one.task, other.task_name))
        is_before_start = started is not None and one.step < started
        return one.task == 1 and (is_before_start or (joined is not None and one.step > joined))

    def _write_after(self, third: Event) -> Event:
        """Return the same task's next write of the variable, if the access only reads it and one comes."""
        for event in self._events[third.step :]:
            is_same = (event.actor, event.owner, event.part) == (third.actor, third.owner, third.part)
            if is_same and is_write(event):
                return event
        return third

    def _family(self, first: Event, second: Event, third: Event) -> Family:
        if is_write(first) or not is_write(self._write_after(third)):
            return "publish once"
        if self._await_between(first, second) is not None:
            return "read after the await"
        between = self._events[first.step : third.step]
        locks = [
            {event.owner for event in between if event.kind == "acquire" and event.actor == actor}
            for actor in (first.actor, second.actor)
        ]
        return "check under the lock" if locks[0] & locks[1] else "lock"

    def _doomed(self) -> Race | None:
        """Return what the failing task, which is not the program's own, read last of what another had written."""
        if self._error is None or self._error.task == 1:
            return None
        for read in reversed(self._last_of_failing()):
            before = reversed(self._events[: read.step]) if not is_write(read) and read.kind not in _NO_ACCESS else ()
            write = next((event for event in before if event.kind == "write" and self._is_race(event, read)), None)
            if write is not None:
                return Race(write, read, None, "lock")
        return None

    def _last_of_failing(self) -> list[Event]:
        error = self._error
        if error is None:
            return []
        return [event for event in self._events[: error.step] if event.task == error.task][-_NEAR:]

    def _last_conflict(self) -> Race | None:
        """Return the conflict that is nearest to the program, and the last of those."""
        pairs = []
        for accesses in self._accesses().values():
            for position, event in enumerate(accesses):
                before = reversed(accesses[:position])
                other = next((access for access in before if self._is_race(access, event)), None)
                if other is not None:
                    is_same = is_write(other) and is_write(event)
                    pairs.append(((is_same, other.depth + event.depth, -event.step), other, event))
        if not pairs:
            return None
        _, first, second = min(pairs, key=lambda pair: pair[0])
        return Race(first, second, None, self._family_of_order(first, second))

    def _family_of_order(self, first: Event, second: Event) -> Family:
        left = [event for event in self._events[: second.step + 1] if event.preempted]
        if not any(event.preempted for event in self._events):
            return "wait for it"
        if any(event.task == first.task for event in left) and not is_write(first):
            return "check under the lock"
        return "publish once"


def _pattern(*events: Event) -> str:
    return "".join("w" if is_write(event) else "r" for event in events)


def _rank(triple: tuple[Event, Event, Event]) -> tuple[int, ...]:
    first, second, third = triple
    pattern = _UNSERIALIZABLE[_pattern(*triple)] // 2
    return pattern, first.depth, second.depth + third.depth, third.step - first.step, -first.step
