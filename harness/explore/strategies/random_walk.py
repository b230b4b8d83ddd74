"""Random walk: at each choice every candidate is equally likely.

Sound: each reported failure is a real execution. Not complete: silence proves nothing, and schedules are far from
equally likely. On the 49 programs of SCTBench a random walk found only two bugs fewer than delay bounding.

Reference: Thomson, Donaldson, Betts: Concurrency testing using controlled schedulers, TOPC 2016.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import final

from harness.sim import Candidate, Task

__all__ = ["RandomWalk"]


@final
class RandomWalk:
    """Uniform choice from one seeded stream. Confined.

    Args:
        seed: Start of the stream; equal seeds make equal choices on any machine and Python version.
    """

    name = "random"

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._random = Random(seed).random  # noqa: S311 - schedules are no secrets

    def begin(self) -> bool:
        """Go on with the stream; there is always another execution to try."""
        return True

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:  # noqa: ARG002 - interface
        """Return any candidate."""
        if len(candidates) == 2:  # mostly so; the same candidate as below, for less
            return candidates[0] if self._random() < 0.5 else candidates[1]
        return candidates[int(self._random() * len(candidates))]
