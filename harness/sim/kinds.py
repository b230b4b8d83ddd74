"""How hooks treat an object, by its type: what can be touched by two tasks at once, and where that is seen."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterable
from types import FunctionType, MethodType, ModuleType
from typing import final

import immutables

from harness.instrument import CONTAINERS, IMMUTABLE
from harness.sim.locks import REAL_LOCK_TYPES

__all__ = ["CLASS", "CONTAINER", "FOREIGN", "LOCK", "MODULE", "OWN", "SILENT", "KindTable"]

SILENT = 0  # cannot change, or makes its own scheduling points
CONTAINER = 1  # mutable built-in container, or a subclass of one
OWN = 2  # instance of an instrumented class: its methods make their own scheduling points
FOREIGN = 3  # instance of any other class: whatever it does is one atomic step
LOCK = 4  # real lock, to be shadowed
MODULE = 5
CLASS = 6

# Types of these modules make their scheduling points in the primitives underneath.
_CONTROLLED = frozenset({"threading", "queue", "_queue", "concurrent.futures", "logging", "warnings", "greenlet"})
_SILENT_BASES = (*IMMUTABLE - {type(None), type(...), type(NotImplemented), super}, enum.Enum, BaseException)


@final
class KindTable(dict[type, int]):
    """Kind by type, filled as types are met. Confined to one exploration."""

    def __init__(self, own_modules: Iterable[str]) -> None:
        super().__init__()
        self._own = frozenset(own_modules)
        self.update((kind, SILENT) for kind in (*IMMUTABLE, immutables.Map))
        self.update((kind, CONTAINER) for kind in CONTAINERS)
        self.update((kind, LOCK) for kind in REAL_LOCK_TYPES)
        self.update({ModuleType: MODULE, type: CLASS, MethodType: SILENT, FunctionType: OWN})

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
        if issubclass(kind, (*_SILENT_BASES, threading.local)):  # a local is never shared
            return SILENT
        if self.is_own_class(kind):
            return OWN
        module = kind.__module__
        is_controlled = module in _CONTROLLED or module.startswith(("harness.sim", "concurrent.futures."))
        return SILENT if is_controlled else FOREIGN
