"""CPython's own tests, each method run inside a world under several schedules.

The clock advances only when no task can go on, because these tests wait by sleeping: they suppose that the other
threads are not slow.
"""

from __future__ import annotations

import doctest
import fnmatch
import importlib
import queue
import threading
import unittest
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
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

    def take(self, method: str, executions: Sequence[Outcome], *, is_skipped: bool) -> None:
        """Take note of the executions of one method."""
        last = executions[-1]
        if last.kind != "ok":
            self.failed[method] = f"{last.kind} {last.text} {last.error!r}"
        elif is_skipped:
            self.counts["skipped by themselves"] += 1
        else:
            has_choices = any(outcome.choices for outcome in executions)
            self.counts[f"passed {'with' if has_choices else 'without'} choices"] += 1

    @property
    def share_excluded(self) -> float:
        """The part of the methods that is excluded."""
        return len(self.excluded) / (len(self.excluded) + len(self.failed) + self.counts.total())

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
    name: str,
    *,
    instrument: Sequence[str] = (),
    only: str = "*",
    exclude: dict[str, str],
    schedules: int,
    alone: Mapping[str, str] | None = None,
    patience_s: float = PATIENCE_S,
) -> Tally:
    """Run the test methods of a module in one world, because making a world takes longer than most of them do.

    Args:
        name: The test module.
        instrument: Modules to instrument.
        only: Pattern of ``Class.method`` to run.
        exclude: Patterns of those not to run, with the reason.
        schedules: Executions of each, after one that only warms up, up to the first that fails.
        alone: Run each that fits no pattern of these as often again in two tasks at once, each with objects of its
            own, and those that fit one beside a task that does something else: all of them choose then, even those
            that start no thread. ``None`` for not doing so.
        patience_s: Real seconds without a scheduling point after which an execution is ended.
    """
    tally, chosen = Tally(), _Method()
    settings: dict[str, object] = {}
    with make_world(
        chosen.run, instrument, setup=lambda: vars(chosen).update(settings), patience_s=patience_s
    ) as world:
        for test in methods(unittest.defaultTestLoader.loadTestsFromModule(importlib.import_module(name))):
            method = test.id().removeprefix(name + ".")
            if not fnmatch.fnmatchcase(method, only):
                continue
            reason = _reason(method, exclude)
            if reason is not None:
                tally.excluded[method] = reason
                continue
            settings.update(test=test, beside=None)
            executions = list(execute(world, schedules))
            if alone is not None and executions[-1].kind == "ok":
                settings.update(beside=chosen.once if _reason(method, alone) is None else something_else)
                executions += execute(world, schedules)
            tally.take(method, executions, is_skipped=chosen.is_skipped)
    return tally


def _reason(method: str, reasons: Mapping[str, str]) -> str | None:
    return next((why for pattern, why in reasons.items() if fnmatch.fnmatchcase(method, pattern)), None)


class _Method:
    """The program of a world: the test method that is chosen before each execution, when all state is put back."""

    test: unittest.TestCase
    beside: Callable[[], None] | None = None
    is_skipped = False

    def run(self) -> None:
        others = [threading.Thread(target=self.beside)] if self.beside is not None else []
        for other in others:
            other.start()
        self.once()
        for other in others:
            other.join()

    def once(self) -> None:
        try:
            fresh(self.test).debug()
        except unittest.SkipTest:
            self.is_skipped = True


def something_else() -> None:
    """Use a lock, an event and a queue that nobody else has."""
    lock, event, items = threading.Lock(), threading.Event(), queue.Queue[int]()
    for number in range(3):
        with lock:
            items.put(number)
        event.set()
        assert event.wait()
        assert items.get() == number


def fresh(test: unittest.TestCase) -> unittest.TestCase:
    """Return a test case of its own for each run; doctests have none, and are put back after each."""
    return test if isinstance(test, doctest.DocTestCase) else type(test)(test._testMethodName)


def execute(world: World, schedules: int) -> Iterator[Outcome]:
    """Run an execution in which modules are imported, and so many under a walk, up to the first that fails."""
    first = world.warm_up()
    if first.kind == "uncontrolled" or not schedules:
        yield first
    walk = Aside(PromptWalk(0))  # its own code is in the instrumented module
    while schedules and first.kind != "uncontrolled":
        outcome = world.execute(walk.choose)
        yield outcome
        schedules = schedules - 1 if outcome.kind == "ok" else 0
