"""Objects numbered by first appearance: a number stays its object's own, as an ``id`` does not once the object is gone.

An object is not kept alive where that can be helped: a program that looks at weak references must run as it would
alone. Built-in containers have none; they are kept.
"""

from __future__ import annotations

import weakref
from typing import Any, final

__all__ = ["Numbering"]


class _Number(weakref.ref[Any]):
    """A weak reference that knows by which ``id`` its object was known."""

    __slots__ = ("known_by",)
    known_by: int


@final
class Numbering:
    """Numbers the objects of one execution, from 0. Confined."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # by id
        self._kept: dict[int, object] = {}  # by id: what forgets it in time, or the object
        self._met = 0

    def number(self, obj: object) -> int:
        """Return the number of an object."""
        found = self._numbers.get(id(obj))
        if found is None:
            found = self._numbers[id(obj)] = self._met
            self._met += 1
            self._keep(obj)
        return found

    def _keep(self, obj: object) -> None:
        try:
            kept = self._kept[id(obj)] = _Number(obj, self._forget)
        except TypeError:
            self._kept[id(obj)] = obj
        else:
            kept.known_by = id(obj)

    def _forget(self, gone: _Number) -> None:
        self._numbers.pop(gone.known_by, None)  # not there while all is cleared
        self._kept.pop(gone.known_by, None)

    def clear(self) -> None:
        """Begin anew, for the next execution."""
        self._numbers.clear()
        self._kept.clear()
        self._met = 0
