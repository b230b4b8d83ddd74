"""Optimal dynamic partial-order reduction: every trace of a program once, and a proof when all are done.

`Dpor` is the strategy and the tracker of its executions; the executions share one `Stack` of `Event`s, which finds the
races (`stack`), and keeps with every event the tasks that sleep there and the tree of what is still to be tried
(`wakeup_tree`); `Plans` turns races into such trees. `Proof` says what an exhausted search rests on.
"""

from __future__ import annotations

from harness.explore.dpor.proof import Proof
from harness.explore.dpor.strategy import Dpor

__all__ = ["Dpor", "Proof"]
