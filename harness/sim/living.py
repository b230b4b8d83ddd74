"""Objects known by their ``id`` for as long as they live: whoever keeps tables by ``id`` is told when one is gone.

They are not kept alive where that can be helped: a program that looks at weak references must run as it would alone.
Built-in containers have none; they are kept, and nobody can see that.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, final

__all__ = ["Living", "Reference", "kind_of"]


@final
class Reference(weakref.ref[Any]):
    """A weak reference to what was an object of a type, known by an ``id``."""

    __slots__ = ("kind", "known_by")
    kind: type
    known_by: int


@final
class Living:
    """The objects of one execution that somebody keeps tables of. Confined.

    Args:
        forget: Called with the ``id`` of each that is gone, before another object can get it.
    """

    __slots__ = ("_forget", "_held")

    def __init__(self, forget: Callable[[int], object]) -> None:
        self._forget = forget
        self._held: dict[int, object] = {}  # by id: a reference, or the object

    def hold(self, obj: object) -> object:
        """Tell of the end of an object; return the reference to it, or the object where there can be none."""
        held = self._held.get(id(obj))
        if held is None:
            try:
                held = reference = Reference(obj, self._gone)
            except TypeError:
                held = obj
            else:
                reference.kind, reference.known_by = type(obj), id(obj)
            self._held[id(obj)] = held
        return held

    def clear(self) -> None:
        """Begin anew, for the next execution."""
        self._held.clear()

    def _gone(self, reference: Reference) -> None:
        if self._held.pop(reference.known_by, None) is not None:  # not there while all is cleared
            self._forget(reference.known_by)


def kind_of(held: object) -> type:
    """Return the type of an object that is held, or of the one that a reference was made to."""
    return held.kind if type(held) is Reference else type(held)
