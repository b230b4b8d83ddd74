"""Immutable mapping from text that iterates in sorted order.

The entries are an ``immutables.Map``: looking up goes straight to it, and a changed copy costs O(log n). A ``Map``
walks its keys in an order that differs between processes, so every iteration here goes through the sorted keys, made
on first use. Empty maps have them from the start: they are shared by all registries of a process, and the steps of a
program must not depend on who iterated first.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeVar, final, overload

import immutables

from harness.registry.errors import WrongTypeError

if TYPE_CHECKING:
    from pydantic_core import CoreSchema

__all__ = ["EMPTY_MAP", "SortedMap", "freeze"]

V = TypeVar("V")
T = TypeVar("T")

_ABSENT: Final = object()


@final
class SortedMap(Mapping[str, V]):
    """Immutable mapping from text to ``V``, iterated in sorted order. Hashable if its values are.

    Concurrency: *immutable*. The sorted keys are a cache: two threads may both compute it, with the same result.

    Example:
        >>> list(SortedMap({"b": 1, "a": 2}).with_entry("aa", 3))
        ['a', 'aa', 'b']
    """

    __slots__ = ("_entries", "_order")

    def __init__(self, entries: Mapping[str, V] | None = None) -> None:
        self._entries: immutables.Map[str, V] = immutables.Map(entries or {})
        self._order: tuple[str, ...] | None = None if self._entries else ()

    def __getitem__(self, key: str) -> V:
        return self._entries[key]

    def __contains__(self, key: object) -> bool:
        return key in self._entries

    @overload
    def get(self, key: str, /) -> V | None: ...
    @overload
    def get(self, key: str, /, default: V | T) -> V | T: ...
    def get(self, key: str, /, default: V | T | None = None) -> V | T | None:
        """The value of the key, or the default."""
        return self._entries.get(key, default)

    def __iter__(self) -> Iterator[str]:
        order = self._order
        if order is None:
            order = self._order = tuple(sorted(self._entries))
        return iter(order)

    def __len__(self) -> int:
        return len(self._entries)

    def with_entry(self, key: str, value: V) -> SortedMap[V]:
        """A map that differs in this key, O(log n)."""
        return _wrap(self._entries.set(key, value))

    def without(self, key: str) -> SortedMap[V]:
        """A map that lacks this key, O(log n).

        Raises:
            KeyError: The key is not there.
        """
        return _wrap(self._entries.delete(key))

    def unordered(self) -> Iterator[V]:
        """The values, in an order that differs between processes: for questions to which it does not matter."""
        return iter(self._entries.values())

    def changes_to(self, other: SortedMap[V]) -> tuple[list[str], list[str], list[str]]:
        """Keys that only the other has, that only this one has, and whose values differ; in no order.

        Maps that are copies of each other without a change cost nothing, others one look at each entry.
        """
        old, new = self._entries, other._entries
        if old is new:
            return [], [], []
        came, differ = [], []
        for key, value in new.items():
            before = old.get(key, _ABSENT)
            if before is _ABSENT:
                came.append(key)
            elif before is not value and before != value:
                differ.append(key)
        return came, [key for key in old if key not in new], differ

    def __eq__(self, other: object) -> bool:
        if isinstance(other, SortedMap):
            return self._entries is other._entries or self._entries == other._entries
        return Mapping.__eq__(self, other)

    def __hash__(self) -> int:
        return hash(self._entries)

    def __repr__(self) -> str:
        return f"SortedMap of {', '.join(map(repr, self))}" if self else "empty SortedMap"  # values may be secrets

    def __reduce__(self) -> tuple[type[SortedMap[V]], tuple[dict[str, V]]]:
        return (SortedMap, (dict(self),))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: Callable[[object], CoreSchema]) -> CoreSchema:
        from pydantic_core import core_schema  # only file loading needs pydantic

        return core_schema.no_info_after_validator_function(freeze, handler(dict[str, object]))


EMPTY_MAP: SortedMap[object] = SortedMap()


def freeze(value: object) -> object:
    """A deep copy that cannot change: mappings become ``SortedMap``, lists tuples, sets frozensets.

    What is neither is copied with ``copy.deepcopy``.

    Raises:
        WrongTypeError: A mapping has a key that is no text.
    """
    if isinstance(value, Mapping):
        return SortedMap({_text_key(key): freeze(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(freeze(item) for item in value)
    if isinstance(value, set | frozenset):
        return frozenset(freeze(item) for item in value)
    return copy.deepcopy(value)


def _text_key(key: object) -> str:
    if not isinstance(key, str):
        raise WrongTypeError("a key of a configuration", "text", key)
    return key


def _wrap(entries: immutables.Map[str, V]) -> SortedMap[V]:
    wrapped: SortedMap[V] = SortedMap.__new__(SortedMap)
    wrapped._entries = entries
    wrapped._order = None if entries else ()
    return wrapped
