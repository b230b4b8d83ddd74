"""Schedules: the choices of one execution, and their short form.

The base policy lets the running task go on while it can, and otherwise takes the candidate of lowest number, the clock
last. A schedule is what departs from it. That is independent of the strategy which found it, and short for schedules
with few preemptions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from harness.sim import CLOCK_NUMBER, Candidate, Option, Task

__all__ = ["FollowChoices", "FollowSchedule", "Follower", "Schedule", "base_choice"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """The choices of one execution.

    Attributes:
        length: Number of choices made, steps with a single candidate not counted.
        deviations: (choice from 0, number of the candidate taken) where the base policy would have taken another;
            tasks are numbered from 1 in order of creation, 0 is the clock.
    """

    length: int
    deviations: tuple[tuple[int, int], ...]


def base_choice(candidates: Sequence[Candidate], current: Task | None) -> Candidate:
    """Return the candidate that the base policy takes."""
    return current if current is not None and current in candidates else candidates[0]


class Follower:
    """Notes how the choices of an execution depart from the base policy. Confined to one execution.

    Attributes:
        made: Choices so far.
        draws: Numbers of the options drawn, by number of the task.
    """

    def __init__(self) -> None:
        self.made = 0
        self.draws: defaultdict[int, list[int]] = defaultdict(list)
        self._deviations: list[tuple[int, int]] = []

    def follow(self, base: Candidate, chosen: Candidate, current: Task | None) -> Candidate:
        """Note a choice and return it."""
        if isinstance(chosen, Option) and current is not None:
            self.draws[current.number].append(chosen.number)
        if chosen is not base:
            self._deviations.append((self.made, chosen.number))
        self.made += 1
        return chosen

    def schedule(self) -> Schedule:
        """Return the schedule followed so far."""
        return Schedule(self.made, tuple(self._deviations))


@final
class FollowChoices(Follower):
    """Repeats recorded choices. Confined to one execution."""

    def __init__(self, choices: Sequence[int]) -> None:
        super().__init__()
        self._choices = choices
        self.has_diverged = False

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate chosen before at this point, or the base policy's when there is none such."""
        base = base_choice(candidates, current)
        wanted = self._choices[self.made] if self.made < len(self._choices) else None
        chosen = next((candidate for candidate in candidates if candidate.number == wanted), None)
        if chosen is None:
            self.has_diverged = True
            chosen = base
        return self.follow(base, chosen, current)


@final
class FollowSchedule:
    """Follows a schedule. Confined to one execution.

    Attributes:
        divergence: Choice, wanted number and numbers and names of the candidates where a wanted task could not go on.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._wanted = dict(schedule.deviations)
        self.made = 0
        self.divergence: tuple[int, int, tuple[str, ...]] | None = None

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate the schedule wants."""
        chosen = base_choice(candidates, current)
        wanted = self._wanted.get(self.made)
        if wanted is not None:
            found = next((candidate for candidate in candidates if candidate.number == wanted), None)
            if found is not None:
                chosen = found
            elif self.divergence is None:
                self.divergence = self.made, wanted, tuple(candidate.name for candidate in candidates)
        self.made += 1
        return chosen


assert CLOCK_NUMBER == 0, "tokens hold the clock as task 0"
