"""How the state of one object is noted and put back, by the kind of object. Identity is kept.

Containers are handled through the methods of their built-in type: those of a subclass are the program's own, and mean
what they like. Entries are compared by identity, so that neither ``__eq__`` nor ``__hash__`` of the program is called
(save that keys of an ``OrderedDict``, and of a dict with an ``__iter__`` of its own, are hashed).
"""

from __future__ import annotations

import random
import sys
from array import array
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import is_
from types import CellType, GetSetDescriptorType, MappingProxyType, MemberDescriptorType, ModuleType
from typing import Protocol

__all__ = [
    "CONTAINER_STATES",
    "CellState",
    "ClassState",
    "EmptyContainers",
    "NamespaceState",
    "RandomState",
    "SavedState",
    "SlotState",
    "attributes_of_class",
    "cell_contents_of",
    "slot_value",
]

_MISSING = object()
_EMPTY_CELL = object()
attributes_of_class: Callable[[type], MappingProxyType[str, object]] = type.__dict__["__dict__"].__get__


class SavedState(Protocol):
    """State of one object as it was."""

    def restore(self) -> None:
        """Put it back where it differs."""


class MappingState:
    """Entries of a dict, in their order."""

    def __init__(self, target: dict[object, object]) -> None:
        is_plain = type(target).__iter__ is dict.__iter__  # or else the copy would ask the subclass for its keys
        self.target, self.saved = target, dict.copy(target) if is_plain else dict(dict.items(target))

    def restore(self) -> None:
        """Put it back where it differs."""
        target, saved = self.target, self.saved
        is_same = dict.__len__(target) == len(saved) and all(map(is_, dict.__iter__(target), saved))
        if not (is_same and all(map(is_, dict.values(target), saved.values()))):
            dict.clear(target)
            dict.update(target, saved)  # takes the hashes over: no key is asked for anything


class OrderedMappingState:
    """Entries of an ``OrderedDict``, in their order."""

    def __init__(self, target: OrderedDict[object, object]) -> None:
        self.target = target
        self.keys, self.values = list(OrderedDict.__iter__(target)), list(OrderedDict.values(target))

    def restore(self) -> None:
        """Put it back where it differs."""
        target = self.target
        is_same = len(self.keys) == dict.__len__(target) and all(map(is_, OrderedDict.__iter__(target), self.keys))
        if not (is_same and all(map(is_, OrderedDict.values(target), self.values))):
            OrderedDict.clear(target)
            for key, value in zip(self.keys, self.values, strict=True):
                OrderedDict.__setitem__(target, key, value)


class EmptyContainers:
    """Containers that were empty, such as the attributes of most functions: looked at all at once."""

    def __init__(self) -> None:
        self.targets: list[dict[object, object] | list[object] | set[object]] = []

    def restore(self) -> None:
        """Put it back where it differs."""
        if any(self.targets):
            for target in self.targets:
                target.clear()


class NamespaceState:
    """A module's globals: other threads may add names of their own, so only the difference is undone."""

    def __init__(self, module: ModuleType) -> None:
        self.module, self.target, self.saved = module, module.__dict__, dict(module.__dict__)

    def restore(self) -> None:
        """Put it back where it differs."""
        target, saved = self.target, self.saved
        is_same = len(target) == len(saved) and all(map(is_, target, saved))
        if is_same and all(map(is_, target.values(), saved.values())):
            return
        for name in [name for name in list(target) if name not in saved]:
            if not self._is_submodule(name):
                target.pop(name, None)
        for name, value in saved.items():
            if target.get(name, _MISSING) is not value:
                target[name] = value

    def _is_submodule(self, name: str) -> bool:
        """Return whether the name was bound by an import, which will not be made again."""
        module = sys.modules.get(f"{self.module.__name__}.{name}")
        return module is not None and module is self.target.get(name)


class SequenceState:
    """Items of a list."""

    _base: type[list[object]] = list

    def __init__(self, target: list[object]) -> None:
        self.target, self.items = target, list(self._base.__iter__(target))

    def restore(self) -> None:
        """Put it back where it differs."""
        target, base = self.target, self._base
        if base.__len__(target) != len(self.items) or not all(map(is_, base.__iter__(target), self.items)):
            base.clear(target)
            base.extend(target, self.items)


