"""The interface of strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, final

from harness.sim import Candidate, Task

__all__ = ["Aside", "Strategy"]


class Strategy(Protocol):
    """Makes the choices of an exploration, execution after execution. Confined; used up by one exploration."""

    name: str

    def begin(self) -> bool:
        """Get ready for the next execution; return ``False`` when there is nothing left to try."""

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return one of the candidates: runnable tasks in order of their numbers, then the clock if a timer is set.

        ``current`` is the task that reached the scheduling point, ``None`` when it has ended; where it is not among the
        candidates it is blocked.
        """


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
