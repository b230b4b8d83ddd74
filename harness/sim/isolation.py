"""State that outlives an execution, put back before each: globals, class attributes, closure cells, containers.

Many registries are class attributes or module globals; after one execution they are filled, and nothing races any more.
So what is reachable from the program's modules is noted once, and before each execution whatever differs is put back,
object by object, identity kept. The comparison is by identity and costs tens of nanoseconds per entry.

What belongs to other modules is left alone, save the attributes of instances that ours refer to directly. What cannot
be put back (a generator that moved on, say) is named in ``limits``.
"""

from __future__ import annotations

import enum
import logging
from array import array
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from functools import _lru_cache_wrapper
from operator import is_
from types import (
    AsyncGeneratorType,
    BuiltinFunctionType,
    CellType,
    CoroutineType,
    FunctionType,
    GeneratorType,
    MemberDescriptorType,
    MethodType,
    ModuleType,
)
from typing import Protocol, final

from harness.instrument import CONTAINERS, IMMUTABLE

__all__ = ["Isolation"]

_MAPPINGS = (dict, OrderedDict, defaultdict)
_SEQUENCES = (list, deque, bytearray, array)
_ITERATORS = (GeneratorType, CoroutineType, AsyncGeneratorType)
_MISSING = object()
_EMPTY_CELL = object()
_LEAVES = (logging.Logger, logging.Handler, enum.Enum, BuiltinFunctionType)


class _Saved(Protocol):
    """State of one object as it was."""

    def restore(self) -> None:
        """Put it back where it differs."""


class _Mapping:
    def __init__(self, target: dict[object, object]) -> None:
        self.target, self.keys, self.values = target, list(target), list(target.values())

    def restore(self) -> None:
        target = self.target
        is_same = (
            len(target) == len(self.keys)
            and all(map(is_, target, self.keys))
            and all(map(is_, target.values(), self.values))
        )
        if not is_same:
            target.clear()
            target.update(zip(self.keys, self.values, strict=True))


class _Namespace:
    """A module's globals: other threads may add names of their own, so only the difference is undone."""

    def __init__(self, target: dict[str, object]) -> None:
        self.target, self.saved = target, dict(target)

    def restore(self) -> None:
        target, saved = self.target, self.saved
        if len(target) == len(saved) and all(map(is_, target.values(), saved.values())):
            return
        for name in [name for name in target if name not in saved]:
            del target[name]
        for name, value in saved.items():
            if target.get(name, _MISSING) is not value:
                target[name] = value


class _Sequence:
    def __init__(self, target: list[object]) -> None:
        self.target, self.items = target, list(target)

    def restore(self) -> None:
        target = self.target
        if len(target) != len(self.items) or not all(map(is_, target, self.items)):
            target.clear()
            target.extend(self.items)


class _Bytes:
    def __init__(self, target: bytearray | array[int]) -> None:
        self.target, self.items = target, target[:]

    def restore(self) -> None:
        if self.target != self.items:
            self.target[:] = self.items  # type: ignore[call-overload,index] - both are of one type


class _Set:
    def __init__(self, target: set[object]) -> None:
        self.target, self.items = target, frozenset(target)

    def restore(self) -> None:
        if self.target != self.items:
            self.target.clear()
            self.target.update(self.items)


class _Class:
    def __init__(self, target: type) -> None:
        self.target, self.saved = target, dict(vars(target))

    def restore(self) -> None:
        now = vars(self.target)
        if len(now) == len(self.saved) and all(map(is_, now.values(), self.saved.values())):
            return
        for name in [name for name in now if name not in self.saved]:
            type.__delattr__(self.target, name)
        for name, value in self.saved.items():
            if now.get(name, _MISSING) is not value:
                type.__setattr__(self.target, name, value)


class _Cell:
    def __init__(self, target: CellType) -> None:
        self.target, self.contents = target, _contents(target)

    def restore(self) -> None:
        if _contents(self.target) is self.contents:
            return
        if self.contents is _EMPTY_CELL:
            del self.target.cell_contents
        else:
            self.target.cell_contents = self.contents


class _Slot:
    def __init__(self, target: object, slot: MemberDescriptorType) -> None:
        self.target, self.slot, self.value = target, slot, _slot_value(target, slot)

    def restore(self) -> None:
        if _slot_value(self.target, self.slot) is self.value:
            return
        if self.value is _MISSING:
            self.slot.__delete__(self.target)
        else:
            self.slot.__set__(self.target, self.value)


class _Cache:
    """A ``functools.lru_cache`` that was empty."""

    def __init__(self, target: _lru_cache_wrapper[object]) -> None:
        self.target = target

    def restore(self) -> None:
        if self.target.cache_info().currsize:
            self.target.cache_clear()


