"""Errors of the views."""

from __future__ import annotations

from typing import final

__all__ = ["InvalidArgumentError", "ViewError"]


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
