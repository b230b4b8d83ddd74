"""Errors of exploring, replaying and stressing a program."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["ExploreError", "InvalidArgumentError", "InvalidTokenError", "ReplayDivergenceError"]


class ExploreError(Exception):
    """Something about an exploration, a replay or a stress run went wrong."""


class InvalidArgumentError(ExploreError, ValueError):
    """An argument cannot be used; the message says what was wanted, what is so and what to do."""


class InvalidTokenError(ExploreError, ValueError):
    """A token is damaged, or belongs to another program or to another version of its format."""


class ReplayDivergenceError(ExploreError):
    """The program did not follow the recorded schedule: it changed, or reads something that is not controlled.

    Attributes:
        step: Choice at which it left the schedule, from 0.
        wanted: Task the schedule wants there, or ``None`` where the execution ended too early.
        runnable: Tasks that could go on.
        choices: Choices that the schedule has.
        details: Why the wanted task could not go on, and which line of the program was reached.
    """

    def __init__(
        self, step: int, wanted: str | None, runnable: Sequence[str], choices: int, details: Sequence[str] = ()
    ) -> None:
        super().__init__(step, wanted, tuple(runnable), choices, tuple(details))
        self.step, self.wanted, self.runnable, self.choices = step, wanted, tuple(runnable), choices
        self.details = tuple(details)

    def __str__(self) -> str:
        cause = "the program changed or reads a clock, randomness or state we do not control"
        if self.wanted is None:
            choices = f"{self.choices} choice{'s' * (self.choices != 1)}"
            return f"the schedule has {choices}, the program made {self.step}; {cause}"
        runnable = ", ".join(repr(name) for name in self.runnable)
        found = "; ".join([f"runnable are {runnable}", *self.details, cause])
        return f"step {self.step} wants task {self.wanted!r}, {found}"
