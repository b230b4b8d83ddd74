"""A portfolio: a random walk, PCT and POS in turn, and a proof where the program is small.

Different failures are likely under different strategies, and none is best for all. So the executions are shared among
the three. From time to time those of the random walk give an estimate of how many traces the program has. Where twice
as many fit into what is left of the budget, DPOR has its turn, which ends with every trace seen. If it needs more, the
estimate was too low, and from there it has two executions of three: it goes through a large program corner by corner,
so the others look at the rest. It has none where something withholds the proof anyway.

Sound: each reported failure is a real execution. Complete only where DPOR came to its end.

Reference: portfolios of schedulers are of Coyote (Deligiannis et al., TACAS 2023), the estimate is of `trace_estimate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from typing import final

from harness.explore.dpor import Dpor
from harness.explore.strategies.pct import Pct
from harness.explore.strategies.pos import Pos
from harness.explore.strategies.random_walk import RandomWalk
from harness.explore.strategies.strategy import Strategy, claim_of, is_exhausted, tell, tracker_of, withheld_by
from harness.explore.strategies.trace_estimate import TraceEstimate
from harness.sim import Candidate, Outcome, Task, Tracker

__all__ = ["CHECKS", "Auto"]

CHECKS = (30, 90, 180, 360, 720)  # after so many executions the estimate is looked at
_MARGIN = 2  # the estimate is a lower bound
_COVERED = 0.2  # least share of what is likely to come that the sample has met, for the estimate to mean anything
_LONG = 10_000  # steps of an execution that a proof is not tried for: its cost grows with their square
_VOID = 0.9  # odds of missing a failure that are not worth telling


@final
class Auto:
    """The portfolio. Confined.

    Args:
        seed: Start of the streams of all members.
        budget: Executions that the exploration will run.
        is_told: Whether it may be told of the steps of executions. Without, there is no POS, no estimate and no proof.

    Attributes:
        member: The strategy that makes the choices of the current execution.
        estimate: What the random walk says of the number of traces.
    """

    name = "auto"

    def __init__(
        self,
        seed: int = 0,
        *,
        budget: int = 1_000,
        is_told: bool = True,
    ) -> None:
        self.seed, self._budget, self._is_told = seed, budget, is_told
        self._walk, self._pct = RandomWalk(seed), Pct(seed)
        blind: list[Strategy] = [self._walk, self._pct]
        self._turns = cycle([*blind, Pos(seed)] if is_told else blind)
        self._prover: Dpor | None = None
        self._has_ended = False  # the prover
        self._due = 0  # executions after which the prover should have come to its end
        self._begun = 0
        self.member: Strategy = self._walk
        self.estimate = TraceEstimate()

    def begin(self) -> bool:
        """Turn to the next member; ``False`` when DPOR has seen every trace."""
        self.estimate.forget()
        if self._begun in CHECKS and self._prover is None and self._is_told and self._is_small():
            self._prover = Dpor()
            self._due = self._begun + self.estimate.traces * _MARGIN
        self._begun += 1
        if self._prover is None or not self._is_provers_turn():
            return self._sample()
        self.member = self._prover
        self._has_ended = not self._prover.begin()
        return not self._has_ended

    def go_on(self) -> bool:
        """Begin another execution where DPOR has seen every trace that it can tell, and that is no proof."""
        return self._sample()

    def _sample(self) -> bool:
        self.member = next(self._turns)
        return self.member.begin()

    def _is_small(self) -> bool:
        is_reliable = self.estimate.coverage >= _COVERED and self.estimate.longest <= _LONG
        return is_reliable and self.estimate.traces * _MARGIN <= self._budget - self._begun

    def _is_provers_turn(self) -> bool:
        if self._has_ended or self._begun <= self._due:
            return not self._has_ended
        return self._begun % 3 != 0 and not withheld_by(self._prover)

    @property
    def tracker(self) -> Tracker | None:
        """What is told of the next execution: its member, or the estimate where a random walk comes."""
        if self.member is not self._walk:
            return tracker_of(self.member)
        is_wanted = self._is_told and self._prover is None and self._begun <= CHECKS[-1]
        return self.estimate if is_wanted else None

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
        """Return what was proved; or how far the proof came, and the odds of PCT where they say something."""
        if self.is_exhausted:
            return claim_of(self._prover)
        return "; ".join(filter(None, [self._proof(), self._odds()]))

    def _proof(self) -> str:
        if self._prover is not None:
            done = f"proof {'given up' if withheld_by(self._prover) else 'unfinished'}: {claim_of(self._prover)}"
            is_more = self.estimate.traces > self._prover.proof.traces
            return f"{done}, of {self.estimate.claim()}" if is_more else done
        self.estimate.forget()
        return f"no proof tried, {self.estimate.claim()}" if self._begun > CHECKS[0] and self.estimate.sampled else ""

    def _odds(self) -> str:
        missed = self._pct.missed
        if not 0.0 < missed <= _VOID:
            return ""
        return f"pct misses a failure of depth {self._pct.depth} with p <= {missed:.1e}{self._pct.condition}"
