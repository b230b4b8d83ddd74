"""A scheduling point with what happens at it: told before to whoever plans by it, recorded after.

Where nobody follows the execution a point is no more than a chance to switch.
"""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import final

from harness.instrument import Site, SiteTable
from harness.sim.call import Call
from harness.sim.calls import CallTable
from harness.sim.event import NO_KEY, NO_VALUE, operation_on, plain_key, shown_key
from harness.sim.kinds import CONTAINER, FOREIGN, SILENT, KindTable
from harness.sim.reach import ANYTHING, behind, is_plain_attribute, reach
from harness.sim.stepping import Access
from harness.sim.task import Task
from harness.sim.tracker import Tracker
from harness.sim.values import PLAIN

__all__ = ["FIRST_STEP", "Points"]

FIRST_STEP = Site("", "", 0, 0, "call", None, "", 0)  # of a thread, where what it calls is not rewritten
_FACTORY = vars(defaultdict)["default_factory"]


@final
class Points:
    """Scheduling points of the code with these sites. Confined to one exploration.

    Args:
        sites: The sites.
        kinds: How objects are treated.
        calls: What calls touch.
    """

    __slots__ = ("_calls", "_kinds", "_sites")

    def __init__(self, sites: SiteTable, kinds: KindTable, calls: CallTable) -> None:
        self._sites, self._kinds, self._calls = sites, kinds, calls

    def touch_own(self, task: Task, obj: object, site: int) -> None:
        """As `touch` of an attribute that no code of the library is behind; most are so."""
        scheduler, where = task.scheduler, self._sites[site]
        tracker, watch = scheduler.tracker, scheduler.watch
        if tracker is not None:
            if task.inside:
                _note_inside(task, tracker)
            else:
                tracker.access(task, obj, where, NO_KEY, where.operation)
        scheduler.point(task)
        if scheduler.recorder is not None:
            scheduler.recorder.access(task, obj, where, NO_KEY, where.operation, NO_VALUE)
        if watch is not None:
            watch.access(task, obj, where, NO_KEY, where.operation)

    def touch(self, task: Task, obj: object, site: int, key: object = NO_KEY, value: object = NO_VALUE) -> None:
        """Pass a scheduling point before an object, or a name of a module, is touched."""
        scheduler = task.scheduler
        if not scheduler.is_followed:
            scheduler.point(task)
            return
        where = self._sites[site]
        if scheduler.tracker is not None:
            if task.inside:
                _note_inside(task, scheduler.tracker)
            else:
                self._declare(task, scheduler.tracker, obj, where, key)
        scheduler.point(task)
        if scheduler.recorder is not None:
            scheduler.recorder.access(
                task, behind(obj), where, shown_key(obj, key), operation_on(type(obj), where), value
            )
        if scheduler.watch is not None:
            scheduler.watch.access(task, behind(obj), where, key, operation_on(type(obj), where))

    def _declare(self, task: Task, tracker: Tracker, obj: object, where: Site, key: object) -> None:
        real = behind(obj)
        kind = self._kinds[type(real)]
        if kind is SILENT and not isinstance(real, threading.Thread):
            _look_at(task, tracker, real, where)
            return
        is_known = real is os.environ or kind is not FOREIGN
        if not is_known and not is_plain_attribute(real, where.name):
            tracker.opaque(task, where.name or "subscript", reach([real], self._kinds)[0], where)
        if issubclass(type(real), defaultdict) and where.operation != "write" and self._fills_later(real, key):
            tracker.opaque(task, "default_factory", [real, *reach([_FACTORY.__get__(real)], self._kinds)[0]], where)
        tracker.access(task, real, where, plain_key(real, key), operation_on(type(obj), where))

    def _fills_later(self, real: object, key: object) -> bool:
        """Return whether a dict may store what it makes for a missing key in a later step, or touch more for it."""
        is_there = type(key) in PLAIN and dict.__contains__(real, key)  # type: ignore[operator]  # it is a dict
        return key is not NO_KEY and not is_there and self._calls.is_interruptible(_FACTORY.__get__(real))

    def touch_all(self, task: Task, site: int, plan: Callable[[], list[Access]]) -> None:
        """Pass a scheduling point before all that a plan gives is touched in one step."""
        scheduler = task.scheduler
        if not scheduler.is_followed:
            scheduler.point(task)
            return
        if scheduler.tracker is not None and task.inside:
            _note_inside(task, scheduler.tracker)
        elif scheduler.tracker is not None:
            for obj, key, operation in plan():
                scheduler.tracker.access(task, obj, self._sites.nameless(site), plain_key(obj, key), operation)
        scheduler.point(task)
        if scheduler.recorder is not None:
            for obj, key, operation in plan():
                scheduler.recorder.access(task, obj, self._sites.nameless(site), shown_key(obj, key), operation)
        if scheduler.watch is not None:
            for obj, key, operation in plan():
                scheduler.watch.access(task, obj, self._sites.nameless(site), key, operation)

    def perform(self, task: Task, site: int, call: Call) -> None:
        """Pass a scheduling point before a call."""
        scheduler = task.scheduler
        if not scheduler.is_followed:
            scheduler.point(task)
            return
        if scheduler.tracker is not None and task.inside:
            _note_inside(task, scheduler.tracker)
        elif scheduler.tracker is not None:
            known = self._calls.touched.accesses(call)
            for obj, key, operation in known or ():
                where = self._site_for(obj, site) if call.attribute is None else self._sites.named(site, call.attribute)
                scheduler.tracker.access(task, obj, where, plain_key(obj, key), operation)
            if known is None:
                scheduler.tracker.opaque(task, call.name, self._calls.touched.reached(call)[0], self._sites[site])
        scheduler.point(task)
        if scheduler.recorder is not None:
            known = self._calls.touched.accesses(call)
            for obj, key, operation in known or ():
                scheduler.recorder.access(task, obj, self._site_for(obj, site), shown_key(obj, key), operation)
            if known is None and call.receiver is not None:
                scheduler.recorder.access(task, call.receiver, self._sites[site], NO_KEY, "call")
            elif known is None:
                scheduler.recorder.opaque(task, call.name, self._calls.touched.direct(call), self._sites[site])
        if scheduler.watch is not None:
            for obj, key, operation in self._calls.touched.accesses(call) or ():
                scheduler.watch.access(task, obj, self._site_for(obj, site), key, operation)

    def foresee(self, task: Task, tracker: Tracker, function: object, arguments: Sequence[object]) -> None:
        """Declare the call with which a thread begins, in the step of its start."""
        call = self._calls.resolve(function, arguments)
        known = self._calls.touched.accesses(call) if call is not None else ()
        for obj, key, operation in known or ():
            tracker.access(task, obj, FIRST_STEP, plain_key(obj, key), operation)
        if call is not None and known is None:
            tracker.opaque(task, call.name, self._calls.touched.reached(call)[0], FIRST_STEP)

    def note_given(self, task: Task, site: int, value: object) -> None:
        """Declare that a function written in C looks into what own code gave it: when, nobody knows."""
        tracker = task.scheduler.tracker
        if tracker is not None and not task.atomic:
            where = self._sites[site]
            tracker.opaque(task, where.name or "call", reach([value], self._kinds, instances=False)[0], where)

    def _site_for(self, obj: object, site: int) -> Site:
        return self._sites[site] if self._kinds[type(obj)] == CONTAINER else self._sites.nameless(site)


def _note_inside(task: Task, tracker: Tracker) -> None:
    """Declare that code of the program runs inside an operation of a primitive, which is one step."""
    primitive, name = task.operation or (task, "step")
    tracker.opaque(task, f"code called by {type(primitive).__name__}.{name}", [ANYTHING], FIRST_STEP)


def _look_at(task: Task, tracker: Tracker, primitive: object, where: Site) -> None:
    """Declare what is done to an attribute that tells of a primitive's state."""
    tracker.primitive(task, primitive, "look" if where.operation == "read" else "store")
    if where.name == "queue":
        tracker.opaque(task, "what is done to the items of a queue by itself", [primitive], where)
