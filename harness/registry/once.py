"""A value made at most once, on first use.

Double-checked: whoever finds the value made takes no lock. The others wait for the one that makes it, because they
need that very value. It is made aside and published in one assignment, so nobody meets half of it. A failure leaves
the cell as it was, and the next one who asks tries again from nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar, final

from harness.registry.errors import NestedBuildError

__all__ = ["Once"]

T = TypeVar("T")


@final
class Once(Generic[T]):
    """Cell for a value that is made by the first who asks. Concurrency: *thread-safe*.

    ``make`` runs under the cell's own lock: it may use other cells, but two cells whose functions ask for each other
    from two threads wait for ever. Asking for its own cell on the same thread is refused.

    Args:
        make: Makes the value.
        what: What is made, for the message of the refusal.
    """

    __slots__ = ("_box", "_lock", "_make", "_maker", "_what")

    def __init__(self, make: Callable[[], T], what: str) -> None:
        self._make, self._what = make, what
        self._lock = threading.Lock()
        self._maker: int | None = (
            None  # thread inside _make; written under _lock, equals the reader's only if it is inside
        )
        self._box: tuple[T] | None = None  # written once, under _lock

    @classmethod
    def holding(cls, value: T, what: str) -> Once[T]:
        """A cell whose value is there already."""
        once = cls(lambda: value, what)
        once._box = (value,)
        return once

    @property
    def is_made(self) -> bool:
        """Whether the value is there."""
        return self._box is not None

    def holds(self, value: object) -> bool:
        """Whether the value is there and is this very object."""
        box = self._box
        return box is not None and box[0] is value

    def get(self) -> T:
        """The value, made now if it is not there.

        Raises:
            NestedBuildError: Called from inside ``make`` on the same thread.
        """
        box = self._box
        if box is not None:
            return box[0]
        if self._maker == threading.get_ident():
            raise NestedBuildError(self._what)
        with self._lock:
            return self._get_alone()

    def _get_alone(self) -> T:
        box = self._box
        if box is None:
            self._maker = threading.get_ident()
            try:
                box = self._box = (self._make(),)
            finally:
                self._maker = None
        return box[0]
