"""Verdicts of an exploration, never more than was earned."""

from __future__ import annotations

from enum import Enum

__all__ = ["Verdict"]


class Verdict(Enum):
    """What an exploration may claim."""

    FAILED = "FAILED"  # a schedule was found in which the program fails
    PROVED = "PROVED"  # none fails, of all interleavings, up to equivalence and under the assumptions given
    PASSED = "PASSED"  # none failed among those that were run
    UNCONTROLLED = "UNCONTROLLED"  # a thread, a real lock or a blocking call escaped the world

    def __str__(self) -> str:
        return self.value
