"""Sets that iterate in the order of insertion, for modules whose sets decide what runs next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from weakref import ref

__all__ = ["OrderedRefs", "OrderedSet"]

_T = TypeVar("_T")


class OrderedSet(set[_T]):
    """A set that iterates in the order in which its members were put in. Confined.

    What the operators give (``|``, ``-``) are plain sets.
    """

    def __init__(self, members: Iterable[_T] = (), /) -> None:
        super().__init__()
        self._order: dict[_T, None] = {}
        self.update(members)

    def __iter__(self) -> Iterator[_T]:
        return iter(self._order)

    def add(self, member: _T, /) -> None:
        """Put a member in; as ``set.add``."""
        super().add(member)
        self._order[member] = None

    def discard(self, member: object, /) -> None:
        """Take a member out, if it is in; as ``set.discard``."""
        super().discard(member)
        self._order.pop(member, None)  # type: ignore[arg-type]  # what is no member is not in

    def remove(self, member: _T, /) -> None:
        """Take a member out; as ``set.remove``."""
        super().remove(member)
        del self._order[member]

    def pop(self) -> _T:
        """Take out the member that was put in first."""
        if not self._order:
            raise KeyError("pop from an empty set")
        member = next(iter(self._order))
        self.remove(member)
        return member

    def clear(self) -> None:
        """Take everything out; as ``set.clear``."""
        super().clear()
        self._order.clear()

    def update(self, *others: Iterable[_T]) -> None:
        """Put in what others have; as ``set.update``."""
        for other in others:
            for member in other:
                self.add(member)

    def difference_update(self, *others: Iterable[object]) -> None:
        """Take out what others have; as ``set.difference_update``."""
        for other in others:
            for member in list(other):
                self.discard(member)

    def copy(self) -> OrderedSet[_T]:
        """Return a copy in the same order."""
        return OrderedSet(self)


class OrderedRefs(list[ref[Any]]):
    """What a weak set of asyncio's keeps its references in, so that it iterates in the order of insertion. Confined.

    A set as far as asyncio goes: nothing is put in twice, and what is dead may stay in.
    """

    __slots__ = ()

    add = list.append

    def discard(self, reference: ref[Any]) -> None:
        """Take a reference out, if it is in."""
        if reference in self:
            self.remove(reference)
