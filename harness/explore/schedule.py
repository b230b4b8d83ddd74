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

from harness.sim import CLOCK_NUMBER, Candidate, Option, Task, call_stack, why_not_runnable

__all__ = ["Divergence", "FollowChoices", "FollowSchedule", "Follower", "Schedule", "base_choice"]


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


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where an execution could not follow its schedule. Immutable.

    Attributes:
        step: The choice, from 0.
        wanted: Number of the candidate that the schedule wants.
        runnable: Names of those there were.
        reason: Why the wanted one is not among them.
        place: Which task chose, and at which line of the program; empty where none did.
    """

    step: int
    wanted: int
    runnable: tuple[str, ...]
    reason: str
    place: str


@final
class FollowSchedule:
    """Follows a schedule. Confined to one execution.

    Attributes:
        divergence: The first choice where what the schedule wants could not go on, ``None`` while there was none.
    """

    def __init__(self, schedule: Schedule) -> None:
        self._wanted = dict(schedule.deviations)
        self.made = 0
        self.divergence: Divergence | None = None

    def choose(self, candidates: Sequence[Candidate], current: Task | None) -> Candidate:
        """Return the candidate the schedule wants."""
        chosen = base_choice(candidates, current)
        wanted = self._wanted.get(self.made)
        if wanted is not None:
            found = next((candidate for candidate in candidates if candidate.number == wanted), None)
            if found is not None:
                chosen = found
            elif self.divergence is None:
                self.divergence = self._divergence(wanted, candidates, current)
        self.made += 1
        return chosen

    def _divergence(self, wanted: int, candidates: Sequence[Candidate], current: Task | None) -> Divergence:
        tasks = [task for task in (current, *candidates) if isinstance(task, Task)]
        is_draw = isinstance(candidates[0], Option)
        reason = f"there are {len(candidates)} options" if is_draw else ""
        if tasks and not is_draw:
            reason = why_not_runnable(tasks[0].scheduler, wanted)
        stack = call_stack() if current is not None else ()
        place = f"{current.name!r} is at {stack[0]}" if current is not None and stack else ""
        return Divergence(self.made, wanted, tuple(candidate.name for candidate in candidates), reason, place)


assert CLOCK_NUMBER == 0, "tokens hold the clock as task 0"
