"""The current execution as a stack of events, with what happens before what, and the races in it.

Executions share beginnings: only the events after the last branch are new. For every location the stack keeps who
touched it, in order; taking events off undoes that. What happens before an event is a set of positions, one bit each.

A race is a pair of conflicting events with nothing between them in that order, of which the later one could have come
first. An operation that waits could have come first where its need was met: the acquire of a lock races with the
acquire before it, not with the release that let it go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

from harness.explore.dpor.wakeup_tree import Node
from harness.sim import WRITE, Use, are_in_conflict

__all__ = ["Event", "Stack"]


@dataclass(slots=True, eq=False)
class Event:
    """One step, and the state before it.

    Attributes:
        task: Number of the task, 0 is the clock.
        enabled: Numbers of the candidates that could go on.
        sleeping: Steps that need not be explored from the state, with what they did: all beginning with one of them
            was explored before, or is elsewhere.
        todo: Further steps to explore from the state.
        locations: How many locations had a number.
        accesses: What the step did.
        past: Positions of the events that happen before it, its own included, as bits.
        bit: Its own position, as a bit.
        races: Positions of the events it is in a race with.
        base: What happens before it without regard to conflicts, as bits.
        turned: What it would have done before an event that it is in a race with, by that event's position, where that
            is something else: an operation that does not have to wait arrives where it would have to, or fails.
        enabler: Position of the event that let it go on: the wake-up of a waiting task, the start of the timer that
            fell due; -1 for none.
        option: Which option it drew, where it is a draw of data; else -1.
        firing: What the clock would have done at this state, could it go on and was not chosen.
        timers: Where the clock goes on: positions of the events that set the timers, with what each does when it falls
            due, the next one first.
        cancelled: What the clock would have done at this state, had the step not cancelled its next timer.
    """

    task: int
    enabled: Sequence[int]
    sleeping: dict[int, Sequence[int]]
    todo: list[Node]
    locations: int
    accesses: list[int] = field(default_factory=list)
    past: int = 0
    bit: int = 0
    races: list[int] = field(default_factory=list)
    base: int = 0
    turned: dict[int, list[int]] = field(default_factory=dict)
    enabler: int = -1
    cancelled: Sequence[int] = ()
    option: int = -1
    firing: Sequence[int] = ()
    timers: Sequence[tuple[int, Sequence[int]]] = ()


@final
class Stack:
    """Events of the current execution. Confined.

    Attributes:
        events: In order.
        last: Position of each task's last event, by number.
    """

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.last: dict[int, int] = {}
        self.met: set[int] = set()  # locations of conflicts between tasks
        self._history: dict[int, list[tuple[int, int, Any]]] = {}  # location -> (position, mode, level before)

    def push(self, event: Event, before: int, accesses: Sequence[int], use: Use | None, due: Use | None = None) -> None:
        """Add an event.

        Args:
            event: With its state; the rest is filled in.
            before: Positions of events that it comes after for other reasons than conflicts, as bits.
            accesses: What it does.
            use: The operation of a primitive among that, if there is one.
            due: The operation whose time-out is over with the event.
        """
        position = len(self.events)
        self.events.append(event)
        own = self.last.get(event.task)
        event.bit = past = 1 << position
        if own is not None:
            past |= self.events[own].past
        while before:
            highest = before.bit_length() - 1
            past |= self.events[highest].past
            before &= ~(1 << highest)
        event.past = event.base = past
        levels = due.levels() if due is not None else None
        if use is not None:
            levels = use.levels()
        for access in accesses:
            self._touch(event, position, access, past, use, levels)
        if use is not None and use.need is not None and not use.may_block and not use.is_resumed:
            self._turn(event, use)
        self.last[event.task] = position

    def _turn(self, event: Event, use: Use) -> None:
        """Note what an operation that need not wait would have done before the events that it is in a race with."""
        is_met = use.is_met()
        for earlier in event.races:
            if self._is_met_without(earlier, use, is_met) != is_met:
                done = use.accesses(is_met=is_met)
                kept = [access for access in event.accesses if access not in done]
                event.turned[earlier] = kept + use.accesses(is_met=not is_met)

    def also(self, access: int) -> None:
        """Add an access to the last event."""
        event = self.events[-1]
        self._touch(event, len(self.events) - 1, access, event.past, None, None)

    def pop(self) -> Event:
        """Take the last event off."""
        event = self.events.pop()
        for access in event.accesses:
            self._history[access >> 2].pop()
        return event

    def _touch(
        self, event: Event, position: int, access: int, base: int, use: Use | None, levels: dict[int, Any] | None
    ) -> None:
        """Add an access to an event; ``base`` is what happens before it without regard to the location."""
        location, mode = access >> 2, access & 3
        history = self._history.get(location)
        if history is None:
            history = self._history[location] = []
        waiting = use if use is not None and use.need is not None and (use.may_block or use.is_resumed) else None
        need = waiting is not None and waiting.needs_at == location
        events, task = self.events, event.task
        past, is_over = event.past, False
        for earlier, other, _ in reversed(history):
            if _COMMUTES[mode * 4 + other]:
                continue
            if events[earlier].task != task:
                self.met.add(location)
            if not past >> earlier & 1 or (need and not is_over and not base >> earlier & 1):
                if not is_over and self._could_be_first(event, earlier, waiting):
                    event.races.append(earlier)
                    is_over = need and other == WRITE  # those that only look are in a race each
                past |= events[earlier].past
            if other == WRITE and (not need or is_over or base >> earlier & 1):
                break
        event.past = past
        event.accesses.append(access)
        history.append((position, mode, None if levels is None else levels.get(location)))

    def _could_be_first(self, event: Event, earlier: int, use: Use | None) -> bool:
        """Return whether an event could have happened where an earlier one did."""
        enabler = event.enabler
        is_enabled = enabler < 0 or not self.events[enabler].past >> earlier & 1
        if self.last.get(event.task, -1) < earlier and event.task in self.events[earlier].enabled:
            return True  # it was the task's next step then, too, or the clock would have let another timer fall due
        if any(not self.events[setter].past >> earlier & 1 for setter, _ in event.timers):
            return True  # so it would have without the earlier event
        return is_enabled and (use is None or use.need is None or self._is_met_without(earlier, use))

    def _is_met_without(self, earlier: int, use: Use, otherwise: bool = True) -> bool:
        """Return whether the need of the last event's operation is met without an event and what comes after it."""
        assert use.need is not None
        events, now = self.events, len(self.events) - 1
        for position, _, level in self._history.get(use.needs_at, ()):
            if position < now and (position == earlier or events[position].past >> earlier & 1):
                return bool(use.need(level))
        return otherwise


_COMMUTES = tuple(not are_in_conflict(a, b) for a in range(4) for b in range(4))
