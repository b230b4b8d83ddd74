"""Races: two accesses of one location, one of them a write, that nothing puts in order.

A race is no failure by itself: a program may be right in either order. It tells where the order was left to chance.
"""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, final

from harness.explore.arguments import listed
from harness.explore.errors import ExploreError, InvalidArgumentError
from harness.sim import shown_file

__all__ = ["Access", "Allow", "Race", "RaceError", "allowed", "check_allow"]

Allow = tuple[str, str]  # location or place, and the reason why a race there is harmless


@final
@dataclass(frozen=True, slots=True)
class Access:
    """One of the two accesses. Immutable.

    Attributes:
        task: Name of the task.
        kind: ``read`` or ``write``.
        path: File of the line that did it.
        line: That line, from 1.
        function: Qualified name of the function around it.
        stack: The program's calls that led there, innermost first, as ``file:line in function``.
    """

    task: str
    kind: Literal["read", "write"]
    path: str = field(repr=False)
    line: int
    function: str
    stack: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """Name of the file as people read it, the same on every machine."""
        return shown_file(self.path)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file}:{self.line}"

    @property
    def source(self) -> str:
        """Text of the line, stripped; empty where the source is gone."""
        return linecache.getline(self.path, self.line).strip()

    def __str__(self) -> str:
        return f"{self.kind} by task {self.task!r} at {self.place} in {self.function}: {self.source}".rstrip(": ")


@final
@dataclass(frozen=True, slots=True)
class Race:
    """Two accesses that no start, join, lock or other primitive puts in order. Immutable.

    Attributes:
        location: What both touched: ``Counter.n``, ``dict['mail']``, or the name of a variable.
        first: The access that came first in the schedule in which the race was met.
        second: The other one.
        schedule: Position of that schedule in the exploration, from 1.
    """

    location: str
    first: Access
    second: Access
    schedule: int

    def summary(self) -> str:
        """Return one line."""
        first, second = self.first, self.second
        return f"race on {self.location}: {first.kind} at {first.place}, {second.kind} at {second.place}"

    def __str__(self) -> str:
        return "\n".join(
            [f"race on {self.location}", *(line for side in (self.first, self.second) for line in _told(side))]
        )

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, object]:  # noqa: ARG002
        return {"text/plain": str(self)}


def _told(access: Access) -> list[str]:
    return [f"  {access}", *(f"    from {caller}" for caller in access.stack[1:])]


class RaceError(ExploreError):
    """A race was found, and the exploration was told to take races as failures."""

    def __init__(self, race: Race) -> None:
        super().__init__(race)
        self.race = race

    def __str__(self) -> str:
        return str(self.race)


def check_allow(allow: Iterable[Allow]) -> tuple[Allow, ...]:
    """Check that each entry is a location and a reason, and return them.

    Raises:
        InvalidArgumentError: one is something else, or has no reason.
    """
    entries = listed("allow", allow, "[('Counter.n', 'why it is harmless')]")
    for entry in entries:
        is_pair = isinstance(entry, tuple) and len(entry) == 2 and all(isinstance(part, str) for part in entry)
        if not is_pair or not all(part.strip() for part in entry):
            raise InvalidArgumentError(
                f"allow wants pairs of a place and a reason, has {entry!r}; write [('Counter.n', 'why it is harmless')]"
            )
    return entries


def allowed(race: Race, allow: Sequence[Allow]) -> bool:
    """Return whether an entry names the race's location, or the function or ``file:line`` of one of its accesses."""
    sides = (race.first, race.second)
    names = {race.location, *(side.function for side in sides), *(side.place for side in sides)}
    return any(place in names for place, _ in allow)
