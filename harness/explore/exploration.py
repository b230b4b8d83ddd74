"""The result of an exploration."""

from __future__ import annotations

from array import array
from collections.abc import Sized
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, final

from harness.explore.execution import Execution, preemptions
from harness.explore.failure import Failure
from harness.explore.races import Race
from harness.explore.verdict import Verdict
from harness.explore.views import display
from harness.sim import Outcome, OutcomeKind

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ExecutionLog", "Exploration"]

_KINDS: tuple[OutcomeKind | Literal["race"], ...] = (
    "ok",
    "error",
    "deadlock",
    "cut",
    "uncontrolled",
    "interrupted",
    "race",
)
_NUMBERS = {kind: number for number, kind in enumerate(_KINDS)}


@final
class ExecutionLog:
    """A few numbers about each execution, 26 bytes each. Confined while it grows."""

    def __init__(self) -> None:
        self.steps, self.choices, self.preemptions = array("q"), array("q"), array("q")
        self.kinds = bytearray()

    def add(self, outcome: Outcome) -> None:
        """Note one execution."""
        self.steps.append(outcome.steps)
        self.choices.append(len(outcome.choices))
        self.preemptions.append(outcome.preemptions)
        self.kinds.append(_NUMBERS[outcome.kind])

    def note_race(self) -> None:
        """Take the last execution, which ended well, for a failure because of a race in it."""
        self.kinds[-1] = _NUMBERS["race"]

    def __len__(self) -> int:
        return len(self.kinds)

    def frame(self) -> pd.DataFrame:
        """Return one row per execution; see `Exploration.frame`."""
        import pandas as pd

        columns = {"steps": self.steps, "choices": self.choices, "preemptions": self.preemptions}
        table = pd.DataFrame({name: list(column) for name, column in columns.items()}, dtype="int64")
        table.insert(0, "execution", range(len(self)))
        table["outcome"] = pd.Categorical([_KINDS[kind] for kind in self.kinds], categories=list(_KINDS))
        return table


@dataclass(frozen=True, slots=True)
class Exploration:
    """What an exploration found. Immutable.

    Attributes:
        program: Name of the program.
        verdict: What may be claimed.
        schedules: Executions begun.
        failures: Failing schedules found, in the order found; one unless the exploration went on.
        races: Pairs of accesses that nothing put in order, in the order found, each pair of lines once.
        limits: What withheld a stronger verdict, or kept something from being seen; in a fixed order.
        strategy: Name of the strategy.
        seed: Its seed.
        found_by: Name of the member of a portfolio that found the first failure, empty where there is none.
        claim: What the strategy says its silence is worth: the bound or the odds that apply; empty where none do.
        is_interrupted: Whether an interrupt ended it before its bounds did.
        log: Numbers about each execution.
    """

    program: str
    verdict: Verdict
    schedules: int
    failures: tuple[Failure, ...]
    races: tuple[Race, ...]
    limits: tuple[str, ...]
    strategy: str
    seed: int
    found_by: str
    claim: str
    is_interrupted: bool
    log: ExecutionLog = field(repr=False, compare=False)

    @property
    def failure(self) -> Failure | None:
        """The first failing schedule found, or ``None``."""
        return self.failures[0] if self.failures else None

    def frame(self) -> pd.DataFrame:
        """Return the executions as a table.

        Returns:
            One row per execution in the order run: ``execution`` int64 from 0; ``steps`` int64, scheduling points
            passed; ``choices`` int64, steps with more than one candidate; ``preemptions`` int64; ``outcome`` category
            of ok, error, deadlock, cut, uncontrolled, interrupted, race.
        """
        return self.log.frame()

    def summary(self) -> str:
        """Return one line, the same for equal seeds on any machine."""
        found_by = f" (found by {self.found_by})" if self.found_by else ""
        drawn = f"strategy {self.strategy}{found_by}, seed {self.seed}"
        failure = self.failure
        if failure is not None:
            return f"{self._headline(failure)}, {preemptions(failure.preemptions)}; {drawn}; token {failure.token}"
        schedules = _count(self.log, "schedule")
        if self.verdict is Verdict.UNCONTROLLED:
            return f"{self.program}: {self.verdict} after {schedules}, {self.limits[0]}; {drawn}"
        claim = f"; {self.claim}" if self.claim else ""
        limits = f"; {_count(self.limits, 'limit')}" if self.limits else ""
        limits += f"; {_count(self.races, 'race')}" if self.races else ""
        return f"{self.program}: {self.verdict}, no failure in {schedules}; {drawn}{claim}{limits}"

    def _headline(self, failure: Failure) -> str:
        return f"{self.program}: {self.verdict}, {_ending(failure)} at schedule {self._found_at()}"

    def _found_at(self) -> int:
        failed = [_NUMBERS[kind] for kind in ("error", "deadlock", "race")]
        return next(position for position, kind in enumerate(self.log.kinds, 1) if kind in failed)

    def __str__(self) -> str:
        lines = [self.summary(), *(f"limit: {limit}" for limit in self.limits)]
        if self.failure is None or self.failure.kind == "race":
            lines.extend(race.summary() for race in self.races)
        output = str(self.failure.execution.output) if self.failure is not None else ""
        return "\n".join([*lines, output] if output else lines)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, object]:  # noqa: ARG002
        if self.failure is None:
            return {"text/plain": str(self)}
        headline = self._headline(self.failure)
        return display("timeline", _Picture(self.failure.execution, headline, self.failure.token), str(self))


@dataclass(frozen=True, slots=True)
class _Picture:
    """What stands for an exploration in a picture: its first failure, under its verdict."""

    execution: Execution
    headline: str
    token: str


def _count(things: Sized, noun: str) -> str:
    return f"{len(things)} {noun}{'s' * (len(things) != 1)}"


def _ending(failure: Failure) -> str:
    return type(failure.error).__name__ if failure.kind not in ("deadlock", "race") else failure.kind
