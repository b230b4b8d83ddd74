"""Errors of putting scheduling points into code."""

from __future__ import annotations

__all__ = ["InstrumentError", "UnknownModuleError"]


class InstrumentError(Exception):
    """Scheduling points could not be put into code."""


class UnknownModuleError(InstrumentError, ValueError):
    """A name given to be instrumented is no module that can be imported."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return (
            f"instrument={self.name!r} names no module that can be imported ({self.reason}); pass a module or its name"
        )
