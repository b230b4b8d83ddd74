"""The virtual clock: simulated seconds that pass only when the scheduler lets a timer fall due.

A due timer is one more thing that could go on, so the clock is a candidate beside the runnable tasks: it may advance to
the next deadline at any scheduling point (tasks may be slow), and deadlines fall due in order.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from types import BuiltinMethodType
from typing import final

from harness.sim.task import Task, current_task, refuse_to_wait

__all__ = ["CLOCK_NUMBER", "DATE_READINGS", "Clock", "Timer", "clock_replacements", "date_reading"]

CLOCK_NUMBER = 0  # the clock's number among the candidates; tasks count from 1
DATE_READINGS = frozenset({"now", "today", "utcnow"})
_LATE_S = 1e-6  # simulated seconds after its deadline that a wait for something which did not come is over
_EPOCH_S = 1_767_225_600.0  # 2026-01-01T00:00:00Z, where each world's wall clock starts


@dataclass(order=True, slots=True)
class Timer:
    """A deadline in simulated seconds, mostly of a blocked task; equal ones fall due in the order they were set."""

    deadline_s: float
    order: int
    task: Task | None = field(compare=False)  # the task that waits; none for what is under way in the network
    fire: Callable[[], None] = field(compare=False)


@final
class Clock:
    """Simulated time of one execution. Confined."""

    number = CLOCK_NUMBER
    name = "clock"

    def __init__(self) -> None:
        self.now_s = 0.0
        self.timers: list[Timer] = []  # sorted; those with a task belong to one that is blocked
        self._set = 0

    def start(self, task: Task | None, delay_s: float, fire: Callable[[], None]) -> Timer:
        """Set a timer."""
        self._set += 1
        timer = Timer(self.now_s + delay_s, self._set, task, fire)
        insort(self.timers, timer)
        return timer

    def cancel(self, timer: Timer) -> None:
        """Forget a timer that has not fallen due; without effect on one that has."""
        if timer in self.timers:
            self.timers.remove(timer)

    def advance(self) -> None:
        """Go to the next deadline and let it fall due."""
        timer = self.timers.pop(0)
        self.now_s = max(self.now_s, timer.deadline_s)
        if timer.task is not None:
            timer.task.timed_out = True
        timer.fire()

    def run_late(self) -> None:
        """Let a moment pass after a deadline; called by what falls due.

        Loops that wait for the rest of a time-out until less than nothing is left, as ``futures.as_completed`` does,
        would go round for ever on a clock that stands at the deadline exactly.
        """
        self.now_s += _LATE_S


def _sleep(seconds: float) -> None:
    task = current_task()
    if task is None:
        refuse_to_wait()
        return _real_sleep(seconds)
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    return task.scheduler.sleep(task, seconds)


_real_sleep = time.sleep


def _read(task: Task) -> float:
    """Return the time after a scheduling point: the clock may advance before it is read."""
    scheduler = task.scheduler
    if scheduler.tracker is not None and not task.inside:
        scheduler.tracker.primitive(task, scheduler.clock, "read")
    scheduler.point(task)
    return scheduler.clock.now_s


def _clock_function(real: Callable[[], float], epoch_s: float) -> Callable[[], float]:
    def read() -> float:
        task = current_task()
        return real() if task is None else epoch_s + _read(task)

    return read


def _clock_function_ns(real: Callable[[], int], epoch_s: float) -> Callable[[], int]:
    def read() -> int:
        task = current_task()
        return real() if task is None else round((epoch_s + _read(task)) * 1e9)

    return read


def date_reading(function: BuiltinMethodType) -> Callable[..., object]:
    """Return ``now``, ``utcnow`` or ``today`` of a date class on the virtual clock; other methods as they are."""
    cls, task = function.__self__, current_task()
    if task is None or not isinstance(cls, type) or not issubclass(cls, date):
        return function
    if function.__name__ == "utcnow" and issubclass(cls, datetime):
        return lambda: cls.fromtimestamp(_EPOCH_S + _read(task), UTC).replace(tzinfo=None)
    return lambda *zone, **named_zone: cls.fromtimestamp(_EPOCH_S + _read(task), *zone, **named_zone)


def clock_replacements() -> dict[str, Callable[..., object]]:
    """Return what stands in for the functions of ``time`` while a world exists, by name."""
    return {
        "sleep": _sleep,
        "time": _clock_function(time.time, _EPOCH_S),
        "monotonic": _clock_function(time.monotonic, 0.0),
        "perf_counter": _clock_function(time.perf_counter, 0.0),
        "time_ns": _clock_function_ns(time.time_ns, _EPOCH_S),
        "monotonic_ns": _clock_function_ns(time.monotonic_ns, 0.0),
        "perf_counter_ns": _clock_function_ns(time.perf_counter_ns, 0.0),
    }
