"""What an operation of a primitive does, and whether it would wait: the table behind `Tracker.primitive`.

Each primitive has a *level*, the part of its state that decides who has to wait: whether a lock is free, how many items
a queue holds. An operation that may wait has a *need* of the level. Without a time-out an operation that would wait is
no event until its need is met. With one, arriving is an event, which reads the clock and sets a timer; so is going on
after the wait. `Condition.wait` and `Barrier.wait` change the primitive on arrival, so arriving always is an event.

What is assumed of the standard library: it wakes no task whose need is met by nobody, waiters of a condition are
notified first come, first served, and any waiter may get a lock that was released.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from harness.sim.clock import Clock
from harness.sim.locations import CLOCK, READ, STARTS, WRITE, Locations, alive
from harness.sim.locks import Lock
from harness.sim.task import Task, running_task

__all__ = ["SETTLED", "Use", "use_of"]

Level = Any  # of a primitive; compared by nobody but its needs


class _Loop(Protocol):
    """What is asked of an event loop."""

    def has_work(self) -> bool:
        """Return whether its next round has something to run."""

    def next_deadline_s(self) -> float | None:
        """Return when its next timer is due, on the virtual clock."""

    def is_timed(self) -> bool:
        """Return whether it waits for a timer."""


_SimpleQueue: Any = queue._PySimpleQueue  # type: ignore[attr-defined]  # stands in for the one written in C
SETTLED = frozenset({"CANCELLED", "CANCELLED_AND_NOTIFIED", "FINISHED"})  # states of a future that has ended


@dataclass(frozen=True, slots=True)
class _Kind:
    """How one operation behaves: the access it makes, what it needs, and the positions of its arguments."""

    mode: int = WRITE
    need: Callable[[Level], object] | None = None
    blocking: int = -1  # position of the argument ``block`` or ``blocking``, -1 for none
    timeout: int = -1  # position of ``timeout``
    arrival: int = WRITE  # access of a timed operation that begins to wait


_CALM = _Kind()
_LOOK = _Kind(READ)
_TRUE = bool
_TABLE: dict[tuple[type, str], _Kind] = {
    (Lock, "acquire"): _Kind(need=_TRUE),
    (Lock, "try"): _Kind(need=_TRUE),
    (Lock, "timed"): _Kind(need=_TRUE, timeout=0, arrival=READ),
    (Lock, "locked"): _LOOK,
    (threading.Event, "is_set"): _LOOK,
    (threading.Event, "wait"): _Kind(READ, _TRUE, timeout=0, arrival=READ),
    (threading.Semaphore, "acquire"): _Kind(need=_TRUE, blocking=0, timeout=1),
    (threading.Semaphore, "enter"): _Kind(need=_TRUE),
    (queue.Queue, "put"): _Kind(need=lambda level: level[1], blocking=1, timeout=2),
    (queue.Queue, "get"): _Kind(need=lambda level: level[0], blocking=0, timeout=1),
    (queue.Queue, "join"): _Kind(READ, lambda level: level[2]),
    (queue.Queue, "qsize"): _LOOK,
    (queue.Queue, "empty"): _LOOK,
    (queue.Queue, "full"): _LOOK,
    (_SimpleQueue, "get"): _Kind(need=_TRUE, blocking=0, timeout=1),
    (_SimpleQueue, "get_nowait"): _Kind(need=_TRUE),
    (_SimpleQueue, "empty"): _LOOK,
    (_SimpleQueue, "qsize"): _LOOK,
    (futures.Future, "result"): _Kind(READ, _TRUE, timeout=0, arrival=READ),
    (futures.Future, "exception"): _Kind(READ, _TRUE, timeout=0, arrival=READ),
    (futures.Future, "cancelled"): _LOOK,
    (futures.Future, "running"): _LOOK,
    (futures.Future, "done"): _LOOK,
}
_NEVER_WAITS = frozenset({"try", "get_nowait"})
_ALWAYS_WAITS = frozenset({(threading.Condition, "wait"), (threading.Barrier, "wait")})


def _is_done(task: Task) -> bool:
    return task.is_done


def _never(level: Level) -> bool:  # noqa: ARG001 - the need of a sleep
    return False


def _held(primitive: queue.Queue[object]) -> int:
    """Return how many items a queue has; a subclass of the program's may count them, without scheduling points."""
    task = running_task()
    if task is None:
        return primitive._qsize()
    task.atomic += 1
    try:
        return primitive._qsize()
    finally:
        task.atomic -= 1


