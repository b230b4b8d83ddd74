"""What is to be explored next: from the races of an execution, beginnings of others, planned where they part from it.

Reference: Abdulla, Aronis, Jonsson, Sagonas: Source sets, a foundation for optimal dynamic partial order reduction,
JACM 2017, section 6. They plan the races of a beginning that executions share once; as steps are left out here that
could not go on, what comes later without them is part of the plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

from harness.explore.dpor.stack import Event, Stack
from harness.explore.dpor.wakeup_tree import first_of, insert, is_independent
from harness.sim import CLOCK_NUMBER, Use, kind_of

__all__ = ["Plans"]

_FIRST_DESCRIPTION = -1 << 62


@final
class Plans:
    """Makes plans at the states of a stack. Confined.

    Args:
        stack: The executions.
    """

    __slots__ = ("_descriptions", "_names", "_planned", "_racing", "_stack")

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._planned = 0  # events whose races have been looked at
        self._racing: list[int] = []  # positions of those among them that gave plans
        self._names: Sequence[tuple[object, object]] = ()
        self._descriptions: dict[tuple[object, object], int] = {}

    def keep(self, events: int) -> None:
        """Note that only so many events are left of those planned for."""
        self._planned = min(self._planned, events)
        while self._racing and self._racing[-1] >= events:
            self._racing.pop()

    def make(self, names: Sequence[tuple[object, object]]) -> None:
        """Plan the reversal of every race of an execution that has ended; its locations have these names."""
        self._names = names
        self._repeat(self._planned)
        self._racing += self._reverse_from(self._planned)
        self._planned = len(self._stack.events)

    def make_with(self, event: Event, use: Use | None, due: Use | None = None) -> None:
        """Plan as if an event had come last; see `Stack.push`."""
        stack = self._stack
        position = len(stack.events)
        stack.push(event, use, due)
        stack.settle()
        self._reverse_from(position)
        stack.cut(position)

    def _repeat(self, start: int) -> None:
        """Plan the reversals of earlier races anew where events from a position on would come before them.

        The plan made before has other such events, of another execution. Without any it would be a part of that plan.
        """
        events, racing = self._stack.events, self._racing
        if not racing:
            return
        behind = -1  # what all new events come after
        for event in events[start:]:
            behind &= event.past
        for position in racing:
            event = events[position]
            for earlier in event.races:
                if not behind >> earlier & 1:
                    self._reverse(earlier, position)
            if event.cancelled and not behind >> position & 1:
                self._fire(position)

    def _reverse_from(self, start: int) -> list[int]:
        """Plan the reversal of every race whose later event is from a position on; return their positions."""
        racing = []
        for position, event in enumerate(self._stack.events[start:], start):
            if event.races or event.cancelled:
                racing.append(position)
                for earlier in event.races:
                    self._reverse(earlier, position)
                if event.cancelled:
                    self._fire(position)
        return racing

    def _reverse(self, earlier: int, later: int) -> None:
        """Plan an execution in which the later of two events in a race comes without the earlier one."""
        events = self._stack.events
        state = events[earlier]
        last, sequence = events[later], self._without(earlier)
        if last.task == CLOCK_NUMBER and last.enabler >= 0 and events[last.enabler].past >> earlier & 1:
            self._fire_another(earlier, last, sequence)
            return
        turned = last.turned.get(earlier)
        if turned is not None or self._is_between(earlier, later):
            last = _after(sequence, _again(last, last.accesses if turned is None else turned))
        self._insert(state, [*sequence, last])

    def _is_between(self, earlier: int, later: int) -> bool:
        """Return whether an event leads from one to a later one: the release of a lock, from an acquire to the next."""
        events = self._stack.events
        bit, past = 1 << earlier, events[later].past
        for event in events[earlier + 1 : later]:  # noqa: SIM110 - a generator takes twice as long
            if event.past & bit and event.bit & past:
                return True
        return False

    def _fire_another(self, earlier: int, last: Event, sequence: list[Event]) -> None:
        """Plan to let another timer fall due before the one that did was set: at once, and after a sequence."""
        events = self._stack.events
        state = events[earlier]
        others = (firing for setter, firing in last.timers if not events[setter].past >> earlier & 1)
        due = next(others, None)
        plans = [] if due is None else [(sequence, due)]
        if state.firing and state.firing != due:
            plans.append(([], state.firing))
        for steps, accesses in plans:
            self._insert_firing(state, steps, accesses)

    def _fire(self, position: int) -> None:
        """Plan an execution in which the clock advances where a step cancelled its next timer."""
        state = self._stack.events[position]
        self._insert_firing(state, self._without(position), state.cancelled)

    def _insert_firing(self, state: Event, sequence: list[Event], accesses: Sequence[int]) -> None:
        """Plan a sequence at a state, and that the clock advances after it; unless the order of that is no matter."""
        if is_independent(accesses, (state.accesses,)):
            return
        firing = Event(CLOCK_NUMBER, accesses)
        firing.bit = firing.past = 1 << len(self._stack.events)
        self._insert(state, [*sequence, _after(sequence, firing)])

    def _without(self, position: int) -> list[Event]:
        """Return the later steps that do not come after one."""
        bit = 1 << position
        return [event for event in self._stack.events[position + 1 :] if not event.past & bit]

    def _insert(self, state: Event, sequence: list[Event]) -> None:
        """Plan a sequence at a state, unless an equivalent one was explored or is planned."""
        for task, slept in state.sleeping.items():
            first = first_of(task, sequence)
            if first or (first is None and is_independent(slept, (step.accesses for step in sequence))):
                return
        state.todo = state.todo or []
        insert(state.todo, sequence, state.locations, self._describe)

    def _describe(self, accesses: Sequence[int], base: int) -> Sequence[int]:
        """Return accesses with locations that may have other numbers elsewhere replaced by their descriptions."""
        if not accesses or max(accesses) >> 2 < base:
            return accesses
        return [
            access if access >> 2 < base else self._description(access >> 2) * 4 + (access & 3) for access in accesses
        ]

    def _description(self, location: int) -> int:
        obj, key = self._names[location]
        known = kind_of(obj), key[0] if isinstance(key, tuple) else key
        return self._descriptions.setdefault(known, _FIRST_DESCRIPTION - len(self._descriptions))


def _again(event: Event, accesses: Sequence[int]) -> Event:
    """Return an event that does something else, without what happens before it because of conflicts."""
    again = Event(event.task, accesses)
    again.option, again.bit, again.past = event.option, event.bit, event.base | event.bit
    return again


def _after(sequence: Sequence[Event], event: Event) -> Event:
    """Let an event come after the steps of a sequence that it is in conflict with."""
    for step in sequence:
        if not is_independent(event.accesses, (step.accesses,)):
            event.past |= step.past
    return event
