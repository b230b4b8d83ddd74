"""The interface of strategies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Protocol, final, runtime_checkable

from harness.sim import Candidate, Outcome, Task, Tracker

__all__ = [
    "Aside",
    "Claiming",
    "Exhaustive",
    "Strategy",
    "claim_of",
    "draw_option",
    "go_on",
    "is_exhausted",
    "member_of",
    "tell",
    "tracker_of",
    "withheld_by",
]


class Strategy(Protocol):
    """Makes the choices of an exploration, execution after execution. Confined; used up by one exploration."""

    name: str

    def begin(self) -> bool:
        """Get ready for the next execution; return ``False`` when there is nothing left to try."""

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return one of the candidates: runnable tasks in order of their numbers, then the clock if a timer is set.

        ``current`` is the task that reached the scheduling point, ``None`` when it has ended; where it is not among the
        candidates it is blocked. Where it draws data (`harness.choose`), all candidates are options, in their order.
        """


@runtime_checkable
class Claiming(Protocol):
    """A strategy that can say what its silence is worth; others claim nothing."""

    def claim(self) -> str:
        """Return the bound or the odds that apply to the executions so far, in words; empty where none do."""


def claim_of(strategy: object) -> str:
    """Return what a strategy claims, empty where it claims nothing."""
    return strategy.claim() if isinstance(strategy, Claiming) else ""


def tracker_of(strategy: object) -> Tracker | None:
    """Return what a strategy has told of the next execution (its ``tracker``), or ``None`` where it has none."""
    tracker: Tracker | None = getattr(strategy, "tracker", None)
    return tracker


@runtime_checkable
class Exhaustive(Protocol):
    """A strategy that learns from each execution, and knows when it has seen all there are, up to equivalence."""

    @property
    def is_exhausted(self) -> bool:
        """Whether every interleaving was seen, up to equivalence."""

    def withheld(self) -> Sequence[str]:
        """Return what keeps that from being a proof."""

    def after(self, outcome: Outcome) -> None:
        """Learn how an execution ended."""


def is_exhausted(strategy: object) -> bool:
    """Return whether a strategy has seen every interleaving, up to equivalence."""
    return isinstance(strategy, Exhaustive) and strategy.is_exhausted


def withheld_by(strategy: object) -> Sequence[str]:
    """Return what keeps an exhausted strategy from a proof."""
    return strategy.withheld() if isinstance(strategy, Exhaustive) else ()


def tell(strategy: object, outcome: Outcome) -> None:
    """Let a strategy learn how an execution ended, if it wants to."""
    after: Callable[[Outcome], None] | None = getattr(strategy, "after", None)
    if after is not None:
        after(outcome)


def go_on(strategy: object) -> bool:
    """Begin another execution of a portfolio whose exhaustive member has ended; ``False`` for other strategies."""
    more: Callable[[], bool] | None = getattr(strategy, "go_on", None)
    return more is not None and more()


def member_of(strategy: object) -> str:
    """Return the name of the member of a portfolio that makes the choices now, empty for other strategies."""
    return str(getattr(getattr(strategy, "member", None), "name", ""))


def draw_option(candidates: Sequence[Candidate], random: Random) -> Candidate:
    """Return any candidate, each equally likely."""
    return candidates[int(random.random() * len(candidates))]


@final
class Aside:
    """A strategy of the caller's, kept out of the program: it may stand in a module that is instrumented. Confined."""

    def __init__(self, strategy: Strategy) -> None:
        self._strategy = strategy
        self.name = strategy.name

    def begin(self) -> bool:
        """Get the caller's strategy ready for the next execution."""
        return self._strategy.begin()

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the choice of the caller's strategy, made without scheduling points."""
        if current is None:
            return self._strategy.choose(candidates, current)
        current.atomic += 1
        try:
            return self._strategy.choose(candidates, current)
        finally:
            current.atomic -= 1

    @property
    def member(self) -> object:
        """The member of the caller's portfolio whose turn it is, ``None`` where it has none."""
        return getattr(self._strategy, "member", None)

    @property
    def tracker(self) -> Tracker | None:
        """What the caller's strategy has told of the next execution."""
        return tracker_of(self._strategy)

    def claim(self) -> str:
        """Return what the caller's strategy claims."""
        return claim_of(self._strategy)
