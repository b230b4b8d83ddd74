"""The interface of strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from harness.sim import Candidate, Task

__all__ = ["Strategy"]


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
