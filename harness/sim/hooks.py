"""The hooks of a controlled world: each is a scheduling point of the task that runs, or nothing.

The first question of every hook is whether a task runs here; on any other thread, outside a world and inside
infrastructure it gives back what it was given.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from types import BuiltinMethodType, MethodType

from harness.instrument import Hooks, SiteTable
from harness.sim.engine import Engine
from harness.sim.event import NO_KEY, NO_VALUE, operation_on
from harness.sim.kinds import CLASS, CONTAINER, FOREIGN, LOCK, MODULE, OWN, SILENT, KindTable
from harness.sim.locks import Lock
from harness.sim.task import Task

__all__ = ["make_hooks"]

_METHODS = frozenset({MethodType, BuiltinMethodType})


def make_hooks(sites: SiteTable, kinds: KindTable, engine: Engine, stand_in: Callable[[object], object]) -> type[Hooks]:
    """Return the hooks for code with these sites.

    Args:
        sites: The sites.
        kinds: How to treat objects.
        engine: What tasks are made of.
        stand_in: Gives what stands in for a function captured before the world was made, or the function.
    """
    getcurrent, kind_of_task = engine.current, engine.task

    def touch(task: Task, obj: object, site: int, key: object = NO_KEY, value: object = NO_VALUE) -> None:
        scheduler = task.scheduler
        if scheduler.tracker is not None and not task.inside:
            where = sites[site]
            scheduler.tracker.access(task, obj, where, key, operation_on(type(obj), where))
        scheduler.point(task)
        if scheduler.recorder is not None:
            where = sites[site]
            scheduler.recorder.access(task, obj, where, key, operation_on(type(obj), where), value)

    def attr(obj: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic:
            kind = kinds[type(obj)]
            if kind is LOCK:
                return shadow_of(task, obj)
            if kind is not SILENT:
                touch(task, obj, site)
        return obj

    def quiet(obj: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic:
            kind = kinds[type(obj)]
            if kind is OWN or kind is MODULE or kind is SILENT:
                return obj
            if kind is LOCK:
                return shadow_of(task, obj)
            if kind is not CLASS or not kinds.is_own_class(obj):  # type: ignore[arg-type]  # it is a class
                touch(task, obj, site)
        return obj

    def method(obj: object, key: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and kinds[type(obj)] is CONTAINER:
            touch(task, obj, site, key)
            return obj
        return quiet(obj, site)

    def bare(obj: object, site: int) -> object:  # noqa: ARG001 - hooks end in a site
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and kinds[type(obj)] is LOCK:
            return shadow_of(task, obj)
        return obj

    def called(function: object) -> object:
        task = getcurrent()
        return stand_in(function) if task.__class__ is kind_of_task and not task.atomic else function

    def args(bound: object, site: int, *arguments: object) -> tuple[object, ...]:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and type(bound) in _METHODS:
            receiver = bound.__self__  # type: ignore[attr-defined]  # methods have it
            kind = kinds[type(receiver)]
            if kind is CONTAINER or kind is FOREIGN:
                touch(task, receiver, site, arguments[0] if kind is CONTAINER and arguments else NO_KEY)
        return (bound, *arguments)

    def item(obj: object, key: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic:
            kind = kinds[type(obj)]
            if kind is CONTAINER or kind is FOREIGN:
                touch(task, obj, site, NO_KEY if key is None else key)
        return obj

    def key(obj: object, key: object, site: int) -> object:
        item(obj, key, site)
        return key

    def pair(obj: object, key: object, site: int) -> tuple[object, object]:
        item(obj, key, site)
        return obj, key

    def store(value: object, obj: object, key: object, site: int) -> tuple[object, object, object]:
        item(obj, key, site)
        return obj, key, value

    def whole(obj: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and kinds[type(obj)] is CONTAINER:
            touch(task, obj, site)
        return obj

    def iterate(obj: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and kinds[type(obj)] is CONTAINER:
            # The steps run in C, so that no frame of ours stands in the program's tracebacks: zip asks our side first,
            # which is the scheduling point, and the container after it.
            return map(operator.itemgetter(1), zip(points(obj, site), obj, strict=False))  # type: ignore[call-overload]
        return obj

    def points(obj: object, site: int) -> Iterator[None]:
        return map(partial(whole_of, obj), repeat(site))

    def whole_of(obj: object, site: int) -> None:
        whole(obj, site)

    def inplace(value: object, obj: object, site: int) -> object:
        whole(obj, site)
        return value

    def aug(value: object, obj: object, site: int) -> object:
        attr(obj, site)
        return value

    def augitem(value: object, obj: object, key: object, site: int) -> object:
        item(obj, key, site)
        return value

    def name(site: int) -> None:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic:
            touch(task, None, site)

    def value(value: object, site: int) -> object:
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic:
            touch(task, None, site, NO_KEY, value)
        return value

    def enter(manager: object, site: int) -> object:  # noqa: ARG001 - hooks end in a site
        task = getcurrent()
        if task.__class__ is kind_of_task and not task.atomic and kinds[type(manager)] is LOCK:
            return shadow_of(task, manager)
        return manager

    def shadow_of(task: Task, real: object) -> Lock:
        return task.scheduler.shadow(real)  # type: ignore[arg-type]  # its kind says that it is a lock

    functions = (attr, quiet, method, bare, called, args, item, key, pair, store, whole, iterate, inplace, aug, augitem)
    members = {function.__name__: function for function in (*functions, name, value, enter)}
    return type("WorldHooks", (), members)
