"""Strategies: who goes on at each choice. One per file, behind the interface `Strategy`."""

from __future__ import annotations

from collections.abc import Callable
from weakref import WeakSet

from harness.explore.dpor import Dpor
from harness.explore.errors import InvalidArgumentError
from harness.explore.strategies.auto import Auto
from harness.explore.strategies.delay_bounded import DelayBounded
from harness.explore.strategies.pct import Pct
from harness.explore.strategies.pos import Pos
from harness.explore.strategies.preemption_bounded import PreemptionBounded
from harness.explore.strategies.random_walk import RandomWalk
from harness.explore.strategies.strategy import (
    Aside,
    Exhaustive,
    Strategy,
    claim_of,
    go_on,
    is_exhausted,
    member_of,
    tell,
    tracker_of,
    withheld_by,
)
from harness.explore.strategies.surw import Surw

__all__ = [
    "STRATEGIES",
    "Aside",
    "Auto",
    "DelayBounded",
    "Dpor",
    "Exhaustive",
    "Pct",
    "Pos",
    "PreemptionBounded",
    "RandomWalk",
    "Strategy",
    "Surw",
    "chosen_strategy",
    "claim_of",
    "go_on",
    "is_exhausted",
    "member_of",
    "tell",
    "tracker_of",
    "withheld_by",
]

# By the name that `explore(strategy=)` takes; each makes a strategy from a seed.
STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    "random": RandomWalk,
    "pct": Pct,
    "pos": Pos,
    "surw": Surw,
    "delay": DelayBounded,
    "preemption": PreemptionBounded,
    "dpor": Dpor,
    "auto": Auto,
}
_OURS = frozenset(STRATEGIES.values())
_used: WeakSet[object] = WeakSet()  # strategies of ours that an exploration was given


def chosen_strategy(wanted: str | Strategy, seed: int, budget: int, *, is_told: bool = True) -> Strategy:
    """Return the strategy that a caller means by a name or an object, for so many executions.

    ``is_told`` says whether a portfolio may count on being told of all steps; others do or do not by their nature.

    Raises:
        InvalidArgumentError: there is no strategy of this name, or the object is none or was used before.
    """
    if isinstance(wanted, str):
        if wanted not in STRATEGIES:
            raise InvalidArgumentError(
                f"strategy={wanted!r} is unknown; pass one of {', '.join(map(repr, STRATEGIES))}"
            )
        return Auto(seed, budget=budget, is_told=is_told) if wanted == "auto" else STRATEGIES[wanted](seed)
    if isinstance(wanted, type):
        raise InvalidArgumentError(f"strategy={wanted.__name__} is a class; pass an object: {wanted.__name__}()")
    if not (callable(getattr(wanted, "begin", None)) and callable(getattr(wanted, "choose", None))):
        raise InvalidArgumentError(
            f"strategy={wanted!r} is none; pass a name such as 'auto', or an object with name, begin and choose"
        )
    if type(wanted) not in _OURS:
        return Aside(wanted)
    if wanted in _used:
        raise InvalidArgumentError(
            f"strategy {wanted.name!r} knows an exploration that it was used for; pass a new one"
        )
    _used.add(wanted)
    return wanted
