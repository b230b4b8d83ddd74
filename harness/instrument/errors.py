"""Errors of putting scheduling points into code."""

from __future__ import annotations

__all__ = ["InstrumentError", "UnknownModuleError"]


class InstrumentError(Exception):
    """Scheduling points could not be put into code."""


class UnknownModuleError(InstrumentError, ValueError):
    """What was given to be instrumented, or put back, is no module that can be imported."""

    def __init__(self, name: str, reason: str, option: str = "instrument") -> None:
        super().__init__(name, reason, option)
        self.name, self.reason, self.option = name, reason, option

    def __str__(self) -> str:
        return (
            f"{self.option}={self.name!r} names no module that can be imported ({self.reason}); "
            "pass a module or its name"
        )
