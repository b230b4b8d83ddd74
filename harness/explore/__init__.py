"""Exploration of a program's interleavings.

`explore` runs a program in a `World` under the choices of a strategy (`strategies`) and gives an `Exploration`; a
failing execution is run once more with its events recorded and becomes a `Failure` with a `Schedule` and a token
(`token`). `replay` follows a token; `stress` runs the program on real threads, for comparison.
`check_linearizable` asks of a history that a program recorded whether one task alone could have got the same.
"""

from __future__ import annotations

from harness.explore.cross_loop import CrossLoop
from harness.explore.errors import ExploreError, InvalidArgumentError, InvalidTokenError, ReplayDivergenceError
from harness.explore.execution import Execution
from harness.explore.exploration import Exploration
from harness.explore.explorer import explore
from harness.explore.failure import Failure, FailureKind
from harness.explore.linearizability import (
    History,
    NotLinearizableError,
    Operation,
    check_linearizable,
    find_linearization,
    orders,
)
from harness.explore.races import Access, Race, RaceError
from harness.explore.replaying import replay
from harness.explore.schedule import Schedule
from harness.explore.strategies import (
    STRATEGIES,
    Auto,
    DelayBounded,
    Pct,
    Pos,
    PreemptionBounded,
    RandomWalk,
    Strategy,
    Surw,
)
from harness.explore.stress import StressReport, stress
from harness.explore.token import Token
from harness.explore.verdict import Verdict

__all__ = [
    "STRATEGIES",
    "Access",
    "Auto",
    "CrossLoop",
    "DelayBounded",
    "Execution",
    "Exploration",
    "ExploreError",
    "Failure",
    "FailureKind",
    "History",
    "InvalidArgumentError",
    "InvalidTokenError",
    "NotLinearizableError",
    "Operation",
    "Pct",
    "Pos",
    "PreemptionBounded",
    "Race",
    "RaceError",
    "RandomWalk",
    "ReplayDivergenceError",
    "Schedule",
    "Strategy",
    "StressReport",
    "Surw",
    "Token",
    "Verdict",
    "check_linearizable",
    "explore",
    "find_linearization",
    "orders",
    "replay",
    "stress",
]
