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

from harness.explore import Exploration, Verdict, explore


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
    name: str, *, instrument: Sequence[str], only: str = "*", exclude: dict[str, str], max_schedules: int
) -> Tally:
    """Run the test methods of a module whose ``Class.method`` fits a pattern, but for those excluded with a reason."""
    tally = Tally()
    for test in methods(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))):
        method = test.id().removeprefix(name + ".")
        if not fnmatch.fnmatchcase(method, only):
            continue
        reason = next((why for pattern, why in exclude.items() if fnmatch.fnmatchcase(method, pattern)), None)
        if reason is not None:
            tally.excluded[method] = reason
            continue
        result = run_method(test, instrument, max_schedules)
        if result.verdict is not Verdict.PASSED:
            tally.failed[method] = str(result)
        has_choices = max(result.log.choices, default=0) > 0
        tally.counts[f"{result.verdict} {'with' if has_choices else 'without'} choices"] += 1
    return tally


def run_method(test: unittest.TestCase, instrument: Sequence[str], max_schedules: int) -> Exploration:
    def program():
        with suppress(unittest.SkipTest):
            type(test)(test._testMethodName).debug()

    return explore(program, strategy=PromptWalk(0), instrument=instrument, max_schedules=max_schedules, max_seconds=20)
