"""A glance at the state of many objects at once, to learn that none of it differs.

An execution leaves nearly all of its program's state as it was. To ask each object takes a call each; to compare the
entries of all of them, one after the other, takes a few passes in C.
"""

from __future__ import annotations

from collections.abc import Sequence
from ctypes import string_at
from itertools import chain
from operator import call, is_
from types import CellType, MappingProxyType
from typing import Any, final

from harness.sim.saved_state import (
    CellState,
    ClassState,
    MappingState,
    NamespaceState,
    SavedState,
    SequenceState,
    SetState,
    SlotState,
    attributes_of_class,
)

__all__ = ["Glance", "is_plain"]

_KEYED = (MappingState, NamespaceState, ClassState)
_MAPPINGS = (dict, MappingProxyType)
_contents_of: Any = CellType.__dict__["cell_contents"].__get__
_HEAD, _WORD = tuple.__basicsize__, tuple.__itemsize__  # bytes before a tuple's items, and of each


@final
class Glance:
    """Compares namespaces, classes, plain containers, cells and slots with what was noted of them. Confined.

    Entries are compared by identity, in their order; no code of the program is called. A tuple holds the addresses of
    its items one after the other: two with the same items hold the same bytes.
    """

    def __init__(self, states: Sequence[SavedState]) -> None:
        self.states = states
        keyed: list[Any] = [state for state in states if isinstance(state, _KEYED)]
        plain: list[Any] = [state for state in states if isinstance(state, (SequenceState, SetState))]
        cells: list[Any] = [state for state in states if isinstance(state, CellState)]
        slots: list[Any] = [state for state in states if isinstance(state, SlotState)]
        noted = [*(state.saved for state in keyed), *(state.items for state in plain)]
        self._targets = [*map(_target_of, keyed), *(state.target for state in plain)]
        self._sizes = list(map(len, noted))
        self._iterables = [*self._targets, *(target.values() for target in self._targets[: len(keyed)])]
        self._cells = [state.target for state in cells]
        self._getters = [state.slot.__get__ for state in slots]
        self._owners = [state.target for state in slots]
        self._noted = *chain.from_iterable(noted), *chain.from_iterable(state.saved.values() for state in keyed)
        self._addresses = _addresses(self._noted)
        self._others = [*(state.contents for state in cells), *(state.value for state in slots)]

    def is_same(self) -> bool:
        """Return whether nothing differs."""
        try:
            if list(map(len, self._targets)) != self._sizes:
                return False
            if _addresses(tuple(chain.from_iterable(self._iterables))) != self._addresses:
                return False
            contents, values = map(_contents_of, self._cells), map(call, self._getters, self._owners)
            return all(map(is_, chain(contents, values), self._others))
        except (ValueError, AttributeError):  # a cell or a slot has become empty
            return False


def is_plain(state: SavedState) -> bool:
    """Return whether a glance can take it in."""
    if isinstance(state, _KEYED):
        return type(_target_of(state)) in _MAPPINGS
    if isinstance(state, (SequenceState, SetState)):
        return type(state.target) in (list, set)
    return isinstance(state, (CellState, SlotState)) and not state.is_empty


def _addresses(items: tuple[object, ...]) -> bytes:
    return string_at(id(items) + _HEAD, len(items) * _WORD)


def _target_of(state: Any) -> Any:
    return attributes_of_class(state.target) if type(state) is ClassState else state.target
