"""An estimate of how many traces a program has, from those that a sample of its executions met.

A trace is told by the order of its conflicting steps. Of the traces met in a sample, those met once and those met
twice tell how many were not met at all: Chao's estimator, in its bias-corrected form ``met + once (once - 1) / (2
(twice + 1))``. It is a lower bound in expectation, whatever the odds of the traces, and close where the sample covers
most of them.

Reference: Chao: Nonparametric estimation of the number of classes in a population, Scand. J. Statist. 1984. Conflicts
are taken coarsely (see `pending`), which counts some traces twice.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import chain
from typing import final

from harness.explore.strategies.pending import Pending
from harness.sim import Clock, Numbering, Task

__all__ = ["TraceEstimate"]

_Step = tuple[int, int]  # number of the task, position among its own steps
_Touches = list[tuple[_Step, object]]  # steps, and the key that each touches


@final
class TraceEstimate(Pending):
    """Follows executions and counts their traces. Confined; `forget` ends one and begins the next.

    Attributes:
        sampled: Executions followed.
        longest: Most steps of one of them.
    """

    def __init__(self) -> None:
        super().__init__(Numbering())
        self.sampled = self.longest = 0
        self._met: Counter[int] = Counter()  # by fingerprint
        self._begin()

    def _begin(self) -> None:
        self._made: Counter[int] = Counter()  # steps by task
        self._reads: defaultdict[object, _Touches] = defaultdict(list)  # by what is touched, since its last write
        self._writes: defaultdict[object, _Touches] = defaultdict(list)
        self._fingerprint = 0

    def forget(self) -> None:
        """End an execution, if there was one: count its trace."""
        super().forget()
        if self._made:
            self._met[self._fingerprint] += 1
            self.sampled += 1
            self.longest = max(self.longest, self._made.total())
        self._begin()

    def step(self, candidate: Task | Clock) -> None:
        """See `Tracker.step`: put the step after those it conflicts with."""
        super().step(candidate)
        number = candidate.number
        self._made[number] += 1
        step = number, self._made[number]
        self._fingerprint += hash(step)
        for touch in self._last:
            reads, writes = self._reads[touch.where], self._writes[touch.where]
            for earlier, key in chain(writes, reads if touch.writes else ()):
                if key is None or touch.key is None or key == touch.key:
                    self._fingerprint += hash((earlier, step))
            if touch.writes:  # what comes later is ordered after the earlier ones by this one
                for touches in (reads, writes):
                    touches[:] = [each for each in touches if touch.key is not None and each[1] != touch.key]
            (writes if touch.writes else reads).append((step, touch.key))

    @property
    def traces(self) -> int:
        """The estimate, rounded."""
        often = Counter(self._met.values())
        once, twice = often[1], often[2]
        return round(len(self._met) + once * (once - 1) / (2 * (twice + 1)))

    @property
    def coverage(self) -> float:
        """Good and Turing's estimate of the probability that a further execution meets a trace met before."""
        once = sum(times == 1 for times in self._met.values())
        return 1.0 - once / self.sampled if self.sampled else 0.0

    def claim(self) -> str:
        """Return the estimate in words."""
        if not self.sampled:
            return ""
        traces = f"{self.traces:,} trace{'s' * (self.traces != 1)}"
        return f"at least about {traces} (Chao's estimator, {self.sampled} random executions)"
