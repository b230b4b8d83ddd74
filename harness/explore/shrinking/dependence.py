"""Which events of an execution cannot change places.

Events of one task, events on the same object of which one writes, a thread's first event and the start of it, a join
and the end it waited for. What an event is taken to touch errs on the side of too much: an operation of a primitive
writes it, the clock touches everything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from harness.sim import CLOCK_NUMBER, Event

__all__ = ["conflict", "do_clash", "is_write", "predecessors"]

_WRITES = frozenset({"write", "call", "acquire", "release"})


def is_write(event: Event) -> bool:
    """Return whether the event may change what it touches."""
    return event.kind in _WRITES


def conflict(one: Event, other: Event) -> bool:
    """Return whether two events of different tasks touch the same thing and one of them writes it."""
    return one.task != other.task and do_clash(one, other)


def do_clash(one: Event, other: Event) -> bool:
    """Return whether two events touch the same thing and one of them writes it, whoever does it."""
    if not one.owner or one.owner != other.owner or "wait" in (one.kind, other.kind):
        return False
    is_same_part = one.part == other.part or not one.part or not other.part
    return is_same_part and (is_write(one) or is_write(other))


def predecessors(events: Sequence[Event]) -> list[list[int]]:
    """Return for each event the positions of those it must come after, apart from its own task's and implied ones."""
    found: list[list[int]] = []
    touched: defaultdict[str, dict[tuple[int, str, bool], int]] = defaultdict(dict)
    lives = _Lives()
    for position, event in enumerate(events):
        before = lives.before(position, event)
        if event.owner:
            same = touched[event.owner]
            before += [last for last in same.values() if conflict(events[last], event)]
            same[event.task, event.part, is_write(event)] = position
        found.append(sorted(set(before)))
    return found


class _Lives:
    """Starts and ends of tasks, and the clock, as they come. Confined."""

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._starts: dict[str, int] = {}  # by name of the thread
        self._ends: dict[str, int] = {}
        self._clock: int | None = None

    def before(self, position: int, event: Event) -> list[int]:
        """Return the positions that the event must come after; ``position`` is its own."""
        before: list[int] = []
        if event.task == CLOCK_NUMBER:
            self._clock = position
            return list(range(position))
        if self._clock is not None:
            before.append(self._clock)
        if event.task not in self._seen and position:
            self._seen.add(event.task)
            before.append(self._starts.get(event.task_name, position - 1))
        if event.kind == "start":
            self._starts[event.target] = position
        elif event.kind in ("end", "error"):
            self._ends[event.task_name] = position
        elif event.kind == "join" and event.target in self._ends:
            before.append(self._ends[event.target])
        return before
