"""CPython's own tests, each method run inside a world under several schedules.

The clock advances only when no task can go on, because these tests wait by sleeping: they suppose that the other
threads are not slow.
"""

from __future__ import annotations

import fnmatch
import importlib
import unittest
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random

from harness.explore.program import make_world
from harness.explore.strategies import Aside
from harness.sim import Outcome, World

PATIENCE_S = 60.0  # without a scheduling point: some methods compute for long, in quadratic time


class PromptWalk:
    """A random walk over the tasks; the clock has its turn when all of them wait."""

    name = "prompt"

    def __init__(self, seed: int) -> None:
        self._random = Random(seed).random

    def begin(self) -> bool:
        return True

    def choose(self, candidates, current):
        tasks = [candidate for candidate in candidates if candidate.number] or candidates
        return tasks[int(self._random() * len(tasks))]


@dataclass
class Tally:
    """What became of the methods of one test module."""

    excluded: dict[str, str] = field(default_factory=dict)  # method -> reason
    failed: dict[str, str] = field(default_factory=dict)  # method -> what happened
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, method: str, executions: Iterator[Outcome]) -> None:
        """Take note of the executions of one method, the first of which only warms up."""
        first, *rest = executions
        judged = rest or [first]
        if judged[-1].kind not in ("ok", "cut"):
            self.failed[method] = f"{judged[-1].kind} {judged[-1].text} {judged[-1].error!r}"
            return
        has_choices = any(outcome.choices for outcome in judged)
        what = "cut at the bound of steps" if judged[-1].kind == "cut" else "passed"
        self.counts[f"{what} {'with' if has_choices else 'without'} choices"] += 1

    def __str__(self) -> str:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        reasons = Counter(self.excluded.values())
        return f"{counts}; excluded {len(self.excluded)}: " + "; ".join(f"{r} ({n})" for r, n in reasons.items())


def methods(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from methods(test)
        else:
            yield test


def run_module(
    name: str, *, instrument: Sequence[str] = (), only: str = "*", exclude: dict[str, str], schedules: int
) -> Tally:
    """Run the test methods of a module whose ``Class.method`` fits a pattern, but for those excluded with a reason.

    All run in one world, each for so many executions: making a world takes longer than most methods do.
    """
    tally, chosen, current = Tally(), _Method(), []
    with make_world(
        chosen.run, instrument, setup=lambda: vars(chosen).update(test=current[-1]), patience_s=PATIENCE_S
    ) as world:
        for test in methods(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))):
            method = test.id().removeprefix(name + ".")
            if not fnmatch.fnmatchcase(method, only):
                continue
            reason = next((why for pattern, why in exclude.items() if fnmatch.fnmatchcase(method, pattern)), None)
            if reason is not None:
                tally.excluded[method] = reason
                continue
            current.append(test)
            tally.take(method, execute(world, schedules))
    return tally


class _Method:
    """The program of a world: the test method that is chosen before each execution, when all state is put back."""

    test: unittest.TestCase

    def run(self) -> None:
        with suppress(unittest.SkipTest):
            type(self.test)(self.test._testMethodName).debug()


def execute(world: World, schedules: int) -> Iterator[Outcome]:
    """Run once to import modules, and so many times under a walk, up to the first that fails or is cut."""
    first = world.warm_up()
    yield first
    walk = Aside(PromptWalk(0))  # its own code is in the instrumented module
    while schedules and first.kind != "uncontrolled":
        outcome = world.execute(walk.choose)
        yield outcome
        schedules = schedules - 1 if outcome.kind == "ok" else 0
