"""Power of the strategies where timers of different moments fall due: the stated odds hold there, too."""

from __future__ import annotations

import threading
import time

import pytest

from harness.explore import DelayBounded, Pct, Pos, PreemptionBounded, RandomWalk, Surw, Verdict, explore, replay
from tests.quality.test_power import executions, failure_rate, run_together, walk_odds


class Box:
    def __init__(self):
        self.n = 0

    def increment(self):
        self.n += 1


def sleepers_lose_an_update():
    """The second timer falls due between a read and a write."""
    box = Box()

    def increment_after(seconds):
        time.sleep(seconds)
        box.increment()

    run_together(lambda: increment_after(0.2), lambda: increment_after(0.5))
    assert box.n == 2


def longer_sleep_is_over_first():
    box, order = Box(), []

    def longer():
        time.sleep(1.0)
        order.append("longer")

    def shorter():
        box.n = 1
        time.sleep(0.2)
        order.append("shorter")

    run_together(longer, shorter)
    assert order == ["shorter", "longer"]


def longer_time_out_is_over_first():
    event, seen = threading.Event(), []

    def set_soon():
        time.sleep(0.2)
        event.set()

    run_together(lambda: seen.append(event.wait(0.5)), set_soon)
    assert seen == [True]


def timers_take_turns():
    """Three timers: write 1, read it, write 2, read it."""
    box, seen = Box(), []

    def write():
        time.sleep(0.2)
        box.n = 1
        time.sleep(0.3)
        box.n = 2

    def read():
        time.sleep(0.4)
        first = box.n
        second = box.n
        seen.extend((first, second))

    run_together(write, read)
    assert seen != [1, 2]


PROGRAMS = [sleepers_lose_an_update, longer_sleep_is_over_first, longer_time_out_is_over_first, timers_take_turns]


@pytest.mark.parametrize("program", PROGRAMS)
def test_random_walk_finds_with_exact_odds(program):
    odds = walk_odds(program)  # 0.25, 0.56, 0.81, 0.08; all of its schedules, which have odds of 1 together
    result = explore(program, strategy=RandomWalk(7), max_schedules=executions(odds))

    assert result.failure is not None
    assert replay(program, result.failure.token).error is not None


# n=5 or 6, each timer counts as a task, and k=10 to 16 choices: p >= 1/(n * k**(depth - 1)) each.
@pytest.mark.parametrize(
    ("program", "depth", "odds"),
    [
        (sleepers_lose_an_update, 2, 1 / 60),
        (longer_sleep_is_over_first, 1, 1 / 5),
        (longer_time_out_is_over_first, 1, 1 / 5),
        (timers_take_turns, 3, 1 / 1536),
    ],
)
def test_pct_fails_at_least_as_often_as_its_theorem_says(program, depth, odds):
    strategy = Pct(seed=2, depth=depth)

    assert failure_rate(program, strategy, 1_000) >= odds
    assert strategy.odds >= odds * (1 - 1e-9)


@pytest.mark.parametrize("program", [sleepers_lose_an_update, timers_take_turns])
def test_pct_below_the_depth_of_a_failure_misses_it(program):
    assert explore(program, strategy=Pct(4, depth=1), max_schedules=400).failure is None


# Shares counted over 2,000 executions of another seed (0.15, 0.53, 0.63, 0.06; 0.46, 0.45, 0.61, 0.17), halved or less.
@pytest.mark.parametrize(("strategy", "shares"), [(Pos, (0.07, 0.26, 0.31, 0.03)), (Surw, (0.22, 0.22, 0.30, 0.08))])
def test_pos_and_surw_find_with_counted_odds(strategy, shares):
    for program, odds in zip(PROGRAMS, shares, strict=True):
        result = explore(program, strategy=strategy(5), max_schedules=executions(odds))

        assert result.failure is not None
        assert failure_rate(program, strategy(9), 500) >= odds


@pytest.mark.parametrize("make", [PreemptionBounded, DelayBounded])
def test_every_schedule_within_a_bound_is_no_proof(make):
    def sleepers():
        run_together(lambda: time.sleep(0.2), lambda: time.sleep(0.5))

    result = explore(sleepers, strategy=make(bound=20), max_schedules=20_000)

    assert result.claim.startswith("every schedule of at most 20 ")
    assert result.verdict is Verdict.PASSED
