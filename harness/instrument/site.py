"""Sites: the places in source code where a scheduling point stands.

A site is named by the digest of the source text, the qualified name of the function, the ordinal of that definition
among its namesakes and the occurrence within it. File and module names are no part of it, so that a schedule recorded
in one process, or on one Python version, speaks of the same places in another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, final

__all__ = ["Operation", "Site", "SiteTable"]

Operation = Literal["read", "write", "update", "call", "acquire"]


@dataclass(frozen=True, slots=True)
class Site:
    """One scheduling point in source code.

    Attributes:
        digest: Short digest of the source text that holds it.
        qualname: Qualified name of the innermost function around it.
        ordinal: Which definition of that name, from 0, in source order.
        occurrence: Which scheduling point of that definition, from 0.
        operation: What the program is about to do there.
        name: Attribute, variable or method touched; ``None`` for a key known only at run time.
        file: File of the source, for people only.
        line: Line of the operation, from 1.
    """

    digest: str
    qualname: str
    ordinal: int
    occurrence: int
    operation: Operation
    name: str | None
    file: str = field(compare=False)
    line: int = field(compare=False)


_Fields = tuple[str, str, int, int, Operation, str | None, str, int]  # of a site, in their order


@final
class SiteTable(dict[int, Site]):
    """Sites by their numbers, each made when somebody asks for it. Confined: filled before the first run.

    Args:
        first: Number of the first site that is added.
    """

    def __init__(self, first: int = 0) -> None:
        super().__init__()
        self._next = first
        self._fields: dict[int, _Fields] = {}
        self._nameless: dict[int, Site] = {}
        self._named: dict[tuple[int, str], Site] = {}

    def add(self, fields: _Fields) -> int:
        """Return the number of a new site, which has these fields."""
        number = self._next
        self._next = number + 1
        self._fields[number] = fields
        return number

    def include(self, other: SiteTable) -> None:
        """Add the sites of another table under the numbers they have there."""
        self._fields |= other._fields

    def __missing__(self, number: int) -> Site:
        site = self[number] = Site(*self._fields[number])
        return site

    def __len__(self) -> int:
        return len(self._fields)

    def nameless(self, number: int) -> Site:
        """Return a site as it stands for an operation on whole objects, not on an attribute."""
        found = self._nameless.get(number)
        if found is None:
            found = self._nameless[number] = replace(self[number], name=None)
        return found

    def named(self, number: int, attribute: str) -> Site:
        """Return a site as it stands for an operation on an attribute whose name is known at run time."""
        found = self._named.get((number, attribute))
        if found is None:
            found = self._named[number, attribute] = replace(self[number], name=attribute)
        return found

    def all(self) -> tuple[Site, ...]:
        """Return the sites in the order they were added."""
        return tuple(map(self.__getitem__, self._fields))
