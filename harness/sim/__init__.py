"""The controlled world: tasks, locks and clock of a program under test, all scheduled by us.

A `World` holds everything that is replaced for an exploration and runs executions; each is a `Scheduler` with its
`Task`s (greenlets), a virtual `Clock` and shadows of the real locks (`locks`). `hooks` connects rewritten code to it,
`patches` the functions of the standard library, `escapes` names the ways out. `isolation` puts state back between
executions, `capture` keeps what the program prints.
`loops` and `network` put asyncio above all that. `SimulatedExecutor` stands in for a provider.
"""

from __future__ import annotations

from harness.sim.capture import Output
from harness.sim.clock import CLOCK_NUMBER, Clock
from harness.sim.deadlock import why_not_runnable
from harness.sim.draw import Option, choose
from harness.sim.engine import ENGINES, EngineName
from harness.sim.errors import (
    DeadlockError,
    DrawError,
    ExceptionNotRetrievedError,
    FaultError,
    SimError,
    TaskDestroyedError,
    WorldInUseError,
)
from harness.sim.event import NO_KEY, Event, EventKind, LoopMade, call_stack, is_library, short_value
from harness.sim.executor import ExecutorCall, RateLimitError, SimulatedExecutor
from harness.sim.faults import NO_FAULT, Call, Delay, Fault, fault_point
from harness.sim.footprints import Footprints
from harness.sim.gil import GilWatch, execute_under_gil
from harness.sim.isolation import Isolation
from harness.sim.living import Living, kind_of
from harness.sim.locations import READ, WRITE, Locations, are_in_conflict
from harness.sim.locks import Lock
from harness.sim.network import shape_network
from harness.sim.numbering import Numbering
from harness.sim.place import shown_file
from harness.sim.primitive_use import Use
from harness.sim.reach import ANYTHING, KEPT
from harness.sim.scheduler import Candidate, Choose, OutcomeKind
from harness.sim.task import Task
from harness.sim.tracker import Tracker
from harness.sim.watch import Watch
from harness.sim.world import Outcome, World

__all__ = [
    "ANYTHING",
    "CLOCK_NUMBER",
    "ENGINES",
    "KEPT",
    "NO_FAULT",
    "NO_KEY",
    "READ",
    "WRITE",
    "Call",
    "Candidate",
    "Choose",
    "Clock",
    "DeadlockError",
    "Delay",
    "DrawError",
    "EngineName",
    "Event",
    "EventKind",
    "ExceptionNotRetrievedError",
    "ExecutorCall",
    "Fault",
    "FaultError",
    "Footprints",
    "GilWatch",
    "Isolation",
    "Living",
    "Locations",
    "Lock",
    "LoopMade",
    "Numbering",
    "Option",
    "Outcome",
    "OutcomeKind",
    "Output",
    "RateLimitError",
    "SimError",
    "SimulatedExecutor",
    "Task",
    "TaskDestroyedError",
    "Tracker",
    "Use",
    "Watch",
    "World",
    "WorldInUseError",
    "are_in_conflict",
    "call_stack",
    "choose",
    "execute_under_gil",
    "fault_point",
    "is_library",
    "kind_of",
    "shape_network",
    "short_value",
    "shown_file",
    "why_not_runnable",
]
