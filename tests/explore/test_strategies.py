"""Strategies keep their promises: what a bound covers, what a seed fixes, what a claim says."""

from __future__ import annotations

import threading
import time
from collections import Counter
from random import Random

import pytest

import harness
from harness.explore import (
    STRATEGIES,
    DelayBounded,
    InvalidArgumentError,
    Pct,
    PreemptionBounded,
    RandomWalk,
    explore,
)
from harness.sim import Option


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


def two_increments():
    box = Box()
    run_together(box.increment, box.increment)


def lost_update():
    box = Box()
    run_together(box.increment, box.increment)
    assert box.n == 2


def alternation():
    """Fails when the reader sees both values, one after the other: three constraints, two preemptions."""
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


def late_timer():
    box = Box()

    def patient():
        time.sleep(5)
        box.n = 1

    thread = threading.Thread(target=patient)
    thread.start()
    assert box.n == 0, "the timer was first"
    thread.join()


class Recording:
    """Every schedule within a bound, and the odds with which a random walk takes each."""

    name = "recording"

    def __init__(self, inner):
        self.inner = inner
        self.schedules = []
        self.odds = []

    def begin(self):
        if not self.inner.begin():
            return False
        self.schedules.append([])
        self.odds.append(1.0)
        return True

    def choose(self, candidates, current):
        chosen = self.inner.choose(candidates, current)
        self.schedules[-1].append(chosen.number)
        self.odds[-1] /= len(candidates)
        return chosen


@pytest.mark.parametrize("make", [DelayBounded, PreemptionBounded])
def test_bounded_search_runs_every_schedule_once(make):
    recording = Recording(make(bound=20))
    result = explore(two_increments, strategy=recording, max_schedules=10_000)

    schedules = list(map(tuple, recording.schedules))
    assert len(set(schedules)) == len(schedules) == result.schedules == 35
    assert sum(recording.odds) == pytest.approx(1.0)  # a whole tree, no leaf missing


@pytest.mark.parametrize("seed", range(4))
def test_bounded_search_is_the_same_set_for_every_seed(seed):
    first, other = Recording(PreemptionBounded(bound=1)), Recording(PreemptionBounded(seed, bound=1))
    for recording in (first, other):
        explore(two_increments, strategy=recording)

    assert set(map(tuple, first.schedules)) == set(map(tuple, other.schedules))


def test_cheaper_schedules_come_first():
    preemptions = list(explore(two_increments, strategy="preemption").frame().preemptions)

    assert preemptions == sorted(preemptions)
    assert max(preemptions) == 2


def test_no_delay_is_one_schedule_and_finds_nothing():
    result = explore(lost_update, strategy=DelayBounded(bound=0))

    assert result.schedules == 1
    assert result.failure is None
    assert result.claim == "every schedule of at most 0 delays was run"
    assert "; every schedule of at most 0 delays was run" in result.summary()


@pytest.mark.parametrize("strategy", [DelayBounded, PreemptionBounded])
def test_alternation_is_missed_below_two_and_found_at_two(strategy):
    missed = explore(alternation, strategy=strategy(bound=1))
    found = explore(alternation, strategy=strategy(bound=2))

    assert missed.failure is None
    assert missed.claim.startswith("every schedule of at most 1 ")
    assert found.failure is not None
    assert found.failure.preemptions == 2


def test_search_cut_short_says_how_far_it_came():
    result = explore(two_increments, strategy=PreemptionBounded(bound=2), max_schedules=10)

    assert result.claim == "every schedule of at most 0 preemptions was run, and 7 of those with 1"


@pytest.mark.parametrize("strategy", [DelayBounded, PreemptionBounded])
def test_an_early_timer_counts_like_leaving_a_task(strategy):
    # One to leave the main task for the sleeper, one to let its timer fall due while the main task can go on.
    assert explore(late_timer, strategy=strategy(bound=1)).failure is None
    assert explore(late_timer, strategy=strategy(bound=2)).failure is not None


@pytest.mark.parametrize("name", STRATEGIES)
def test_equal_seeds_make_equal_explorations(name):
    tables = [explore(lost_update, strategy=name, seed=3, max_schedules=40, on_failure="continue") for _ in range(2)]

    assert tables[0].summary() == tables[1].summary()
    assert tables[0].frame().equals(tables[1].frame())


def test_pct_states_the_odds_of_what_it_met():
    result = explore(two_increments, strategy=Pct(depth=2), max_schedules=101)

    assert result.claim == (
        "a failure of depth 2 is met with p >= 1/(n k^1) = 1/18 per schedule (n=3 tasks and k=6 choices met), "
        f"missed with p <= {(1 - 1 / 18) ** 100:.1e}"
    )


def test_pct_states_no_odds_without_a_choice_and_the_data_as_their_condition():
    def drawn_together():
        draws = [harness.choose([1, 2]) for _ in range(2)]
        run_together(*[lambda: None] * draws[0])

    assert explore(lambda: harness.choose([1, 2]), strategy="pct", max_schedules=5).claim == (
        "no schedule left a choice between tasks"
    )
    assert "choices met), given the data it needs, missed with p <= " in explore(drawn_together, strategy="pct").claim


KEPT = Pct(depth=2)  # where notebooks have theirs, among the state that is put back before each execution


def test_strategy_of_the_program_s_module_keeps_what_it_learns():
    explore(two_increments, strategy=KEPT, max_schedules=5)

    assert (KEPT.tasks, KEPT.length) == (3, 6)


def test_pct_below_depth_one_is_refused():
    with pytest.raises(InvalidArgumentError, match="depth=0 is below 1; pass the number of ordering constraints"):
        Pct(depth=0)


def test_pct_drops_are_spread_over_all_choices():
    # 2,000 executions of 6 choices, one drop each: every place is drawn about 333 times; 200 is 8 deviations off.
    strategy, places = Pct(seed=5, depth=2), Counter()

    class Watching:
        name = "watching"

        def begin(self):
            strategy.begin()
            places.update(list(strategy._drops))
            return True

        def choose(self, candidates, current):
            assert not isinstance(candidates[0], Option)
            return strategy.choose(candidates, current)

    explore(two_increments, strategy=Watching(), max_schedules=2_000)

    assert sorted(places) == [1, 2, 3, 4, 5, 6]
    assert min(places.values()) > 200


@pytest.mark.parametrize("number", [2, 3, 5])
def test_random_walk_takes_each_candidate_in_its_share_of_the_stream(number):
    options, walk, stream = [Option(n) for n in range(number)], RandomWalk(seed=5), Random(5)

    chosen = [walk.choose(options, None) for _ in range(1_000)]

    assert chosen == [options[int(stream.random() * number)] for _ in range(1_000)]
