"""What an object leads to, and whether anybody else can have it.

An operation that is not rewritten may touch whatever its operands lead to. Views, read-only proxies and iterators are
seen through: what they show lives in the container behind them.
"""

from __future__ import annotations

import gc
import itertools
import operator
import sys
from collections import OrderedDict
from collections.abc import Iterable
from contextvars import Context
from functools import partial
from queue import SimpleQueue
from types import (
    BuiltinMethodType,
    CellType,
    FunctionType,
    MappingProxyType,
    MemberDescriptorType,
    MethodDescriptorType,
    MethodType,
    ModuleType,
)

from harness.sim.kinds import CONTAINER, FOREIGN, FROZEN, ITERATOR, MAP_TYPES, OWN, TOLD, KindTable

__all__ = [
    "ANYTHING",
    "BUILTIN_METHODS",
    "FILES",
    "FRESH_COUNT",
    "KEPT",
    "SECOND",
    "applied_to",
    "behind",
    "is_plain_attribute",
    "is_stepped",
    "leads_to_mutable",
    "reach",
    "sources",
]

_MOST = 10_000  # objects looked at for one call
_VIEWED: tuple[dict[object, object], ...] = ({}, OrderedDict())
VIEWS: frozenset[type] = frozenset(
    {
        MappingProxyType,
        *(type(view) for mapping in _VIEWED for view in (mapping.keys(), mapping.values(), mapping.items())),
    }
)
# Methods written in C: the second type knows its class, and which methods are of it differs between versions.
BUILTIN_METHODS: frozenset[type] = frozenset({BuiltinMethodType, type(SimpleQueue().get)})
# Unchanging themselves, these lead to what may change.
LEADING: frozenset[type] = frozenset({tuple, frozenset, partial, MethodType, *BUILTIN_METHODS, *MAP_TYPES})
_MUTABLE = frozenset({CONTAINER, ITERATOR, OWN, FOREIGN})
_TEED = next(type(part) for part in gc.get_referents(itertools.tee(())[0]) if not isinstance(part, type))
_getrefcount = sys.getrefcount
ANYTHING = type("anything", (), {"__slots__": ()})()  # for what cannot be reached: globals, locals; known by identity
FILES = type("files", (), {"__slots__": ()})()  # what the system keeps
KEPT = type("state of other modules", (), {"__slots__": ()})()  # of those that are not instrumented
SECOND = operator.itemgetter(1)  # marks the iterators that make scheduling points


def _count(obj: object, site: int) -> int:  # noqa: ARG001 - called as hooks are
    return _getrefcount(obj)


def _made() -> list[int]:
    return [0]


def _fresh_count() -> int:
    """Return how many references a hook sees of an object that only its caller's expression holds."""
    kept = _made()
    fresh = _count(_made(), 0)
    return fresh if fresh < _count(kept, 0) else -1


FRESH_COUNT = _fresh_count()


def behind(obj: object) -> object:
    """Return the container that a view or read-only proxy shows, or the object itself."""
    while type(obj) in VIEWS:
        shown = [part for part in gc.get_referents(obj) if not issubclass(type(part), type)]
        if not shown:
            break
        obj = shown[0]
    return obj


def is_plain_attribute(obj: object, name: str | None) -> bool:
    """Return whether reading an attribute of a foreign instance runs no code: it is stored in the instance.

    Methods such as ``__len__`` are not read but called.
    """
    kind = type(obj)
    if name is None or name.startswith("__"):
        return False
    if kind.__getattribute__ is not object.__getattribute__ and kind is not Context:
        return False
    member = next((vars(cls)[name] for cls in kind.__mro__ if name in vars(cls)), None)
    if member is None:
        return not hasattr(kind, "__getattr__")
    return not hasattr(type(member), "__get__") or isinstance(
        member, (FunctionType, MemberDescriptorType, MethodDescriptorType)
    )


def sources(iterator: object, kinds: KindTable) -> list[object]:
    """Return the containers and iterators that an iterator goes through, itself first."""
    found: list[object] = []
    pending = [iterator]
    seen: set[int] = set()
    while pending and len(found) < _MOST:
        obj = behind(pending.pop())
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        kind = kinds[type(obj)]
        if kind == CONTAINER:
            found.append(obj)
        elif kind == ITERATOR and not is_stepped(obj):
            found.append(obj)
            if not hasattr(obj, "gi_frame"):
                pending += reversed(gc.get_referents(obj))
        elif type(obj) is tuple:
            pending += reversed(obj)
        elif type(obj) is _TEED:
            pending += gc.get_referents(obj)
    return found