def _queue_level(primitive: queue.Queue[object]) -> tuple[bool, bool, bool]:
    """Return whether there is something to get, room to put, and nothing unfinished."""
    held, over = _held(primitive), getattr(primitive, "is_shutdown", False)
    return (
        bool(held or over),
        bool(over or primitive.maxsize <= 0 or held < primitive.maxsize),
        (not primitive.unfinished_tasks),
    )


_LEVELS: tuple[tuple[type, Callable[[Any], Level]], ...] = (
    (Lock, lambda lock: lock.owner is None),
    (queue.Queue, _queue_level),
    (_SimpleQueue, lambda primitive: len(primitive._queue)),
    (threading.Event, lambda event: event._flag),
    (threading.Semaphore, lambda semaphore: semaphore._value),
    (futures.Future, lambda future: future._state in SETTLED),
)
_FAMILIES: tuple[type, ...] = (Lock, queue.Queue, _SimpleQueue, threading.Event, threading.Semaphore, futures.Future)
_FAMILIES += (threading.Condition, threading.Barrier)


class Use:
    """One operation on one primitive, declared. Confined to one execution.

    Attributes:
        location: Number of the primitive's location.
        need: What it needs of the primitive's level to go through; ``None`` for nothing.
        delay_s: Time-out, in simulated seconds; ``None`` for none.
        may_block: Whether it waits, without being an event, while its need is not met.
        needs_at: Location of the primitive whose level that is.
        is_resumed: Whether it goes on after a wait.
        is_lock: Whether the primitive is a lock, which makes its waiters unable to go on while it is held.
        ends_timers: Whether it takes away the timer of who waits for the primitive, by waking it.
    """

    __slots__ = (
        *("_arrival", "_clock", "_level", "_mode"),
        *("also", "delay_s", "ends_timers", "is_lock", "is_resumed", "location", "may_block", "need", "needs_at"),
    )

    def __init__(
        self,
        location: int,
        mode: int = WRITE,
        *,
        arrival: int = WRITE,
        level: Callable[[], Level] | None = None,
        need: Callable[[Level], object] | None = None,
        may_block: bool = False,
        delay_s: float | None = None,
        also: Sequence[tuple[int, Callable[[], Level] | None]] = (),
        clock: Clock | None = None,
    ) -> None:
        self.location, self._mode, self._arrival, self._level, self.need = location, mode, arrival, level, need
        self.may_block, self.delay_s, self.also, self._clock = may_block, delay_s, also, clock
        self.is_lock = self.is_resumed = self.ends_timers = False
        self.needs_at = location

    def levels(self) -> dict[int, Level]:
        """Return the levels of the primitives it touches, by location."""
        found = {location: level() for location, level in self.also if level is not None}
        if self._level is not None:
            found[self.needs_at] = self._level()
        return found

    def is_met(self) -> bool:
        """Return whether it would go through now."""
        return self.need is None or bool(self.need(None if self._level is None else self._level()))

    def would_block(self) -> bool:
        """Return whether it would wait now, without being an event."""
        return self.may_block and not self.is_met()

    def accesses(self, *, is_met: bool | None = None) -> list[int]:
        """Return what it would do now, or were its need met or not."""
        is_met = self.is_met() if is_met is None else is_met
        mode = self._mode
        if not is_met and not self.may_block:
            mode = self._arrival if self.delay_s is not None else READ  # an attempt that fails only looks
        found = [self.location * 4 + mode, *(location * 4 + WRITE for location, _ in self.also)]
        if self.delay_s is not None and (self.is_resumed or self.need is None or not is_met):
            found.append(CLOCK * 4 + (READ if self.delay_s > 0 else WRITE))  # a wait of no length takes a moment
            if not self.is_resumed and self._clock is not None:
                found.append(_deadline(self._clock.now_s + self.delay_s) * 4 + WRITE)
        return found

    def resume(self) -> Use:
        """Return what goes on after the wait that it begins."""
        again = Use(self.location, self._mode, delay_s=self.delay_s, clock=self._clock, also=self.also)
        again.is_resumed, again._level = True, self._level
        if self.is_lock:  # others may take it again before this one goes on
            again.need, again._arrival, again.is_lock = self.need, READ, True
        if self.also:  # a condition: it takes its lock again
            again.may_block, again.need = True, bool
            again.needs_at, again._level = self.also[0]
        return again


