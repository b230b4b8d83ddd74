"""First pass: the same events in the same causal order, with as few hand-overs as can be had.

Contract: every candidate keeps the order of all events that depend on each other (`dependence`), so the failure ought
to come again, and has fewer stretches than the order it was made from. Costs no executions to compute and at most one
to try per candidate.

Reference: Jalbert and Sen, A trace simplification technique for effective debugging of concurrent programs, FSE 2010.
They move one segment at a time; we order the whole graph anew, greedily.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from harness.explore.shrinking.dependence import predecessors
from harness.explore.shrinking.order import Order, order_of, order_of_tasks
from harness.sim import Event

__all__ = ["straightened"]


def straightened(events: Sequence[Event]) -> Iterator[Order]:
    """Yield orders equivalent to that of the events and with fewer stretches, the best first."""
    given = order_of(events)
    graph = _Graph(events)
    made = {graph.greedy(prefer) for prefer in (_lowest, _highest)}
    yield from sorted((order for order in made if len(order) < len(given)), key=lambda order: (len(order), order))


def _lowest(tasks: Sequence[int]) -> int:
    return min(tasks)


def _highest(tasks: Sequence[int]) -> int:
    return max(tasks)


class _Graph:
    """The events with what must come before each. Confined."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._before = predecessors(events)
        self._chains: dict[int, list[int]] = {}
        for position, event in enumerate(events):
            self._chains.setdefault(event.task, []).append(position)

    def greedy(self, prefer: Callable[[Sequence[int]], int]) -> Order:
        """Return an order in which whoever runs goes on as long as it can."""
        heads = dict.fromkeys(self._chains, 0)
        done: set[int] = set()
        tasks: list[int] = []
        while ready := [task for task in self._chains if self._next(task, heads, done) is not None]:
            current = prefer(ready)
            while (event := self._next(current, heads, done)) is not None:
                done.add(event)
                tasks.append(current)
                heads[current] += 1
        return order_of_tasks(tasks)

    def _next(self, task: int, heads: dict[int, int], done: set[int]) -> int | None:
        """Return the task's next event, if it has one and all that must come before it is done."""
        chain, head = self._chains[task], heads[task]
        is_ready = head < len(chain) and done.issuperset(self._before[chain[head]])
        return chain[head] if is_ready else None