def is_stepped(iterator: object) -> bool:
    """Return whether an iterator has a scheduling point of its own before each step."""
    return type(iterator) is map and any(part is SECOND for part in gc.get_referents(iterator))


def applied_to(stepped: object) -> list[object]:
    """Return where an iterator that is stepped keeps what is applied to its items."""
    pairs = next(part for part in _given_to(stepped) if type(part) is zip)
    points = next(part for part in _given_to(pairs) if type(part) is map)
    found: list[object] = next(part for part in gc.get_referents(points) if type(part) is partial).args[1]
    return found


def _given_to(iterator: object) -> list[object]:
    """Return the iterators that ``map`` or ``zip`` goes through."""
    return [part for parts in gc.get_referents(iterator) if type(parts) is tuple for part in parts]


def leads_to_mutable(objects: Iterable[object], kinds: KindTable, *, instances: bool = True) -> bool:
    """Return whether anything that may change can be reached from objects, seen through what cannot change itself.

    Args:
        objects: Where to start.
        kinds: How to treat objects.
        instances: Whether instances of instrumented classes count.
    """
    pending, left = list(objects), _MOST
    functions: set[int] = set()  # a recursive one leads to itself
    while pending and left:
        left -= 1
        obj = pending.pop()
        kind = kinds[type(obj)]
        if kind in (CONTAINER, FOREIGN, ITERATOR):
            return True
        if type(obj) is FunctionType:
            if id(obj) not in functions:
                functions.add(id(obj))
                pending += _parts_of_function(obj)
        elif kind == OWN and instances:
            return True
        elif kind == TOLD:
            pending += _arguments(obj)
        elif type(obj) in LEADING or kind == FROZEN or issubclass(type(obj), (tuple, frozenset)):
            pending += (part for part in gc.get_referents(obj) if not issubclass(type(part), (type, ModuleType)))
    return bool(pending)


def reach(objects: Iterable[object], kinds: KindTable, *, instances: bool = True) -> tuple[list[object], bool]:
    """Return all objects that may change and can be reached, in order, and whether that is all of them.

    With ``instances`` false, instances of instrumented and foreign classes are not looked into.
    """
    pending, found, seen = list(objects)[::-1], list[object](), set[int]()
    while pending:
        obj = behind(pending.pop())
        if id(obj) in seen:
            continue
        seen.add(id(obj))
        if len(seen) > _MOST:
            return found, False
        kind = kinds[type(obj)]
        if kind in _MUTABLE and type(obj) is not FunctionType and (instances or kind in (CONTAINER, ITERATOR)):
            found.append(obj)
        pending += _parts(obj, kind, instances=instances)
    return found, True


def _parts(obj: object, kind: int, *, instances: bool) -> list[object]:
    if type(obj) is FunctionType:
        return _parts_of_function(obj) if instances else []
    if (not instances and hasattr(obj, "gi_frame")) or is_stepped(obj):
        return []
    if kind == TOLD:
        return _arguments(obj)
    is_inside = (
        kind in (CONTAINER, ITERATOR, FROZEN) or type(obj) in LEADING or issubclass(type(obj), (tuple, frozenset))
    )
    if is_inside or (instances and kind in (OWN, FOREIGN)) or type(obj) is CellType:
        parts = _parts_of_instance(obj) if kind in (OWN, FROZEN, FOREIGN) else gc.get_referents(obj)
        return [part for part in reversed(parts) if not issubclass(type(part), (type, ModuleType))]
    return []


def _arguments(told: object) -> list[object]:
    """Return what an exception was made with, and shows."""
    return list(vars(BaseException)["args"].__get__(told)) if issubclass(type(told), BaseException) else []


def _parts_of_instance(obj: object) -> list[object]:
    """Return what attributes hold, and what else an instance refers to.

    Its dictionary is no object of its own: whether there is one yet differs between versions.
    """
    try:
        attributes = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        attributes = {}
    values = list(attributes.values()) if type(attributes) is dict else []
    known = {id(attributes), *map(id, values)}
    return [*values, *(part for part in gc.get_referents(obj) if id(part) not in known)]


def _parts_of_function(function: FunctionType) -> list[object]:
    cells = [cell for cell in function.__closure__ or () if gc.get_referents(cell)]
    return [*(cell.cell_contents for cell in cells), *(function.__defaults__ or ())]