class _Round(Use):
    """One round of an event loop: it takes what is ready and what its timers say, and waits where there is nothing."""

    __slots__ = ("_loop",)

    def __init__(self, location: int, loop: _Loop, *, begins: bool) -> None:
        need = bool if begins else None
        super().__init__(location, level=loop.has_work, need=need, may_block=begins and loop.next_deadline_s() is None)
        self._loop, self.is_resumed = loop, not begins

    def accesses(self, *, is_met: bool | None = None) -> list[int]:
        found, deadline_s = [self.location * 4 + WRITE], self._loop.next_deadline_s()
        if deadline_s is not None:
            found.append(CLOCK * 4 + READ)
            if not self.is_resumed and not (self.is_met() if is_met is None else is_met):
                found.append(_deadline(deadline_s) * 4 + WRITE)
        return found

    def resume(self) -> Use:
        return _Round(self.location, self._loop, begins=False)


class _Callback(Use):
    """A callback put into a loop's queue: it ends the loop's wait, with its timer."""

    __slots__ = ("_loop",)

    def __init__(self, location: int, loop: _Loop) -> None:
        super().__init__(location, level=loop.has_work)
        self._loop, self.ends_timers = loop, True

    def accesses(self, *, is_met: bool | None = None) -> list[int]:  # noqa: ARG002 - interface
        found = [self.location * 4 + WRITE]
        return [*found, CLOCK * 4 + READ] if self._loop.is_timed() else found


def use_of(
    locations: Locations,
    task: Task,
    primitive: object,
    name: str,
    args: Sequence[object],
    kwargs: Mapping[str, object],
) -> Use:
    """Return what an operation will do; see `Tracker.primitive`."""
    clock = task.scheduler.clock
    if isinstance(primitive, Clock):
        return Use(CLOCK, READ) if name == "read" else _sleep(clock, args)
    if isinstance(primitive, Task):
        location = alive(primitive.number)
        if name == "is_alive":
            return Use(location, READ)
        delay_s: float = args[0]  # type: ignore[assignment]  # join tells seconds
        done = partial(_is_done, primitive)
        return Use(location, READ, arrival=READ, level=done, need=bool, delay_s=delay_s, clock=clock)
    if isinstance(primitive, threading.Thread):
        return Use(STARTS, READ)
    if name == "call_soon":
        return _Callback(locations.number(primitive), primitive)  # type: ignore[arg-type]  # only loops have that
    if name == "round":
        return _Round(locations.number(primitive), primitive, begins=True)  # type: ignore[arg-type]  # as above
    family = next((family for family in _FAMILIES if isinstance(primitive, family)), type(primitive))
    kind = _LOOK if name == "look" else _TABLE.get((family, name), _CALM)
    always = (family, name) in _ALWAYS_WAITS
    delay = _argument(args, kwargs, 0 if always else kind.timeout, "timeout")
    blocking = _argument(args, kwargs, kind.blocking, "block", "blocking")
    waits = kind.need is not None and name not in _NEVER_WAITS and blocking is not False and blocking != 0
    is_timed = (waits or always) and isinstance(delay, (int, float))
    use = Use(
        locations.number(primitive),
        kind.mode,
        arrival=kind.arrival,
        level=_level_of(primitive),
        need=kind.need,
        may_block=waits and not is_timed,
        delay_s=float(delay) if is_timed else None,  # type: ignore[arg-type]  # a number, as just seen
        also=[(locations.number(other), _level_of(other)) for other in _others(primitive, family, name)],
        clock=clock,
    )
    use.is_lock = family is Lock
    return use


def _level_of(primitive: object) -> Callable[[], Level] | None:
    """Return what tells the level of a primitive, if it has one."""
    return next((partial(level, primitive) for of, level in _LEVELS if isinstance(primitive, of)), None)


def _sleep(clock: Clock, args: Sequence[object]) -> Use:
    seconds: float = args[0]  # type: ignore[assignment]  # sleep tells seconds
    return Use(CLOCK, READ, arrival=READ, need=_never, delay_s=seconds, clock=clock)


def _argument(args: Sequence[object], kwargs: Mapping[str, object], position: int, *names: str) -> object:
    if position < 0:
        return None
    if len(args) > position:
        return args[position]
    return next((kwargs[name] for name in names if name in kwargs), None)


def _others(primitive: Any, family: type, name: str) -> Sequence[object]:
    """Return further primitives that an operation touches, inside the one it belongs to."""
    if family is threading.Condition and name == "wait":
        return (primitive._lock,)
    if isinstance(primitive, futures.ThreadPoolExecutor):
        return primitive._work_queue, primitive._idle_semaphore
    return ()


def _deadline(moment_s: float) -> int:
    """Return the location of a moment: timers set for the same one fall due in the order they were set."""
    return STARTS - 1 - round(moment_s * 1e6)
