"""What every task of one execution will do next, as accesses: the shared part of trackers.

Source of the idea: partial-order reduction asks of a step only which others it conflicts with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.instrument import Site
from harness.sim.clock import Clock
from harness.sim.locations import CLOCK, NAMES, STARTS, WRITE, Locations, alive
from harness.sim.locks import Lock
from harness.sim.primitive_use import Use, use_of
from harness.sim.task import Task

__all__ = ["Footprints"]

_NOTHING: dict[str, object] = {}


class Footprints:
    """Keeps what was declared, for a tracker to build on. Confined to one execution.

    Attributes:
        locations: Numbers of what is touched.
        declared: Accesses to memory of each task's next step, by the task's number.
        uses: Operation of a primitive in each task's next step, by the task's number.
        going_on: The operation that a task is in, should it begin to wait.
    """

    __slots__ = ("_known", "declared", "families", "going_on", "locations", "uses")

    def __init__(self, types: dict[type, bool] | None = None) -> None:
        self.locations = Locations({} if types is None else types)
        self._known = self.locations.known
        self.declared: dict[int, list[int]] = {}
        self.uses: dict[int, Use] = {}
        self.going_on: dict[int, Use] = {}
        self.families: set[str] = set()  # of primitives used

    # Declarations, see Tracker

    def access(self, task: Task, obj: object, site: Site, key: object, operation: str) -> None:
        """Declare a read or write of memory."""
        found = self._known.get((id(obj), site.name, operation))
        if found is None:
            found = self.locations.accesses(obj, site, key, operation)
        number, declared = task.number, self.declared
        declared[number] = declared[number] + found if number in declared else found

    def primitive(
        self,
        task: Task,
        obj: object,
        name: str,
        args: Sequence[object] = (),
        kwargs: Mapping[str, object] | None = None,
    ) -> None:
        """Declare an operation of a primitive."""
        self.families.add(type(obj).__name__)
        self.uses[task.number] = use_of(self.locations, task, obj, name, args, kwargs or _NOTHING)

    def opaque(self, task: Task, function: object, reached: Sequence[object], site: Site) -> None:  # noqa: ARG002
        """Declare a call that may read and write whole objects."""
        name = function if isinstance(function, str) else getattr(function, "__qualname__", type(function).__qualname__)
        found = [code for obj in reached for code in self.locations.whole(obj, writes=True, call=name)]
        self.declared[task.number] = self.declared.get(task.number, []) + found

    def block(self, task: Task) -> None:
        """Declare that the task's next step goes on after a wait."""
        number = task.number
        if number not in self.uses:  # else the wait comes before the operation, which is still to be done
            going_on = self.going_on.get(number)
            if going_on is not None and _waits_in(task, going_on):
                self.uses[number] = going_on.resume()

    def wake(self, task: Task) -> None:
        """Note that a waiting task can go on."""

    def take_task_number(self, task: Task) -> None:
        """Note nothing: hardly any program asks for such a name."""

    def tell_task_name(self) -> None:
        """Note nothing."""

    # Questions

    def next_accesses(self, candidate: Task | Clock) -> list[int]:
        """Return what the next step of a candidate would do now."""
        if isinstance(candidate, Clock):
            return self.firing(candidate)
        number = candidate.number
        found = self.declared.get(number, [])
        use = self.uses.get(number)
        return found if use is None else found + use.accesses()

    def would_block(self, number: int) -> bool:
        """Return whether the next step of a task would only be to wait."""
        use = self.uses.get(number)
        return use is not None and use.would_block()

    def take(self, candidate: Task | Clock) -> tuple[list[int], Use | None]:
        """Return what a step that begins now does (a list not to be altered), and forget the declaration."""
        if isinstance(candidate, Clock):
            return self.firing(candidate), None
        number = candidate.number
        found = self.declared.pop(number, None) or []
        use = self.uses.pop(number, None)
        if use is None:
            self.going_on.pop(number, None)
            return found, None
        if use.is_resumed and use.is_lock and candidate.timed_out:
            use.need = None  # it goes on to say that it was too late
        self.going_on[number] = use
        return found + use.accesses(), use

    def firing(self, clock: Clock) -> list[int]:
        """Return what the clock does when it advances: the operation that set the timer ends, or goes on."""
        return self.firing_of(clock.timers[0].task)

    def firing_of(self, task: Task | None) -> list[int]:
        """Return what the clock does when the timer of a task falls due."""
        use = None if task is None else self.uses.get(task.number)
        codes = [CLOCK * 4 + WRITE]
        return codes if use is None or use.location == CLOCK else [*codes, use.location * 4 + WRITE]

    @staticmethod
    def started() -> int:
        """Return the access of a start: it takes the next number, by which identity and randomness go."""
        return STARTS * 4 + WRITE

    @staticmethod
    def named() -> int:
        """Return the access of taking the next number that threads are named by."""
        return NAMES * 4 + WRITE

    @staticmethod
    def ended(task: Task) -> int:
        """Return the access of a task's end."""
        return alive(task.number) * 4 + WRITE


def _waits_in(task: Task, use: Use) -> bool:
    """Return whether a task waits in an operation, rather than after it: in a sleep, or in a plain join."""
    if task.inside or isinstance(task.waits_for, Lock) or task.waits_for is task.loop:
        return True
    is_for_end = use.location < CLOCK and use.delay_s is not None  # a join with a time-out
    return is_for_end and not use.is_resumed and not use.is_met()
