"""What makes one failing schedule simpler than another: fewer preemptions, then a shorter schedule."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Measure"]


class Measure(NamedTuple):
    """Size of a schedule; compared from left to right.

    Attributes:
        preemptions: How often a task is left that could go on.
        deviations: Choices that are not the base policy's, which is what a token spells out.
        choices: Choices in all.
        early: Events before each preemption, added up: of equals the one that is decided first.
        departures: The deviations themselves: of equals the one with the lower tasks.
    """

    preemptions: int
    deviations: int
    choices: int
    early: int
    departures: tuple[tuple[int, int], ...]
