"""Last pass: each preemption as early as the failure allows.

Contract: candidates differ from the current order in where one task is left, which comes earlier by halves of the
distance to its last hand-over; preemptions, deviations and choices do not grow. So of two reads before a preemption the
one that matters is the last. Takes ``log2(events)`` executions per preemption.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.shrinking.order import Order, Stretch

__all__ = ["advance"]


def advance(order: Order, accept: Callable[[Order], Order | None]) -> Order:
    """Return the order with its hand-overs moved forward; ``accept`` as for `leave_out`."""
    position = 0
    while position < len(order):
        order = _advance_one(order, position, accept)
        position += 1
    return order


def _advance_one(order: Order, position: int, accept: Callable[[Order], Order | None]) -> Order:
    task, high = order[position]
    low = max((until for other, until in order[:position] if other == task), default=0)
    if not any(other == task for other, _ in order[position + 1 :]):
        return order  # it ends here
    while low + 1 < high:
        middle = (low + high) // 2
        candidate = (*order[:position], Stretch(task, middle), *order[position + 1 :])
        taken = accept(candidate)
        if taken is None:
            low = middle
        else:
            order, high = taken, middle
            if position >= len(order) or order[position] != Stretch(task, middle):
                break
    return order
