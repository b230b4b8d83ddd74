"""A portfolio: a random walk, PCT and POS in turn, and a proof where the program is small.

Different failures are likely under different strategies, and none is best for all. So the executions are shared among
the three. From time to time those of the random walk give an estimate of how many traces the program has. Where twice
as many fit into what is left of the budget, the rest is DPOR's, which ends with every trace seen.

Sound: each reported failure is a real execution. Complete only where DPOR came to its end.

Reference: portfolios of schedulers are of Coyote (Deligiannis et al., TACAS 2023), the estimate is of `trace_estimate`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import final

from harness.explore.strategies.pct import Pct
from harness.explore.strategies.pos import Pos
from harness.explore.strategies.random_walk import RandomWalk
from harness.explore.strategies.strategy import Strategy, claim_of, is_exhausted, tell, tracker_of, withheld_by
from harness.explore.strategies.trace_estimate import TraceEstimate
from harness.sim import Candidate, Outcome, Task, Tracker

__all__ = ["CHECKS", "Auto"]

CHECKS = (90, 180, 360, 720)  # after so many executions the estimate is looked at
_MARGIN = 2  # the estimate is a lower bound
_COVERED = 0.2  # least share of what is likely to come that the sample has met, for the estimate to mean anything


@final
class Auto:
    """The portfolio. Confined.

    Args:
        seed: Start of the streams of all members.
        budget: Executions that the exploration will run.
        prover: Makes the exhaustive member, ``None`` for none.

    Attributes:
        member: The strategy that makes the choices of the current execution.
        estimate: What the random walk says of the number of traces.
    """

    name = "auto"

    def __init__(self, seed: int = 0, *, budget: int = 1_000, prover: Callable[[int], Strategy] | None = None) -> None:
        self._seed, self._budget, self._make_prover = seed, budget, prover
        self._samplers: Sequence[Strategy] = (RandomWalk(seed), Pct(seed), Pos(seed))
        self._prover: Strategy | None = None
        self._begun = 0
        self.member: Strategy = self._samplers[0]
        self.estimate = TraceEstimate()

    def begin(self) -> bool:
        """Turn to the next member; ``False`` when DPOR has seen every trace."""
        self.estimate.forget()
        if self._begun in CHECKS and self._prover is None and self._make_prover is not None and self._is_small():
            self._prover = self._make_prover(self._seed)
        self._begun += 1
        self.member = self._prover or self._samplers[(self._begun - 1) % len(self._samplers)]
        return self.member.begin()

    def _is_small(self) -> bool:
        is_reliable = self.estimate.coverage >= _COVERED
        return is_reliable and self.estimate.traces * _MARGIN <= self._budget - self._begun

    @property
    def tracker(self) -> Tracker | None:
        """What is told of the next execution: its member, or the estimate where a random walk comes."""
        if self.member is self._samplers[0]:
            return self.estimate if self._begun <= CHECKS[-1] else None
        return tracker_of(self.member)

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the choice of the member whose turn it is."""
        return self.member.choose(candidates, current)

    def after(self, outcome: Outcome) -> None:
        """Let the member learn from the execution that ended."""
        tell(self.member, outcome)

    @property
    def is_exhausted(self) -> bool:
        """Whether DPOR has seen every trace."""
        return is_exhausted(self._prover)

    def withheld(self) -> Sequence[str]:
        """Return what keeps DPOR from a proof; nothing where it had no turn."""
        return withheld_by(self._prover)

    def claim(self) -> str:
        """Return what the members claim, and the estimate."""
        if self.is_exhausted:
            return claim_of(self._prover)
        self.estimate.forget()
        members = [member for member in (*self._samplers, self._prover) if member is not None]
        claims = [f"{member.name}: {claim}" for member in members if (claim := claim_of(member))]
        return "; ".join(filter(None, [self.estimate.claim(), *claims]))
