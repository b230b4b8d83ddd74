"""Third pass: schedules with no preemption or one, tried outright.

Contract: candidates are the orders that run the tasks one after the other, and those that leave one task once, right
before it touches what another touches too, and one of the two writes. If the failure has a schedule with that few
preemptions at such a place, the pass finds it unless the caller's bound ends it first.

Reference: Musuvathi and Qadeer, Iterative context bounding for systematic testing of multithreaded programs, PLDI 2007;
with Thomson et al., PPoPP 2014, for how few preemptions most failures need.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice, permutations

from harness.explore.shrinking.dependence import is_write
from harness.explore.shrinking.order import END, Order, Stretch
from harness.sim import CLOCK_NUMBER, Event

__all__ = ["one_switch", "places_shared", "without_switch"]

_MOST_ORDERS = 6  # of tasks run one after the other


def without_switch(events: Sequence[Event]) -> Iterator[Order]:
    """Yield orders that leave no task which can go on."""
    yield ()  # what comes by itself
    tasks = sorted({event.task for event in events} - {CLOCK_NUMBER})
    has_clock = any(event.task == CLOCK_NUMBER for event in events)
    for others in islice(permutations(tasks[1:]), _MOST_ORDERS):
        order = tuple(Stretch(task, END) for task in (tasks[0], *others))
        yield order
        for place in range(len(order)) if has_clock else ():  # the clock advances once those before it are blocked
            yield (*order[:place], Stretch(CLOCK_NUMBER, END), *order[place:])


def one_switch(events: Sequence[Event]) -> Iterator[Order]:
    """Yield orders that leave one task once, in the order of `places_shared`."""
    tasks = sorted({event.task for event in events} - {CLOCK_NUMBER})
    for task, count in places_shared(events):
        others = [Stretch(other, END) for other in tasks[1:] if other != task]
        first = [Stretch(tasks[0], END)] if task != tasks[0] else []
        for leader in others:
            rest = [other for other in others if other != leader]
            yield (*first, Stretch(task, count), leader, Stretch(task, END), *rest)


def places_shared(events: Sequence[Event]) -> list[tuple[int, int]]:
    """Return task and number of its events before each access to what two tasks touch and one writes.

    Those come first whose access is nearest to the program's own lines, and of these the earliest.
    """
    users: dict[tuple[str, str], set[int]] = {}
    written: set[str] = set()
    for event in events:
        if event.owner:
            users.setdefault((event.owner, ""), set()).add(event.task)
            if is_write(event):
                written.add(event.owner)
    counts: Counter[int] = Counter()
    places: list[tuple[int, int, int, int]] = []
    for event in events:
        is_shared = len(users.get((event.owner, ""), ())) > 1 and event.owner in written
        if is_shared and event.kind in ("read", "write", "call", "acquire", "wait") and counts[event.task]:
            places.append((event.depth, event.step, event.task, counts[event.task]))
        counts[event.task] += 1
    return [(task, count) for _, _, task, count in sorted(places)]
