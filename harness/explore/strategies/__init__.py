"""Strategies: who goes on at each choice. One per file, behind the interface `Strategy`."""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.dpor import Dpor
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
    "claim_of",
    "go_on",
    "is_exhausted",
    "make_strategy",
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


def make_strategy(name: str, seed: int, budget: int, *, is_told: bool = True) -> Strategy:
    """Return the strategy of a name, which `STRATEGIES` must hold, for so many executions.

    ``is_told`` says whether a portfolio may count on being told of all steps; others do or do not by their nature.
    """
    if name == "auto":
        return Auto(seed, budget=budget, prover=STRATEGIES.get("dpor"), is_told=is_told)
    return STRATEGIES[name](seed)
