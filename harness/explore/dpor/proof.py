"""What a proof rests on: the traces seen, the locations shared, the assumptions used, and what withholds it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from types import MethodDescriptorType
from typing import Any

from harness.explore.dpor.stack import Event
from harness.sim import ANYTHING, KEPT, Footprints, kind_of

__all__ = ["Proof"]


@dataclass(slots=True)
class Proof:
    """What a search has seen so far. Confined while it grows.

    Attributes:
        traces: Traces explored.
        is_complete: Whether nothing is left to explore.
        has_late_daemon: Whether the step that ended a program had just started a daemon.
        has_too_long: Whether an execution had more events than are followed.
        has_diverged: Whether an execution did not repeat the beginning it shared with another.
        shared: Names of the locations that two tasks were in conflict on, in the order met.
        opaque: Calls of unknown effect on objects that two tasks touched.
        kept: Calls of modules that are not instrumented, beside others, that may touch what those keep.
        unbounded: Calls that may touch what cannot be told.
        foreign: Objects of asyncio that two tasks touched, or one that does not run their loop.
        undeclared: Names of tasks that made a step without saying what it does.
        families: Names of the primitives used.
    """

    traces: int = 0
    is_complete: bool = False
    has_late_daemon: bool = False
    has_too_long: bool = False
    has_diverged: bool = False
    shared: dict[str, None] = field(default_factory=dict)
    opaque: dict[str, None] = field(default_factory=dict)
    kept: dict[str, None] = field(default_factory=dict)
    unbounded: dict[str, None] = field(default_factory=dict)
    foreign: dict[str, None] = field(default_factory=dict)
    undeclared: dict[str, None] = field(default_factory=dict)
    families: set[str] = field(default_factory=set)
    _seen: set[tuple[object, object]] = field(default_factory=set)  # types, or classes, and keys of what was shared

    def see(self, footprints: Footprints, events: Sequence[Event], met: Iterable[int]) -> None:
        """Take note of an execution."""
        self.traces += 1
        self.families |= footprints.families
        names = footprints.locations.names
        for location in met:
            if location > 0:
                obj, key = names[location]
                what = obj if isinstance(obj, type) else kind_of(obj)
                if (what, key) not in self._seen:
                    self._seen.add((what, key))
                    self.shared.setdefault(_name(obj, key))
        for location, call in footprints.locations.opaque.items():
            if names[location][0] is ANYTHING:
                self.unbounded[call] = None
            elif call not in self.opaque and len(_touching(location, events)) > 1:
                (self.kept if names[location][0] is KEPT else self.opaque)[call] = None
        if "EventLoop" in footprints.families:
            self.foreign.update(dict.fromkeys(_away_from_their_loop(names, events)))

    def limits(self) -> list[str]:
        """Return what withholds a proof, apart from what the world itself cannot see."""
        found = [f"{call} may do anything" for call in self.unbounded]
        found += [f"{call} may do anything to an object that two tasks touch" for call in self.opaque]
        found += [
            f"{call} may share what its module keeps with calls of other tasks; instrument it" for call in self.kept
        ]
        found += [
            f"asyncio's {kind} is used beside the thread of its loop, where nobody follows" for kind in self.foreign
        ]
        found += [
            f"task {name!r} passed a scheduling point that tells nothing of what it does" for name in self.undeclared
        ]
        if self.has_late_daemon:
            found.append("a daemon thread was started in the last step of the program, which ended before it could run")
        if self.has_too_long:
            found.append("an execution had more steps than the reduction follows; what comes later is left as it came")
        if self.has_diverged:
            found.append(
                "an execution did not repeat the beginning of another one; "
                "the program reads a clock, randomness or state that is not controlled"
            )
        return found

    def assumptions(self) -> list[str]:
        """Return what the proof assumes, only what was used."""
        version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
        found = ["sequential consistency", f"this source on {version}"]
        if "Condition" in self.families:
            found.append("conditions notify first come, first served")
        if "EventLoop" in self.families:
            found.append("event loops run what is ready first come, first served")
        if self.families & {"Lock", "RLock", "Condition"}:
            found.append("any waiter may get a released lock")
        return found

    def summary(self) -> str:
        """Return what was proved, in words."""
        traces = "one trace only: nothing was left to choose" if self.traces == 1 else f"{self.traces} traces"
        if not self.shared:
            return f"{traces}, no shared location was met: nothing of it was seen to be shared"
        names = list(self.shared)
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        locations = "1 shared location" if len(names) == 1 else f"{len(names)} shared locations"
        return f"{traces}, {locations} ({shown})"


_SHOWN = 5


def _touching(location: int, events: Sequence[Event]) -> set[int]:
    return {event.task for event in events if any(access >> 2 == location for access in event.accesses)}


def _away_from_their_loop(names: Sequence[tuple[object, object]], events: Sequence[Event]) -> list[str]:
    """Return the types of asyncio's objects that are touched elsewhere than in the thread that runs their loop.

    What asyncio does with them there is not declared: it comes between two steps of that thread.
    """
    kept = {location: obj for location, (obj, key) in enumerate(names) if _is_for_one_loop(obj, key)}
    users: dict[int, set[int]] = {}
    for event in events if kept else ():
        for access in event.accesses:
            if access >> 2 in kept:
                obj = kept[access >> 2]
                users.setdefault(id(obj), {_runner(obj)} - {0}).add(event.task)
    return [type(obj).__name__ for obj in kept.values() if len(users.get(id(obj), ())) > 1]


def _is_for_one_loop(obj: object, key: object) -> bool:
    kind = type(obj)
    if hasattr(kind, "call_soon_threadsafe"):
        return isinstance(key, str) and key not in _FOR_ALL
    is_asyncio = kind.__module__.partition(".")[0] == "asyncio"
    # To get a method of a future is no use of it yet; calling it is declared.
    return is_asyncio and not (isinstance(key, str) and isinstance(getattr(kind, key, None), MethodDescriptorType))


def _runner(obj: Any) -> int:
    """Return the number of the task that runs the loop an object belongs to, 0 if it is not known."""
    loop = obj.get_loop() if hasattr(obj, "get_loop") else getattr(obj, "_loop", obj)
    return getattr(loop, "runner", 0)


_FOR_ALL = frozenset({"call_soon_threadsafe", "run_in_executor"})  # what any thread may ask of a loop


def _name(obj: object, key: object) -> str:
    if obj is None:
        return str(key)
    kind = kind_of(obj)
    shown = obj.__qualname__ if isinstance(obj, type) else kind.__name__
    if not isinstance(key, (str, int, float, bytes, tuple)):
        return shown
    return f"{shown}.{key}" if isinstance(key, str) and not issubclass(kind, (dict, set)) else f"{shown}[{key!r}]"
