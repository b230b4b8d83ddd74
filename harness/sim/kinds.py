"""How hooks treat an object, by its type: what can be touched by two tasks at once, and where that is seen."""

from __future__ import annotations

import contextvars
import datetime
import decimal
import enum
import fractions
import gc
import operator
import pathlib
import queue
import re
import threading
import types
import uuid
import weakref
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from functools import cached_property, partial
from types import FunctionType, GeneratorType, MethodType, ModuleType
from typing import final

import immutables

from harness.instrument import CONTAINERS, IMMUTABLE
from harness.sim.shadows import SHADOWED_TYPES

__all__ = [
    "CLASS",
    "CONTAINER",
    "FOREIGN",
    "FROZEN",
    "ITERATOR",
    "LOCK",
    "MAP_TYPES",
    "MODULE",
    "OWN",
    "SILENT",
    "STATE",
    "TOLD",
    "KindTable",
]

TOLD = -1  # exception or member of an enumeration: what counts are attributes that somebody stores
SILENT = 0  # cannot change, or makes its own scheduling points
CONTAINER = 1  # mutable built-in container, or a subclass of one
OWN = 2  # instance of an instrumented class: its methods make their own scheduling points
FOREIGN = 3  # instance of any other class: whatever it does is one atomic step
LOCK = 4  # real lock, or queue written in C, to be shadowed
MODULE = 5
CLASS = 6
FROZEN = 7  # instance of a frozen dataclass, whose fields nobody stores behind its back
ITERATOR = 8  # built-in iterator or generator: each step changes it, and reads what it goes through

# Types of these modules make their scheduling points in the primitives underneath.
_CONTROLLED = frozenset({"threading", "queue", "_queue", "concurrent.futures", "logging", "warnings", "greenlet"})
_SILENT_BASES = (*IMMUTABLE - {type(None), type(...), type(NotImplemented), super},)
_IMMUTABLE_MODULES = frozenset({"typing", "zoneinfo"})


def _types_of_map() -> Iterator[type]:
    """Yield the types that a persistent map is made of; colliding hashes need a node of their own."""
    pending: list[object] = [
        immutables.Map({n: n for n in range(100)} | {0.5: 0, 2**61: 1, 2**61 + 2**61 - 1: 2, 1: 3})
    ]
    pending.append(immutables.Map({-1: 0, -2: 1}))
    seen: set[type] = set()
    while pending:
        part = pending.pop()
        if type(part) is not int and not isinstance(part, (float, type)):
            pending += gc.get_referents(part)
            if type(part) not in seen:
                seen.add(type(part))
                yield type(part)


MAP_TYPES = frozenset(_types_of_map())
# What primitives tell of their state as attributes, by type: to read one is to look at the primitive.
_OF_QUEUES = frozenset({"is_shutdown", "maxsize", "queue", "unfinished_tasks"})
STATE: dict[type, frozenset[str]] = {
    **dict.fromkeys((queue.Queue, queue.LifoQueue, queue.PriorityQueue), _OF_QUEUES),
    **dict.fromkeys((threading.Semaphore, threading.BoundedSemaphore), frozenset({"_value"})),
    **dict.fromkeys((threading.Thread, threading.Timer), frozenset({"daemon", "name"})),
    threading.Barrier: frozenset({"broken", "n_waiting"}),
    threading.Event: frozenset({"_flag"}),
    futures.Future: frozenset({"_exception", "_result", "_state"}),
}
# Foreign types whose instances never change, or hold what belongs to one context.
_UNCHANGING = frozenset(
    [
        *(datetime.date, datetime.datetime, datetime.time, datetime.timedelta, datetime.timezone),
        *(decimal.Decimal, fractions.Fraction, uuid.UUID, re.Pattern, re.Match, partial, weakref.ref),
        *(pathlib.PurePath, pathlib.PurePosixPath, pathlib.PureWindowsPath, pathlib.Path, pathlib.PosixPath),
        *(operator.attrgetter, operator.itemgetter, operator.methodcaller, contextvars.ContextVar, contextvars.Token),
        *(types.GenericAlias, types.UnionType, types.CodeType, types.MethodWrapperType, types.WrapperDescriptorType),
        *(types.MethodDescriptorType, types.ClassMethodDescriptorType, types.MemberDescriptorType),
        *(
            types.GetSetDescriptorType,
            type(lambda: None),
            type(immutables.Map().items()),
            type(immutables.Map().keys()),
        ),
        type(immutables.Map().values()),
    ]
) - {FunctionType}


@final
class KindTable(dict[type, int]):
    """Kind by type, filled as types are met. Confined to one exploration.

    Args:
        own_modules: Names of the instrumented modules.
        forced: Tells whether an attribute of this name may be stored on a frozen instance, behind its back.
    """

    def __init__(self, own_modules: Iterable[str], forced: Callable[[str], bool] = lambda _: True) -> None:
        super().__init__()
        self._own = frozenset(own_modules)
        self._is_forced = forced
        self.update((kind, SILENT) for kind in (*IMMUTABLE, *MAP_TYPES, *_UNCHANGING))
        self.update((kind, CONTAINER) for kind in CONTAINERS)
        self.update((kind, LOCK) for kind in SHADOWED_TYPES)
        self.update({ModuleType: MODULE, type: CLASS, MethodType: SILENT, FunctionType: OWN, GeneratorType: ITERATOR})

    def __missing__(self, kind: type) -> int:
        found = self[kind] = self._classify(kind)
        return found

    def is_own_class(self, cls: type) -> bool:
        """Return whether a class is defined in instrumented code."""
        return cls.__module__ in self._own

    def _classify(self, kind: type) -> int:
        if issubclass(kind, type):
            return CLASS
        if issubclass(kind, ModuleType):
            return MODULE
        if issubclass(kind, tuple(CONTAINERS)):
            return CONTAINER
        if issubclass(kind, (BaseException, enum.Enum)):
            return TOLD
        is_local = issubclass(kind, threading.local)  # never shared
        if is_local or issubclass(kind, _SILENT_BASES) or kind.__module__ in _IMMUTABLE_MODULES:
            return SILENT
        if self._is_frozen(kind):
            return FROZEN
        if self.is_own_class(kind):
            return OWN
        if _is_iterator(kind):
            return ITERATOR
        module = kind.__module__
        is_controlled = module in _CONTROLLED or module.startswith(("harness.sim", "concurrent.futures."))
        return SILENT if is_controlled else FOREIGN

    def _is_frozen(self, kind: type) -> bool:
        """Return whether instances are what their generated ``__init__`` made them."""
        classes = [cls for cls in kind.__mro__ if cls is not object and cls.__module__ not in ("typing", "abc")]
        attributes = [vars(cls) for cls in classes]
        if not all(self.is_own_class(cls) and _is_frozen_dataclass(vars(cls)) for cls in classes) or not classes:
            return False
        names = {name for cls in attributes for name in (*cls, *cls.get("__dataclass_fields__", ()))}
        has_cache = any(isinstance(value, cached_property) for cls in attributes for value in cls.values())
        return not has_cache and not any(self._is_forced(name) for name in names)


def _is_frozen_dataclass(attributes: types.MappingProxyType[str, object]) -> bool:
    return bool(getattr(attributes.get("__dataclass_params__"), "frozen", False))


def _is_iterator(kind: type) -> bool:
    """Return whether instances are iterators of the built-in kinds, such as ``itertools.count``."""
    is_builtin = kind.__module__ in {"builtins", "itertools", "_collections", "collections", "array"}
    return is_builtin and hasattr(kind, "__next__")
