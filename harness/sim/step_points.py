"""Scheduling points before the steps of an iteration, which is no single step: others may come in before each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import repeat
from typing import final

from harness.instrument import OPAQUE
from harness.sim.call import Call
from harness.sim.calls import CallTable
from harness.sim.engine import Engine
from harness.sim.kinds import ITERATOR, KindTable
from harness.sim.points import Points
from harness.sim.reach import applied_to, is_stepped
from harness.sim.task import Task

__all__ = ["StepPoints", "note_applied"]


@final
class StepPoints:
    """Points before steps of what instrumented code iterates over. Confined to one exploration.

    Args:
        engine: What tasks are made of.
        kinds: How objects are treated.
        calls: What calls, and steps of iterators, touch.
        points: The scheduling points.
    """

    __slots__ = ("_calls", "_engine", "_kinds", "_points")

    def __init__(self, engine: Engine, kinds: KindTable, calls: CallTable, points: Points) -> None:
        self._engine, self._kinds, self._calls, self._points = engine, kinds, calls, points

    def before(self, obj: object, site: int) -> Iterator[None]:
        """Return what passes a scheduling point whenever it is asked for the next item, which is ``None``."""
        return map(partial(self._before_one, obj, []), repeat(site))

    def step(self, task: Task, obj: object, site: int) -> None:
        """Pass a scheduling point before one step of an iteration."""
        steps = self._calls.steps
        if self._kinds[type(obj)] is not ITERATOR:
            self._points.touch(task, obj, site)
        elif task.scheduler.is_followed and steps.accesses(obj) is None:
            self._points.perform(task, site, Call(type(obj).__name__, OPAQUE, None, None, [obj]))
        else:
            self._points.touch_all(task, site, lambda: steps.accesses(obj) or [])

    def _before_one(self, obj: object, applied: list[object], site: int) -> None:
        worker = self._engine.current()
        if worker.__class__ is self._engine.worker and not (task := worker.task).atomic:
            if applied and task.scheduler.is_followed:
                self._step_and_apply(task, obj, applied[0], site)
            else:
                self.step(task, obj, site)

    def _step_and_apply(self, task: Task, obj: object, function: object, site: int) -> None:
        """Pass a scheduling point before a step to an item that a function written in C is applied to."""
        steps = self._calls.steps
        if steps.applied(obj, function) is None:
            self._points.perform(task, site, Call(type(obj).__name__, OPAQUE, None, None, [obj, function]))
        else:
            self._points.touch_all(task, site, lambda: steps.applied(obj, function) or [])


def note_applied(function: object, iterables: Iterable[object]) -> None:
    """Let the scheduling points before the steps of iterables know what is applied to each item."""
    for iterable in iterables:
        if is_stepped(iterable):
            applied_to(iterable).append(function)
