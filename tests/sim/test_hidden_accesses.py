"""Conflicts in C functions, built-ins and generated code: each is told as events, or as a call that may do anything."""

from __future__ import annotations

import pytest

from harness.explore import Verdict, explore
from harness.explore.program import make_world
from tests.programs.hidden_accesses import PROGRAMS

# The conflict cannot be told exactly: code of the program runs within, or nobody says what the function does.
OPAQUE = {"a chain of maps", "a pattern", "an element", "lru_cache", "random.choice"}


class Footprints:
    """Notes which tasks touched each object, as declared before each step."""

    def __init__(self) -> None:
        self.accesses: list[tuple[int, int, bool]] = []  # task, object, whether it may write
        self.calls: list[tuple[int, int]] = []  # task, object that an opaque call may reach
        self.kept: list[object] = []  # so that their ids stay their own

    def access(self, task, obj, site, key, operation):
        self.kept.append(obj)
        self.accesses.append((task.number, id(obj), operation != "read"))

    def opaque(self, task, function, reached, site):
        self.kept.extend(reached)
        self.calls.extend((task.number, id(obj)) for obj in reached)

    def ignore(self, *args):
        pass

    primitive = step = block = wake = edge = start = end = ignore

    def has_conflict(self) -> bool:
        """Return whether the two threads conflict in what is known of them; the task that starts them is the first."""
        return any(
            obj == other and task > 1 and other_task > 1 and task != other_task and writes
            for task, obj, writes in self.accesses
            for other_task, other, _ in self.accesses
        )

    def meets_in_opaque_call(self) -> bool:
        touched = [(task, obj) for task, obj, _ in self.accesses] + self.calls
        return any(
            obj == other and task > 1 and other_task > 1 and task != other_task
            for task, obj in self.calls
            for other_task, other in touched
        )


def first(candidates, current):
    return current if current in candidates else candidates[0]


@pytest.mark.parametrize("name", PROGRAMS)
def test_conflict_of_two_tasks_is_declared(name):
    footprints = Footprints()
    with make_world(PROGRAMS[name], []) as world:
        world.warm_up()
        outcome = world.execute(first, tracker=footprints)

    assert outcome.kind == "ok", outcome
    is_opaque = name in OPAQUE or "foreign" in name
    assert footprints.meets_in_opaque_call() if is_opaque else footprints.has_conflict()


@pytest.mark.long
@pytest.mark.parametrize("name", PROGRAMS)
def test_order_that_fails_is_found_by_chance(name):
    # one switch before the reader's only access: a walk misses it with p < 0.8, 60 of them with p < 2e-6
    result = explore(PROGRAMS[name], max_schedules=60, seed=3)

    assert result.verdict is Verdict.FAILED
    assert result.schedules > 1 or result.failure is not None
