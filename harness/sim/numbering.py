"""Objects numbered by first appearance: a number stays its own, as an ``id`` does not once the object is gone."""

from __future__ import annotations

from typing import final

from harness.sim.living import Living

__all__ = ["Numbering"]


@final
class Numbering:
    """Numbers the objects of one execution, from 0. Confined."""

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # by id
        self._living = Living(self._numbers.pop)
        self._met = 0

    def number(self, obj: object) -> int:
        """Return the number of an object."""
        found = self._numbers.get(id(obj))
        if found is None:
            found = self._numbers[id(obj)] = self._met
            self._met += 1
            self._living.hold(obj)
        return found

    def clear(self) -> None:
        """Begin anew, for the next execution."""
        self._numbers.clear()
        self._living.clear()
        self._met = 0
