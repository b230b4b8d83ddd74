"""Second pass: leave out what the failure does not need, half of it at a time, then smaller parts.

Contract: a candidate is the current order without some of its stretches, whose events then come when the task runs
again. When nothing more can be left out, no single stretch can. At most ``2 n log n`` executions for one that matters
among ``n``; the caller's bound cuts it.

Reference: Zeller and Hildebrandt, Simplifying and isolating failure-inducing input (ddmin), TSE 2002. Only complements
are tried, since a part alone is rarely an execution that fails.
"""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.shrinking.order import Order, tidy

__all__ = ["leave_out"]


def leave_out(order: Order, accept: Callable[[Order], Order | None]) -> Order:
    """Return the smallest order reached.

    Args:
        order: Where to begin.
        accept: Runs an order, and returns the order to go on from if it fails in the same way and is simpler.
    """
    parts = 2
    while len(order) >= 2:
        size = max(len(order) // parts, 1)
        smaller = _smaller(order, size, accept)
        if smaller is not None:
            order, parts = smaller, 2 if size == 1 else max(parts - 1, 2)
        elif size == 1:
            break
        else:
            parts = min(parts * 2, len(order))
    return order


def _smaller(order: Order, size: int, accept: Callable[[Order], Order | None]) -> Order | None:
    for start in range(0, len(order), size):
        candidate = tidy((*order[:start], *order[start + size :]))
        taken = accept(candidate)
        if taken is not None:
            return taken
    return None
