"""Strategies: who goes on at each choice. One per file, behind the interface `Strategy`."""

from __future__ import annotations

from collections.abc import Callable

from harness.explore.strategies.random_walk import RandomWalk
from harness.explore.strategies.strategy import Aside, Strategy

__all__ = ["STRATEGIES", "Aside", "RandomWalk", "Strategy"]

# By the name that `explore(strategy=)` takes; each makes a strategy from a seed.
STRATEGIES: dict[str, Callable[[int], Strategy]] = {"random": RandomWalk}
