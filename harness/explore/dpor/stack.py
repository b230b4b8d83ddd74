"""The current execution as a stack of events, with what happens before what, and the races in it.

Executions share beginnings: only the events after the last branch are new. For every location the stack keeps who
touched it, in order; taking events off undoes that. What happens before an event is a set of positions, one bit each.

A race is a pair of conflicting events with nothing between them in that order, of which the later one could have come
first. An operation that waits could have come first where its need was met: the acquire of a lock races with the
acquire before it, not with the release that let it go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, final

from harness.explore.dpor.wakeup_tree import Node
from harness.sim import WRITE, Use, are_in_conflict

__all__ = ["Event", "Stack"]


_NOTHING: Mapping[int, Sequence[int]] = {}


@final
class Event:
    """One step, and the state before it.

    Attributes:
        task: Number of the task, 0 is the clock.
        enabled: Numbers of the candidates that could go on.
        sleeping: Steps that need not be explored from the state, with what they did: all beginning with one of them
            was explored before, or is elsewhere.
        todo: Further steps to explore from the state.
        locations: How many locations had a number.
        accesses: What the step did; replaced, never altered.
        own: Position of the task's event before it, -1 for none.
        before: Positions of events that it comes after for other reasons than conflicts, as bits.
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
        levels: Levels of the primitives that its operation touches, before it, by location.
    """

    base: int
    bit: int
    __slots__ = (
        *("accesses", "base", "before", "bit", "cancelled", "enabled", "enabler", "firing", "levels", "locations"),
        *("option", "own", "past", "races", "sleeping", "task", "timers", "todo", "turned"),
    )

    def __init__(
        self, task: int, accesses: Sequence[int], enabled: Sequence[int] = (), locations: int = 0, own: int = -1
    ) -> None:
        self.task, self.accesses, self.enabled, self.locations, self.own = task, accesses, enabled, locations, own
        self.enabler = self.option = -1
        self.before = self.past = 0  # the past tells whether it was settled, and has its bit and base
        self.sleeping: Mapping[int, Sequence[int]] = _NOTHING
        self.turned: Mapping[int, Sequence[int]] = _NOTHING
        self.todo: list[Node] | tuple[()] = ()
        self.races: Sequence[int] = ()
        self.cancelled: Sequence[int] = ()
        self.firing: Sequence[int] = ()
        self.timers: Sequence[tuple[int, Sequence[int]]] = ()
        self.levels: Mapping[int, Any] = _NOTHING


@final
class Stack:
    """Events of the current execution. Confined.

    Attributes:
        events: In order.
        met: Locations of conflicts between tasks.
    """

    __slots__ = ("_history", "_settled", "events", "met")

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.met: set[int] = set()
        self._settled = 0  # events whose past and races are known
        self._history: defaultdict[int, list[tuple[Event, int]]] = defaultdict(list)  # location -> (event, mode)

    def push(self, event: Event, use: Use | None, due: Use | None = None) -> None:
        """Add an event that an operation of a primitive belongs to; others may be put straight into `events`.

        Args:
            event: The step, with its state.
            use: The operation among what it does, if there is one.
            due: The operation whose time-out is over with the event.
        """
        self.events.append(event)
        if use is not None:
            event.levels = use.levels()
            self.settle(use)
            if event.races and use.need is not None and not use.may_block and not use.is_resumed:
                self._turn(event, use)
        elif due is not None:
            event.levels = due.levels()
            self.settle()

    def settle(self, use: Use | None = None) -> None:
        """Find what happens before the events that were added, and the races in it.

        Args:
            use: The operation in the last of them.
        """
        events, histories, met, last = self.events, self._history, self.met, len(self.events) - 1
        waiting = use if use is not None and use.need is not None and (use.may_block or use.is_resumed) else None
        for position in range(self._settled, last + 1):
            event = events[position]
            task, accesses, races = event.task, event.accesses, event.races
            if event.past:  # it was settled before, and has got one access more
                past, base, accesses = event.past, event.base, accesses[-1:]
            else:
                event.bit = past = 1 << position
                if event.own >= 0:
                    past |= events[event.own].past
                if event.before:
                    past |= self._pasts(event.before)
                event.base = base = past
            by = waiting if position == last else None
            for access in accesses:
                location = access >> 2
                history, commutes = histories[location], _COMMUTES[access & 3]
                need = by is not None and by.needs_at == location
                is_over = False
                for before, other in reversed(history):
                    if commutes[other]:
                        continue
                    if before.task != task:
                        met.add(location)
                        bit = before.bit
                        if not past & bit or (need and not is_over and not base & bit):
                            is_free = by is None and event.enabler < 0
                            if not is_over and (is_free or self._could_be_first(event, before, by)):
                                races = [*races, bit.bit_length() - 1]
                                is_over = need and other == WRITE  # those that only look are in a race each
                            past |= before.past
                        if need and not is_over and not base & bit:
                            continue
                    if other == WRITE:
                        break
                history.append((event, access & 3))
            event.past, event.races = past, races
        self._settled = last + 1

    def _pasts(self, positions: int) -> int:
        """Return what happens before some events, they included, as bits."""
        past = 0
        while positions:
            highest = positions.bit_length() - 1
            past |= self.events[highest].past
            positions &= ~(1 << highest)
        return past

    def _turn(self, event: Event, use: Use) -> None:
        """Note what an operation that need not wait would have done before the events that it is in a race with."""
        is_met, turned = use.is_met(), {}
        for earlier in event.races:
            if self._is_met_without(1 << earlier, use, is_met) != is_met:
                done = use.accesses(is_met=is_met)
                kept = [access for access in event.accesses if access not in done]
                turned[earlier] = kept + use.accesses(is_met=not is_met)
        event.turned = turned

    def also(self, access: int) -> None:
        """Add an access to the last event."""
        event = self.events[-1]
        if access in event.accesses:
            return
        event.accesses = [*event.accesses, access]
        if event.past:
            self._settled -= 1
            self.settle()

    def cut(self, position: int) -> None:
        """Take events off, from a position on."""
        histories = self._history
        for event in self.events[position : self._settled]:
            for access in event.accesses:
                histories[access >> 2].pop()
        del self.events[position:]
        self._settled = min(self._settled, position)

    def _could_be_first(self, event: Event, earlier: Event, use: Use | None) -> bool:
        """Return whether an event could have happened where an earlier one did."""
        enabler, bit = event.enabler, earlier.bit
        is_enabled = enabler < 0 or not self.events[enabler].past & bit
        if 1 << event.own + 1 <= bit and event.task in earlier.enabled:
            return True  # it was the task's next step then, too, or the clock would have let another timer fall due
        if any(not self.events[setter].past & bit for setter, _ in event.timers):
            return True  # so it would have without the earlier event
        return is_enabled and (use is None or self._is_met_without(bit, use))

    def _is_met_without(self, bit: int, use: Use, otherwise: bool = True) -> bool:
        """Return whether the need of the last event's operation is met without an event and what comes after it."""
        assert use.need is not None
        now = self.events[-1]
        for event, _ in self._history.get(use.needs_at, ()):
            if event is not now and event.past & bit:
                return bool(use.need(event.levels.get(use.needs_at)))
        return otherwise


_COMMUTES = tuple(tuple(not are_in_conflict(a, b) for b in range(4)) for a in range(4))
