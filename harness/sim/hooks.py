"""The hooks of a controlled world: each is a scheduling point of the task that runs, or nothing.

The first question of every hook is whether a task runs here; on any other thread, outside a world and inside
infrastructure it gives back what it was given.

What only the expression being evaluated holds nobody else can have, which its number of references tells: such an
object is passed over. Before a scheduling point its step is declared to whoever follows the execution; after it, the
step is recorded. An operation on several objects is one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import Context
from functools import cached_property, partial
from sys import getrefcount
from types import FunctionType, MappingProxyType, MethodType

from harness.instrument import OPAQUE, Hooks, SiteTable
from harness.instrument.function_effects import EVALUATES, SCANS, WHOLE
from harness.instrument.patterns import NESTED
from harness.sim.call import Call
from harness.sim.calls import CallTable
from harness.sim.engine import Engine
from harness.sim.event import NO_KEY
from harness.sim.given import GivenTable
from harness.sim.kinds import (
    CLASS,
    CONTAINER,
    FOREIGN,
    FROZEN,
    ITERATOR,
    LOCK,
    MODULE,
    OWN,
    SILENT,
    STATE,
    TOLD,
    KindTable,
)
from harness.sim.looks import has_keys, is_method, opened, takes
from harness.sim.points import FIRST_STEP, Points
from harness.sim.reach import (
    BUILTIN_METHODS,
    FRESH_COUNT,
    LEADING,
    SECOND,
    VIEWS,
    behind,
    is_stepped,
    leads_to_mutable,
)
from harness.sim.step_points import StepPoints, note_applied
from harness.sim.task import Task
from harness.sim.tracker import Tracker
from harness.sim.values import PLAIN

__all__ = ["make_hooks"]

_ABSENT = object()  # in place of an argument
_FRESH_ARGUMENT = FRESH_COUNT + 1  # it stands in the tuple of arguments as well
_LATER = -1  # number of the site of calls that a library makes later


def make_hooks(
    sites: SiteTable,
    kinds: KindTable,
    engine: Engine,
    stand_in: Callable[[object], object],
    namespaces: Iterable[dict[str, object]] = (),
    stand_ins: Mapping[int, object] = MappingProxyType({}),
) -> type[Hooks]:
    """Return the hooks for code with these sites.

    Args:
        sites: The sites.
        kinds: How to treat objects.
        engine: What tasks are made of.
        stand_in: Gives what stands in for a function captured before the world was made, or the function.
        namespaces: Those of the instrumented modules.
        stand_ins: What stands in for functions and classes, by their ids.
    """
    getcurrent, kind_of_worker = engine.current, engine.worker
    own = frozenset(map(id, namespaces))
    calls = CallTable(kinds, own)
    silent, silent_classes, known_effects = calls.silent_namespaces, calls.silent_classes, calls.effects
    given = GivenTable(kinds, own)
    passing = Points(sites, kinds, calls)
    touch, touch_own, perform = passing.touch, passing.touch_own, passing.perform
    steps = StepPoints(engine, kinds, calls, passing)
    step, before_steps = steps.step, steps.before
    sites[_LATER] = FIRST_STEP

    def foresee(task: Task, tracker: Tracker, function: object, arguments: Sequence[object]) -> None:
        method = function.__func__ if type(function) is MethodType else function
        if type(method) is not FunctionType or id(method.__globals__) not in own:
            passing.foresee(task, tracker, stand_in(function), arguments)

    def later(function: Callable[..., object]) -> Callable[..., object]:
        if type(function) is FunctionType and ((namespace := id(function.__globals__)) in silent or namespace in own):
            return function
        return function if calls.is_announced(function) else partial(announced, function)

    def announced(function: Callable[..., object], /, *arguments: object, **keywords: object) -> object:
        if type(function) is partial:
            return announced(function.func, *function.args, *arguments, **{**function.keywords, **keywords})
        if type(getattr(function, "__self__", None)) is Context and arguments:
            return function(later(arguments[0]), *arguments[1:], **keywords)  # type: ignore[arg-type]  # what it runs
        hooked = called_with(function, _LATER, *arguments, *keywords.values())
        return hooked(*arguments, **keywords)  # type: ignore[operator]  # it stands for a function

    def looked_into(task: Task, function: object, arguments: Sequence[object], site: int) -> object:
        if task.scheduler.tracker is None or task.inside:
            return function
        return given.looking(function, arguments, partial(passing.note_given, task, site))

    def attr(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = kinds[type(obj)]
            if kind is not OWN:
                if kind is LOCK:
                    return shadow_of(task, obj)
                if kind is FROZEN or (kind is CONTAINER and is_method(obj, sites[site].name)):
                    return obj
                if kind is SILENT and not (type(obj) in STATE and sites[site].name in STATE[type(obj)]):
                    return obj
            if not task.scheduler.is_followed:  # as touch, without a call: no hook is passed more often
                task.scheduler.point(task)
            elif kind is OWN:
                touch_own(task, obj, site)
            else:
                touch(task, obj, site)
        return obj

    def quiet(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = kinds[type(obj)]
            if kind is OWN or kind is MODULE or kind is FROZEN or kind is TOLD:
                return obj
            if kind is SILENT and not (type(obj) in STATE and sites[site].name in STATE[type(obj)]):
                return obj
            if kind is LOCK:
                return shadow_of(task, obj)
            if kind is CONTAINER and is_method(obj, sites[site].name):
                return obj
            if kind is not CLASS or not kinds.is_own_class(obj):  # type: ignore[arg-type]  # it is a class
                touch(task, obj, site)
        return obj

    def lazy(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            if kinds[type(obj)] not in (OWN, FROZEN):
                return quiet(obj, site)
            name = sites[site].name or ""
            if name in getattr(obj, "__dict__", ()) or not isinstance(getattr(type(obj), name, None), cached_property):
                return attr(obj, site)
            perform(task, site, Call(f"cached_property {name}", OPAQUE, obj, None, [obj]))
        return obj

    def called(
        function: object,
        site: int,
        first: object = _ABSENT,
        second: object = _ABSENT,
        others: tuple[object, ...] = (),
        /,
    ) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = type(function)
            if kind is MethodType:
                if type(function.__func__) is FunctionType:  # type: ignore[attr-defined]  # methods have it
                    namespace = id(function.__func__.__globals__)  # type: ignore[attr-defined]
                    if namespace in own:
                        return function
                    if namespace in silent and kinds[type(function.__self__)] is not FOREIGN:  # type: ignore[attr-defined]
                        return function
            elif kind is FunctionType:
                namespace = id(function.__globals__)  # type: ignore[attr-defined]  # functions have it
                if namespace in own:
                    return function
                if namespace in silent and id(function) not in known_effects:
                    return stand_ins.get(id(function), function)
            elif kind is type:
                if function in silent_classes:
                    return stand_ins.get(id(function), function)
            elif kind in BUILTIN_METHODS:
                receiver_kind = kinds[type(function.__self__)]  # type: ignore[attr-defined]
                if receiver_kind is LOCK:
                    return getattr(shadow_of(task, function.__self__), function.__name__)  # type: ignore[attr-defined]
                if receiver_kind is CONTAINER and not task.scheduler.is_followed:
                    task.scheduler.point(task)  # whatever it does to the container
                    return function
            function = stand_in(function)
            if second is not _ABSENT:
                others = (first, second, *others)
            elif first is not _ABSENT:
                others = (first,)
            call = calls.resolve(function, others)
            if call is not None:
                perform(task, site, call)
            if others and task.scheduler.tracker is not None:
                return looked_into(task, function, others, site)
        return function

    def called_with(function: object, site: int, /, *arguments: object) -> object:
        first, second = (*arguments[:2], _ABSENT, _ABSENT)[:2]
        return called(function, site, first, second, arguments[2:])

    def args(function: object, site: int, /, *arguments: object) -> tuple[object, ...]:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not worker.task.atomic:
            if (function is map or function is filter) and arguments and not calls.steps.is_seen(arguments[0]):
                note_applied(arguments[0], arguments[1:])
                if arguments[0] is not None and given.feeds(arguments[1:]):
                    arguments = (later(arguments[0]), *arguments[1:])  # type: ignore[arg-type]  # it is called
            shared: Sequence[object] = arguments
            for position in range(len(arguments)):
                argument = arguments[position]
                kind = kinds[type(argument)]
                if (kind is CONTAINER or kind is ITERATOR) and getrefcount(argument) == _FRESH_ARGUMENT:
                    # What an iterator goes through is read, what is in a container is not.
                    seen = _gone_through(argument) if kind is ITERATOR else [opened(argument)]
                    shared = [*shared[:position], seen[0], *shared[position + 1 :], *seen[1:]]
            function = called_with(function, site, *shared)
            if shared is not arguments:
                function = looked_into(worker.task, function, arguments, site)
        return (function, *arguments)

    def _gone_through(fresh: object) -> list[object]:
        """Return what stands for a fresh iterator among the arguments of a call, and what it reads besides."""
        accesses = calls.steps.accesses(fresh)
        is_known = accesses is not None and all(
            kinds[type(obj)] is ITERATOR or (kinds[type(obj)] is CONTAINER and operation == "read")
            for obj, _, operation in accesses
        )
        return [None, *(obj for obj, _, _ in accesses[1:])] if accesses is not None and is_known else [fresh]

    def item(obj: object, key: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
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
        worker = getcurrent()
        if type(key) is not slice or kinds[type(obj)] is not CONTAINER:
            item(obj, key, site)
        elif worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            perform(task, site, Call("__setitem__", WHOLE, obj, (obj, NO_KEY, "write"), [value]))
        return obj, key, value

    def within(obj: object, value: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = kinds[type(obj)]
            if kind is CONTAINER and (type(value) in PLAIN or has_keys(obj)):
                touch(task, obj, site, value if has_keys(obj) and value is not None else NO_KEY)
            elif kind is CONTAINER or (type(obj) is tuple and type(value) not in PLAIN):
                search(task, opened(obj) if getrefcount(obj) == FRESH_COUNT else obj, value, site)
            elif kind is FOREIGN:
                touch(task, obj, site)
            elif kind is ITERATOR:
                step(task, obj, site)
        return obj

    def search(task: Task, obj: object, value: object, site: int) -> None:
        """Pass a scheduling point before a value is compared with the items of a sequence."""
        if type(obj) is tuple:
            combine(task, value, obj, site)
        else:
            sequence = behind(obj)
            perform(task, site, Call("__contains__", SCANS, sequence, (sequence, NO_KEY, "read"), [sequence, value]))

    def member(value: object, obj: object, site: int) -> object:
        within(obj, value, site)
        return value

    def searched(value: object, obj: object, site: int) -> tuple[object, object]:
        return within(obj, value, site), value

    def whole(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = kinds[type(obj)]
            if (kind is CONTAINER or kind is FOREIGN) and (getrefcount(obj) != FRESH_COUNT or type(obj) in VIEWS):
                if kind is CONTAINER or takes(type(obj), sites[site].name):
                    touch(task, obj, site)
            elif kind is ITERATOR and sites[site].name == "__iter__":
                step(task, obj, site)
        return obj

    def is_inside() -> bool:
        worker = getcurrent()
        return worker.__class__ is kind_of_worker and not worker.task.atomic

    def unpacked(obj: object, site: int) -> object:
        if type(obj) is tuple and sites[site].name == "__iter__":
            return obj
        return text(obj, site) if sites[site].name == NESTED else whole(obj, site)

    def text(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            is_fresh = kinds[type(obj)] is CONTAINER and getrefcount(obj) == FRESH_COUNT
            call = calls.resolve(str, (opened(obj) if is_fresh else obj,))
            if call is not None:
                perform(task, site, call)
        return obj

    def contents(container: object) -> object:
        is_plain = PLAIN.issuperset(map(type, container))  # type: ignore[call-overload]  # it is a list, set or dict
        if is_plain and (type(container) is not dict or PLAIN.issuperset(map(type, container.values()))):
            return None
        return opened(container)

    def shown(container: object, site: int) -> object:
        perform_on(str, contents(container), site)
        return container

    def gathered(obj: object, site: int) -> object:
        perform_on(dict, opened(obj) if getrefcount(obj) == FRESH_COUNT else obj, site)
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic and task.scheduler.tracker:
            return given.items(obj, partial(passing.note_given, task, site))
        return obj

    def sorting(method: object, contents: object, site: int) -> object:
        perform_on(sorted, contents, site)
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            return looked_into(task, method, (method,), site)
        return method

    def perform_on(function: object, obj: object, site: int) -> None:
        """Pass a scheduling point before something is done to an object that a function would do."""
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            call = calls.resolve(function, (obj,))
            if call is not None:
                perform(task, site, call)

    def matched(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic and leads_to_mutable([obj], kinds):
            perform(task, site, Call("match", OPAQUE, None, None, [obj]))
        return obj

    def unseen(site: int) -> None:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            where = sites[site]
            perform(task, site, Call(f"{where.name} in {where.qualname}", EVALUATES, None, None, ()))

    def operand(value: object, other: object, site: int) -> object:
        if type(value) in PLAIN and type(other) in PLAIN:
            return value
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind, other_kind = kinds[type(value)], kinds[type(other)]
            if kind > SILENT or other_kind > SILENT or type(value) in LEADING or type(other) in LEADING:
                is_fresh = kind is CONTAINER and getrefcount(value) == FRESH_COUNT
                combine(task, opened(value) if is_fresh else value, other, site)
        return value

    def operands(value: object, other: object, site: int) -> tuple[object, object]:
        if type(value) in PLAIN and type(other) in PLAIN:
            return value, other
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind, other_kind = kinds[type(value)], kinds[type(other)]
            if kind > SILENT or other_kind > SILENT or type(value) in LEADING or type(other) in LEADING:
                left = opened(value) if kind is CONTAINER and getrefcount(value) == FRESH_COUNT else value
                right = opened(other) if other_kind is CONTAINER and getrefcount(other) == FRESH_COUNT else other
                combine(task, left, right, site)
        return value, other

    def combine(task: Task, left: object, right: object, site: int) -> None:
        """Pass a scheduling point before an operator if one of its operands may change."""
        call = calls.of_operator(sites[site].name or "", left, right)
        if call is not None:
            perform(task, site, call)

    def iterate(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not worker.task.atomic:
            kind = kinds[type(obj)]
            if kind is CONTAINER:
                if getrefcount(obj) == FRESH_COUNT and type(obj) not in VIEWS:
                    return obj
            elif kind is ITERATOR:
                is_fresh = getrefcount(obj) == FRESH_COUNT
                if is_stepped(obj) or (is_fresh and calls.steps.is_alone(obj)):
                    return obj
            elif kind is not FOREIGN or getrefcount(obj) == FRESH_COUNT:
                return obj
            # The steps run in C, so that no frame of ours stands in the program's tracebacks: zip asks our side first,
            # which is the scheduling point, and the container after it.
            return map(SECOND, zip(before_steps(obj, site), obj, strict=False))  # type: ignore[call-overload]
        return obj

    def delegate(obj: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            if hasattr(type(obj), "send") or hasattr(type(obj), "throw"):
                if kinds[type(obj)] is ITERATOR and getrefcount(obj) != FRESH_COUNT:
                    step(task, obj, site)
                return obj
            return iterate(obj, site)
        return obj

    def inplace(value: object, obj: object, site: int) -> object:
        operand(obj, value, site)
        return value

    def stored(value: object, obj: object, site: int) -> object:
        attr(obj, site)
        return value

    def storeditem(value: object, obj: object, key: object, site: int) -> object:
        item(obj, key, site)
        return value

    def name(site: int) -> None:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            touch(task, None, site)

    def value(value: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            touch(task, None, site, NO_KEY, value)
        return value

    def enter(manager: object, site: int) -> object:
        worker = getcurrent()
        if worker.__class__ is kind_of_worker and not (task := worker.task).atomic:
            kind = kinds[type(manager)]
            if kind is LOCK:
                return shadow_of(task, manager)
            if kind is FOREIGN and getrefcount(manager) != FRESH_COUNT:
                perform(task, site, Call("__enter__", OPAQUE, manager, None, [manager]))
        return manager

    def shadow_of(task: Task, real: object) -> object:
        return task.scheduler.shadow(real)

    first: tuple[Callable[..., object], ...] = (
        attr,
        quiet,
        lazy,
        called,
        called_with,
        args,
        item,
        key,
        pair,
        store,
        within,
        member,
        searched,
    )
    more: tuple[Callable[..., object], ...] = (
        whole,
        is_inside,
        unpacked,
        text,
        contents,
        shown,
        gathered,
        sorting,
        matched,
        unseen,
        operand,
        operands,
        iterate,
        delegate,
        inplace,
    )
    last: tuple[Callable[..., object], ...] = (stored, storeditem, name, value, enter, foresee, later)
    return type("WorldHooks", (), {function.__name__: function for function in (*first, *more, *last)})