@final
class Isolation:
    """State of some modules as it was when this was made. Confined.

    Attributes:
        limits: What cannot be put back, in the order it was met.
    """

    def __init__(self, modules: Sequence[ModuleType], roots: Iterable[object] = ()) -> None:
        self._own = {module.__name__ for module in modules}
        self._saved: list[_Saved] = []
        self._seen: dict[int, object] = {}
        self.limits: list[str] = []
        self._visit([*modules, *roots])

    def add(self, module: ModuleType) -> None:
        """Note the state of one more module."""
        self._own.add(module.__name__)
        self._visit([module])

    def restore(self) -> None:
        """Put back whatever differs."""
        for saved in self._saved:
            saved.restore()

    def _visit(self, roots: Iterable[object]) -> None:
        pending = list(roots)
        while pending:
            obj = pending.pop()
            if type(obj) in IMMUTABLE and not isinstance(obj, (tuple, frozenset, MethodType)):
                continue
            if id(obj) not in self._seen:
                self._seen[id(obj)] = obj
                pending.extend(self._save(obj))

    def _save(self, obj: object) -> Iterator[object]:
        """Note the state of one object and yield what it refers to."""
        kind = type(obj)
        if isinstance(obj, ModuleType):
            yield from self._save_module(obj)
        elif isinstance(obj, type):
            yield from self._save_class(obj)
        elif kind in CONTAINERS or kind in (tuple, frozenset):
            yield from self._save_container(obj)
        elif isinstance(obj, FunctionType):
            yield from self._save_function(obj)
        elif isinstance(obj, _lru_cache_wrapper):
            yield from self._save_cache(obj)
        elif isinstance(obj, (staticmethod, classmethod)):
            yield obj.__func__
        elif isinstance(obj, property):
            yield from (part for part in (obj.fget, obj.fset, obj.fdel) if part is not None)
        elif isinstance(obj, MethodType):
            yield from (obj.__func__, obj.__self__)
        elif isinstance(obj, _ITERATORS):
            self.limits.append(f"a {kind.__name__} kept between executions cannot be put back")
        elif not isinstance(obj, _LEAVES):
            yield from self._save_instance(obj, is_own=kind.__module__ in self._own)

    def _save_module(self, module: ModuleType) -> Iterator[object]:
        if module.__name__ in self._own:
            self._saved.append(_Namespace(module.__dict__))
            yield from (value for name, value in list(module.__dict__.items()) if name != "__builtins__")

    def _save_class(self, cls: type) -> Iterator[object]:
        if cls.__module__ in self._own:
            self._saved.append(_Class(cls))
            yield from vars(cls).values()

    def _save_container(self, obj: object) -> Iterator[object]:
        if isinstance(obj, _MAPPINGS):
            self._saved.append(_Mapping(obj))
            yield from (*obj, *obj.values())
        elif isinstance(obj, (bytearray, array)):
            self._saved.append(_Bytes(obj))
        elif isinstance(obj, (set, *_SEQUENCES)):
            self._saved.append(_Set(obj) if isinstance(obj, set) else _Sequence(obj))  # type: ignore[arg-type]
            yield from obj
        elif isinstance(obj, (tuple, frozenset)):
            yield from obj

    def _save_function(self, function: FunctionType) -> Iterator[object]:
        if function.__module__ not in self._own:
            return
        for cell in function.__closure__ or ():
            if id(cell) not in self._seen:
                self._seen[id(cell)] = cell
                self._saved.append(_Cell(cell))
                yield _contents(cell)
        yield from (function.__defaults__ or (), function.__kwdefaults__ or {}, function.__dict__)

    def _save_cache(self, cache: _lru_cache_wrapper[object]) -> Iterator[object]:
        if cache.__module__ in self._own:
            if cache.cache_info().currsize:
                self.limits.append(f"the cache of {cache.__name__} was filled before the exploration")
            else:
                self._saved.append(_Cache(cache))
            yield cache.__wrapped__

    def _save_instance(self, obj: object, *, is_own: bool) -> Iterator[object]:
        attributes = getattr(obj, "__dict__", None)
        if type(attributes) is dict:
            self._saved.append(_Mapping(attributes))
            values = attributes.values()
            # Instances of foreign classes lead to their containers, but not on to further foreign instances.
            yield from (value for value in values if is_own or type(value) in CONTAINERS)
        for slot in _slots(type(obj)):
            if is_own:
                self._saved.append(_Slot(obj, slot))
                yield _slot_value(obj, slot)
        if isinstance(obj, tuple(CONTAINERS)):
            yield from self._save_container(obj)


def _contents(cell: CellType) -> object:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY_CELL


def _slots(kind: type) -> list[MemberDescriptorType]:
    members = (member for cls in kind.__mro__ for member in vars(cls).values())
    return [member for member in members if isinstance(member, MemberDescriptorType)]


def _slot_value(obj: object, slot: MemberDescriptorType) -> object:
    try:
        value: object = slot.__get__(obj)
    except AttributeError:
        return _MISSING
    return value


