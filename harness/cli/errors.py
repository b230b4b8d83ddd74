"""Errors of the command line's own."""

from __future__ import annotations

__all__ = ["WrongUseError"]


class WrongUseError(ValueError):
    """The command cannot be carried out as given; nothing was done.

    Attributes:
        problem: What was wanted and what is so.
        remedy: What to do.
    """

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem, remedy)
        self.problem, self.remedy = problem, remedy

    def __str__(self) -> str:
        return f"{self.problem}; {self.remedy}"
