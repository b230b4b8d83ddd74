"""State that outlives an execution, put back before each: globals, class attributes, closure cells, containers.

Many registries are class attributes or module globals; after one execution they are filled, and nothing races any more.
So what is reachable from the program's modules is noted once, and before each execution whatever differs is put back,
object by object, identity kept. The comparison is by identity and costs tens of nanoseconds per entry. Objects that an
execution changed are looked at one by one from then on, the others all at a glance.

What belongs to other modules is left alone, save the attributes of instances that ours refer to directly. What cannot
be put back (a generator that moved on, say) is named in ``limits``.
"""

from __future__ import annotations

import enum
import gc
import logging
import random
import sys
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import _lru_cache_wrapper, partial
from types import (
    AsyncGeneratorType,
    BuiltinMethodType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    GetSetDescriptorType,
    MappingProxyType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import final

from harness.instrument import CONTAINERS, IMMUTABLE
from harness.sim.foreign_locks import INFRASTRUCTURE
from harness.sim.glance import Glance, is_plain
from harness.sim.saved_cache import CacheState
from harness.sim.saved_state import (
    CONTAINER_STATES,
    CellState,
    ClassState,
    EmptyContainers,
    NamespaceState,
    RandomState,
    SavedState,
    SlotState,
    attributes_of_class,
    cell_contents_of,
    slot_value,
)

__all__ = ["Isolation"]

_SUSPENDED = (GeneratorType, CoroutineType, AsyncGeneratorType)
_LEAVES = (logging.Logger, logging.Handler, enum.Enum)
_EMPTIED = frozenset({dict, list, set, deque, defaultdict, OrderedDict})
# These lead to what they were made of: functions, arguments, a receiver.
_WRAPPERS = (property, staticmethod, classmethod, MethodType, BuiltinMethodType, partial)
_DEAD_ENDS = IMMUTABLE - {tuple, frozenset, *_WRAPPERS}
_mro_of: Callable[[type], tuple[type, ...]] = type.__dict__["__mro__"].__get__


@final
class Isolation:
    """State of some modules as it was when this was made. Confined.

    Args:
        modules: Modules whose state it is.
        roots: Further objects.
        kept: Objects among them that are no state of the program, which keep what they learn.

    Attributes:
        limits: What cannot be put back, in the order it was met.
    """

    def __init__(
        self, modules: Sequence[ModuleType], roots: Iterable[object] = (), kept: Iterable[object] = ()
    ) -> None:
        self._own = {module.__name__ for module in modules}
        self._empties = EmptyContainers()
        self._saved: list[SavedState] = [self._empties]  # looked at one by one
        self._calm: list[SavedState] = []  # looked at all at a glance
        self._glance: Glance | None = None
        self._seen: dict[int, object] = {id(obj): obj for obj in kept}
        # A module's dict, the built-ins' above all, is put back as a module's state or not at all.
        self._namespaces = {id(vars(module)) for module in list(sys.modules.values()) if type(module) is ModuleType}
        self.limits: list[str] = []
        self._visit([*modules, *roots])

    def add(self, module: ModuleType) -> None:
        """Note the state of one more module."""
        self._own.add(module.__name__)
        self._visit([module])

    def restore(self) -> None:
        """Put back whatever differs."""
        if self._glance is None:
            self._glance = Glance(self._calm)
        if not self._glance.is_same():
            calm, self._calm, self._glance = self._calm, [], None
            for state in calm:
                (self._calm if Glance([state]).is_same() else self._saved).append(state)
        for saved in self._saved:
            saved.restore()

    def _note(self, state: SavedState) -> None:
        (self._calm if is_plain(state) else self._saved).append(state)
        self._glance = None

    def _visit(self, roots: Iterable[object]) -> None:
        pending = list(roots)
        while pending:
            obj = pending.pop()
            if type(obj) not in _DEAD_ENDS and id(obj) not in self._seen:
                self._seen[id(obj)] = obj
                pending.extend(self._save(obj, type(obj)))

    # Objects are told apart by type, never by isinstance: one asked for its class may answer with the program's code.

    def _save(self, obj: object, kind: type) -> Iterator[object]:
        """Note the state of one object and yield what it refers to."""
        if issubclass(kind, ModuleType):
            yield from self._save_module(obj)  # type: ignore[arg-type]  # as its type says; so below
        elif issubclass(kind, type):
            yield from self._save_class(obj)  # type: ignore[arg-type]
        elif kind is FunctionType:
            yield from self._save_function(obj)  # type: ignore[arg-type]
        elif kind is _lru_cache_wrapper:
            yield from self._save_cache(obj)  # type: ignore[arg-type]
        elif issubclass(kind, _WRAPPERS):
            yield from gc.get_referents(obj)
        elif kind is MappingProxyType:
            yield from filter(_is_no_class, gc.get_referents(obj))
        elif issubclass(kind, threading.local):
            yield threading.local.__getattribute__(obj, "__dict__")  # type: ignore[arg-type]  # that of this thread
        elif kind is random.Random:
            self._note(RandomState(obj))  # type: ignore[arg-type]
        elif kind in _SUSPENDED or _is_iterator(kind):
            self.limits.append(f"a {kind.__name__} kept between executions cannot be put back")
        elif not issubclass(kind, _LEAVES) and _package(kind) not in INFRASTRUCTURE:
            yield from self._save_container(obj, kind)
            if kind not in CONTAINERS and kind not in (tuple, frozenset):
                yield from self._save_instance(obj, kind)

    def _save_module(self, module: ModuleType) -> Iterator[object]:
        if module.__dict__.get("__name__") in self._own:
            self._note(NamespaceState(module))
            yield from (value for name, value in list(module.__dict__.items()) if name != "__builtins__")

    def _save_class(self, cls: type) -> Iterator[object]:
        if self._is_own(cls) and not issubclass(type(cls), enum.EnumType):
            self._note(ClassState(cls))
            yield from attributes_of_class(cls).values()

    def _save_container(self, obj: object, kind: type) -> Iterator[object]:
        if id(obj) in self._namespaces:
            return
        if kind in _EMPTIED and not obj:
            self._empties.targets.append(obj)  # type: ignore[arg-type]
            return
        base = next((base for base in CONTAINER_STATES if issubclass(kind, base)), None)
        if base is not None:
            self._note(CONTAINER_STATES[base](obj))
        if issubclass(kind, dict):
            yield from (*dict.__iter__(obj), *dict.values(obj))  # type: ignore[arg-type]
        for plain in (list, deque, set, tuple, frozenset):
            if issubclass(kind, plain):
                yield from plain.__iter__(obj)  # type: ignore[arg-type]

    def _save_function(self, function: FunctionType) -> Iterator[object]:
        if function.__module__ not in self._own:
            return
        for cell in function.__closure__ or ():
            if id(cell) not in self._seen:
                self._seen[id(cell)] = cell
                self._note(CellState(cell))
                yield cell_contents_of(cell)
        yield from (function.__defaults__, function.__kwdefaults__, function.__dict__)

    def _save_cache(self, cache: _lru_cache_wrapper[object]) -> Iterator[object]:
        if cache.__module__ in self._own:
            state = CacheState(cache)
            if state.is_restorable:
                self._note(state)
                yield from (part for entry in state.entries for part in entry)
            else:
                self.limits.append(f"the cache of {cache.__name__} was filled before, by no Python function")
            yield cache.__wrapped__

    def _save_instance(self, obj: object, kind: type) -> Iterator[object]:
        is_own = self._is_own(kind)
        slots = _slots(kind) if is_own else []
        descriptor = _dict_descriptor(kind)
        attributes = None if descriptor is None else slot_value(obj, descriptor)
        if descriptor is not None and type(attributes) is dict:
            if is_own:
                slots = [descriptor, *slots]
            else:
                self._note(CONTAINER_STATES[dict](attributes))
                yield from filter(self._is_followed, attributes.values())
        for slot in slots:
            self._note(SlotState(obj, slot))
            yield slot_value(obj, slot)

    def _is_followed(self, value: object) -> bool:
        """Return whether an attribute of a foreign instance is looked into: not if it is one more of those."""
        return type(value) in CONTAINERS or type(value) is FunctionType or self._is_own(type(value))

    def _is_own(self, cls: type) -> bool:
        return type.__getattribute__(cls, "__module__") in self._own


def _package(kind: type) -> str:
    module = type.__getattribute__(kind, "__module__")
    return module.partition(".")[0] if type(module) is str else ""


def _is_no_class(mapping: object) -> bool:
    """Return whether the mapping behind a proxy may be written to, which that of a class may not."""
    return type(mapping) is not dict or "__module__" not in mapping


def _is_iterator(kind: type) -> bool:
    """Return whether objects of a type are iterators of the built-in kinds, such as ``itertools.count``."""
    is_builtin = type.__getattribute__(kind, "__module__") in {"builtins", "itertools"}
    return is_builtin and "__next__" in attributes_of_class(kind)


def _dict_descriptor(kind: type) -> MemberDescriptorType | GetSetDescriptorType | None:
    """Return what gives the attributes of an instance; ``None`` where there are none, or the program's code does."""
    classes = map(attributes_of_class, _mro_of(kind))
    found = next((attributes["__dict__"] for attributes in classes if "__dict__" in attributes), None)
    return found if type(found) is GetSetDescriptorType or type(found) is MemberDescriptorType else None


def _slots(kind: type) -> list[MemberDescriptorType | GetSetDescriptorType]:
    """Return the slots that Python classes declare; members of C types may be read-only, or computed."""
    classes = [attributes_of_class(cls) for cls in _mro_of(kind)]
    members = [member for attributes in classes if "__slots__" in attributes for member in attributes.values()]
    return [member for member in members if type(member) is MemberDescriptorType]
