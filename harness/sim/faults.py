"""Faults: what may go wrong with a call that leaves the program, decided by the schedule.

Before each such call the world asks every fault whether it may strike, and draws among nothing and those that may. The
draw is a choice of the schedule: random strategies strike now and then, exhaustive ones try every place, a token
strikes again where it did. A simulated executor's ``complete`` is such a call; code of one's own becomes one by
`fault_point`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol, final, runtime_checkable

from harness.sim.errors import FaultError
from harness.sim.task import current_task

__all__ = ["NO_FAULT", "Call", "Delay", "Fault", "Faults", "fault_point"]

NO_FAULT = "no fault"  # what is drawn where none strikes


@final
@dataclass(frozen=True, slots=True)
class Call:
    """A call that a fault is asked about. Immutable.

    Attributes:
        name: What is called, such as ``mail.complete``.
        task: Name of the task that calls.
        strikes: How often the fault that is asked has struck in this execution.
    """

    name: str
    task: str
    strikes: int


@runtime_checkable
class Fault(Protocol):
    """One thing that may go wrong. Immutable: what it must remember it finds in the `Call`."""

    @property
    def name(self) -> str:
        """What reports call it."""

    def may_strike(self, call: Call) -> bool:
        """Return whether it is worth trying on a call; must depend on the call alone."""

    def strike(self, call: Call) -> None:
        """Do it, before the call: wait, raise what the call would raise, change the surroundings."""


@final
@dataclass(frozen=True, slots=True)
class Delay:
    """A call takes longer, on the virtual clock: time for time-outs and for other tasks. Immutable.

    Args:
        seconds: How much longer, simulated seconds; above 0.
        calls: Pattern of the names of calls, as in file names.
        at_most: Strikes in one execution, at least 1.

    Raises:
        FaultError: a value is out of range.

    Example:
        >>> harness.explore(program, faults=[Delay(30.0, calls="mail.*")])
    """

    seconds: float
    calls: str = "*"
    at_most: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.seconds, (int, float)) or not math.isfinite(self.seconds):
            raise FaultError(f"seconds={self.seconds!r} is no length of time; pass simulated seconds")
        if self.seconds <= 0:
            raise FaultError(f"seconds={self.seconds} is not above 0; pass simulated seconds")
        if not isinstance(self.calls, str):
            raise FaultError(f"calls={self.calls!r} is no pattern of names; pass one such as 'mail.*'")
        if not isinstance(self.at_most, int):
            raise FaultError(f"at_most={self.at_most!r} is no whole number; pass how often it may strike")
        if self.at_most < 1:
            raise FaultError(f"at_most={self.at_most} is below 1; pass how often it may strike in one execution")

    @property
    def name(self) -> str:
        """The delay in words."""
        return f"delay of {self.seconds:g} s"

    def may_strike(self, call: Call) -> bool:
        """Return whether the pattern fits and it has struck less often than it may."""
        return call.strikes < self.at_most and fnmatchcase(call.name, self.calls)

    def strike(self, call: Call) -> None:  # noqa: ARG002 - interface
        """Wait."""
        time.sleep(self.seconds)


@final
class Faults:
    """The faults of one execution. Confined."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self._faults = faults
        self._strikes: dict[int, int] = {}  # by position

    def meet(self, name: str) -> None:
        """Let a fault strike before a call, if the schedule wants one."""
        task = current_task()
        if task is None or not self._faults:
            return
        calls = [Call(name, task.name, self._strikes.get(position, 0)) for position in range(len(self._faults))]
        task.atomic += 1  # a fault of the program's own module is asked without scheduling points
        try:
            able = [at for at, fault in enumerate(self._faults) if fault.may_strike(calls[at])]
        finally:
            task.atomic -= 1
        if not able:
            return
        options = [NO_FAULT, *(f"{self._faults[at].name} in {name}" for at in able)]
        drawn = task.scheduler.draw(task, options)
        if drawn:
            position = able[drawn - 1]
            self._strikes[position] = calls[position].strikes + 1
            self._faults[position].strike(calls[position])


def fault_point(name: str) -> None:
    """Let the faults of the exploration strike before a call of this name; outside an exploration, nothing happens.

    Raises:
        Exception: whatever a fault raises in place of the call.
    """
    task = current_task()
    if task is not None:
        task.scheduler.faults.meet(name)
