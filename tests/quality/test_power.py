"""Power of the strategies: the odds of a miss are stated, and what a strategy cannot find it does not find."""

from __future__ import annotations

import math
import threading
from collections import Counter

import pytest
from sink import make_sink

from harness.explore import DelayBounded, Pct, Pos, PreemptionBounded, RandomWalk, Surw, explore, replay

MISS = 1e-9


class Box:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1


def run_together(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_update():
    """Depth 2: one task is left between read and write."""
    box = Box()
    run_together(box.increment, box.increment)
    assert box.n == 2


def alternation():
    """Depth 3: write 1, read it, write 2, read it; two preemptions."""
    box, seen = Box(), []

    def write():
        box.n = 1
        box.n = 2

    def read():
        first = box.n
        second = box.n
        seen.extend((first, second))

    run_together(write, read)
    assert seen != [1, 2]


def walk_odds(program):
    """Return the exact probability that a random walk fails the program, from all of its schedules."""

    class Weighing:
        name = "weighing"

        def __init__(self):
            self.inner = PreemptionBounded(bound=100)
            self.odds = []

        def begin(self):
            self.odds.append(1.0)
            return self.inner.begin()

        def choose(self, candidates, current):
            self.odds[-1] /= len(candidates)
            return self.inner.choose(candidates, current)

    weighing = Weighing()
    result = explore(program, strategy=weighing, max_schedules=100_000, on_failure="continue")
    failed = result.frame().outcome == "error"
    assert math.isclose(sum(weighing.odds[: result.schedules]), 1.0)  # all schedules, each once
    return math.fsum(odds for odds, has_failed in zip(weighing.odds, failed, strict=False) if has_failed)


def executions(odds):
    """Return how many executions with these odds all miss with a probability below ``MISS``."""
    return math.ceil(math.log(MISS) / math.log1p(-odds)) + 1


def failure_rate(program, strategy, schedules):
    result = explore(program, strategy=strategy, max_schedules=schedules, on_failure="continue")
    return float((result.frame().outcome == "error").mean())


@pytest.mark.parametrize("program", [lost_update, alternation])
def test_random_walk_finds_with_exact_odds(program):
    odds = walk_odds(program)  # lost update 0.375, alternation 0.09375
    result = explore(program, strategy=RandomWalk(7), max_schedules=executions(odds))

    assert result.failure is not None
    assert replay(program, result.failure.token).error is not None


def test_random_walk_fails_as_often_as_its_schedules_say():
    # 4,000 executions: a share off by 0.04 is more than 5 standard deviations (0.0077) away, p < 1e-6.
    assert failure_rate(lost_update, RandomWalk(3), 4_000) == pytest.approx(walk_odds(lost_update), abs=0.04)


@pytest.mark.parametrize(("program", "depth", "odds"), [(lost_update, 2, 1 / 18), (alternation, 3, 1 / 147)])
def test_pct_finds_with_the_odds_of_its_theorem(program, depth, odds):
    # n=3 tasks; k=6 choices of the lost update, 7 of the alternation: p >= 1/(n * k**(depth - 1)) each.
    strategy = Pct(seed=11, depth=depth)
    result = explore(program, strategy=strategy, max_schedules=executions(odds))

    assert result.failure is not None
    assert strategy.odds >= odds * (1 - 1e-9)
    assert replay(program, result.failure.token).error is not None


@pytest.mark.parametrize(("program", "depth", "odds"), [(lost_update, 2, 1 / 18), (alternation, 3, 1 / 147)])
def test_pct_fails_at_least_as_often_as_its_theorem_says(program, depth, odds):
    assert failure_rate(program, Pct(seed=2, depth=depth), 2_000) >= odds


@pytest.mark.parametrize(("program", "depth"), [(lost_update, 1), (alternation, 1), (alternation, 2)])
def test_pct_below_the_depth_of_a_failure_misses_it(program, depth):
    # Without enough drops the order it needs cannot come about: no seed, no number of executions helps.
    for seed in range(5):
        assert explore(program, strategy=Pct(seed, depth=depth), max_schedules=400).failure is None


# Shares counted over 5,000 executions of another seed (0.19, 0.07, 0.67, 0.17), halved or less to be on the safe side.
@pytest.mark.parametrize(
    ("strategy", "program", "odds"),
    [
        (Pos, lost_update, 0.10),
        (Pos, alternation, 0.02),
        (Surw, lost_update, 0.30),
        (Surw, alternation, 0.05),
    ],
)
def test_pos_and_surw_find_with_counted_odds(strategy, program, odds):
    result = explore(program, strategy=strategy(5), max_schedules=executions(odds))

    assert result.failure is not None
    assert replay(program, result.failure.token).error is not None
    assert failure_rate(program, strategy(6), 2_000) >= odds


@pytest.mark.parametrize(("strategy", "program"), [(DelayBounded, lost_update), (PreemptionBounded, lost_update)])
def test_bound_zero_misses_and_says_what_it_ran(strategy, program):
    result = explore(program, strategy=strategy(bound=0))

    assert result.failure is None
    assert result.claim.startswith("every schedule of at most 0 ")


class Recording:
    name = "recording"

    def __init__(self, inner):
        self.inner = inner
        self.schedules = []

    @property
    def tracker(self):
        return getattr(self.inner, "tracker", None)

    def begin(self):
        self.schedules.append([])
        return self.inner.begin()

    def choose(self, candidates, current):
        chosen = self.inner.choose(candidates, current)
        self.schedules[-1].append(chosen.number)
        return chosen


def counts(strategy, program, schedules):
    recording = Recording(strategy)
    result = explore(program, strategy=recording, max_schedules=schedules)
    return Counter(map(tuple, recording.schedules[: result.schedules]))


def chi_square(found, cells):
    expected = sum(found.values()) / cells
    return sum((count - expected) ** 2 for count in found.values()) / expected + expected * (cells - len(found))


def uneven():
    """Nobody waits for anybody, so that weights can make every interleaving equally likely."""
    box = Box()

    def often():
        for _ in range(4):
            box.n  # noqa: B018 - a read

    def once():
        box.n = 1

    threading.Thread(target=often).start()
    threading.Thread(target=once).start()


def test_urw_takes_every_interleaving_equally_often():
    # 21 interleavings: chi-square with 20 degrees of freedom exceeds 80 with p < 4e-9. The first execution only learns.
    every = counts(PreemptionBounded(bound=100), uneven, 1_000)
    found = counts(Surw(1, selective=False), uneven, 4_201)

    assert set(every.values()) == {1}
    assert len(every) == 21
    assert chi_square(found, 21) < 80
    assert chi_square(counts(RandomWalk(1), uneven, 4_201), 21) > 1_000  # a plain walk is far from it


def test_surw_takes_every_order_of_shared_operations_equally_often():
    # One shared write among 4 shared reads, after 6 private steps: 5 orders. Chi-square with 4 degrees of freedom
    # exceeds 50 with p < 4e-10. The walk hardly ever lets the write come first.
    note, kept = make_sink()

    def program():
        box, own = Box(), Box()

        def often():
            for _ in range(4):
                note(box.n)

        def once():
            for _ in range(6):
                own.n += 1
            box.n = 1

        threading.Thread(target=often).start()
        threading.Thread(target=once).start()

    def orders(strategy):
        before = len(kept())
        explore(program, strategy=strategy, max_schedules=2_000)
        runs = zip(*[iter(kept()[before:])] * 4, strict=True)
        return Counter(run.count(0) for run in runs)

    assert chi_square(orders(Surw(3)), 5) < 50
    assert chi_square(orders(RandomWalk(3)), 5) > 1_000
