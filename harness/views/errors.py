"""Errors of the views."""

from __future__ import annotations

from typing import final

__all__ = [
    "AmbiguousEntryError",
    "InvalidArgumentError",
    "InvalidChoiceError",
    "ReadOnlyViewError",
    "UnknownEntryError",
    "ViewError",
]


class ViewError(Exception):
    """Root of all errors raised by views."""


@final
class InvalidArgumentError(ViewError, ValueError):
    """A number given to a view is outside what it can draw."""

    def __init__(self, name: str, value: int, least: int) -> None:
        super().__init__(name, value, least)
        self.name, self.value, self.least = name, value, least

    def __str__(self) -> str:
        return f"{self.name}={self.value!r} is below {self.least}; pass {self.least} or more"


@final
class UnknownEntryError(ViewError, LookupError):
    """An entry is asked for that the registry does not hold."""

    def __init__(self, entry_id: str, namespace: str | None, version: int, near: tuple[str, ...]) -> None:
        super().__init__(entry_id, namespace, version, near)
        self.entry_id, self.namespace, self.version, self.near = entry_id, namespace, version, near

    def __str__(self) -> str:
        place = f"{self.namespace} of version {self.version}" if self.namespace else f"version {self.version}"
        near = ", ".join(repr(name) for name in self.near)
        return f"no entry {self.entry_id!r} in {place}; " + (f"near: {near}" if near else "nothing is near")


@final
class AmbiguousEntryError(ViewError, ValueError):
    """An id stands in several namespaces."""

    def __init__(self, entry_id: str, namespaces: tuple[str, ...]) -> None:
        super().__init__(entry_id, namespaces)
        self.entry_id, self.namespaces = entry_id, namespaces

    def __str__(self) -> str:
        places = " and ".join(self.namespaces)
        return f"entry {self.entry_id!r} stands in {places}; name it as ({self.namespaces[0]!r}, {self.entry_id!r})"


@final
class InvalidChoiceError(ViewError, ValueError):
    """A word given to a view is none that it knows."""

    def __init__(self, name: str, value: str, known: tuple[str, ...]) -> None:
        super().__init__(name, value, known)
        self.name, self.value, self.known = name, value, known

    def __str__(self) -> str:
        return f"{self.name}={self.value!r} is not known; pass one of {', '.join(map(repr, self.known))}"


@final
class ReadOnlyViewError(ViewError):
    """A view that only shows is asked to change the registry."""

    def __init__(self, wanted: str, reason: str) -> None:
        super().__init__(wanted, reason)
        self.wanted, self.reason = wanted, reason

    def __str__(self) -> str:
        return f"{self.wanted} is asked of the view, {self.reason}"