class DequeState(SequenceState):
    """Items of a deque."""

    _base = deque  # type: ignore[assignment]  # has the methods that are used


class BytesState:
    """Bytes of a bytearray."""

    def __init__(self, target: bytearray) -> None:
        self.target, self.saved = target, bytearray.copy(target)

    def restore(self) -> None:
        """Put it back where it differs."""
        if bytearray.__ne__(self.target, self.saved):
            bytearray.__setitem__(self.target, slice(None), self.saved)


class ArrayState:
    """Items of an array."""

    def __init__(self, target: array[int]) -> None:
        self.target, self.items = target, array.__getitem__(target, slice(None))
        self.bytes = array.tobytes(target)

    def restore(self) -> None:
        """Put it back where it differs."""
        if array.tobytes(self.target) != self.bytes:
            array.__setitem__(self.target, slice(None), self.items)


class SetState:
    """Keeps a copy made as the restored set will be made, so that both are iterated in the same order."""

    def __init__(self, target: set[object]) -> None:
        self.target, self.saved = target, set[object]()
        set.update(self.saved, target)
        self.items = list(self.saved)

    def restore(self) -> None:
        """Put it back where it differs."""
        target = self.target
        if set.__len__(target) != len(self.items) or not all(map(is_, set.__iter__(target), self.items)):
            set.clear(target)
            set.update(target, self.saved)


class ClassState:
    """Attributes of a class."""

    def __init__(self, target: type) -> None:
        self.target, self.saved = target, dict(attributes_of_class(target))

    def restore(self) -> None:
        """Put it back where it differs."""
        now, saved = attributes_of_class(self.target), self.saved
        is_same = len(now) == len(saved) and all(map(is_, now, saved))
        if is_same and all(map(is_, now.values(), saved.values())):
            return
        for name in [name for name in now if name not in saved]:
            type.__delattr__(self.target, name)
        for name, value in saved.items():
            if now.get(name, _MISSING) is not value:
                type.__setattr__(self.target, name, value)


class CellState:
    """Contents of a closure variable; it may be empty."""

    def __init__(self, target: CellType) -> None:
        self.target, self.contents = target, cell_contents_of(target)

    @property
    def is_empty(self) -> bool:
        """Whether it had no contents."""
        return self.contents is _EMPTY_CELL

    def restore(self) -> None:
        """Put it back where it differs."""
        if cell_contents_of(self.target) is self.contents:
            return
        if self.is_empty:
            del self.target.cell_contents
        else:
            self.target.cell_contents = self.contents


class SlotState:
    """One attribute of an instance, seen through the descriptor in its class."""

    def __init__(self, target: object, slot: MemberDescriptorType | GetSetDescriptorType) -> None:
        self.target, self.slot, self.value = target, slot, slot_value(target, slot)

    @property
    def is_empty(self) -> bool:
        """Whether it had no value."""
        return self.value is _MISSING

    def restore(self) -> None:
        """Put it back where it differs."""
        if slot_value(self.target, self.slot) is self.value:
            return
        if self.is_empty:
            self.slot.__delete__(self.target)
        else:
            self.slot.__set__(self.target, self.value)


class RandomState:
    """State of a pseudo-random generator of the program's own."""

    def __init__(self, target: random.Random) -> None:
        self.target, self.state = target, random.Random.getstate(target)

    def restore(self) -> None:
        """Put it back where it differs."""
        if random.Random.getstate(self.target) != self.state:
            random.Random.setstate(self.target, self.state)


# By built-in type, subclasses before their bases.
CONTAINER_STATES: dict[type, Callable[..., SavedState]] = {
    OrderedDict: OrderedMappingState,
    dict: MappingState,
    list: SequenceState,
    deque: DequeState,
    set: SetState,
    bytearray: BytesState,
    array: ArrayState,
}


def cell_contents_of(cell: CellType) -> object:
    """Return what a cell holds, or a mark of its own for an empty one."""
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY_CELL


def slot_value(obj: object, slot: MemberDescriptorType | GetSetDescriptorType) -> object:
    """Return what a slot of an object holds, or a mark of its own for an empty one."""
    try:
        value: object = slot.__get__(obj)
    except AttributeError:
        return _MISSING
    return value
