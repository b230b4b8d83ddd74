"""Data drawn through the world is a choice of the schedule, and a plain value outside."""

from __future__ import annotations

import pickle
import threading

import pytest

import harness
from harness.explore import InvalidArgumentError, PreemptionBounded, explore, replay, stress
from harness.sim import DrawError, choose

pytestmark = pytest.mark.portable


def one_bad_pair():
    pair = harness.choose([1, 2, 3]), harness.choose("xy")
    assert pair != (3, "y")


drawn: list[object] = []


def draws_in_two_tasks():
    def draw():
        drawn.append(choose([10, 20]))

    threads = [threading.Thread(target=draw) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert drawn != [20, 20]


def test_outside_an_exploration_the_first_option_is_drawn():
    assert choose([7, 8, 9]) == 7
    assert stress(one_bad_pair, runs=3).failures == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "an option to choose is wanted, options is empty; pass at least one"),
        ({1, 2}, "options in a fixed order are wanted, 'set' has none; pass sorted(...)"),
        ({"a": 1}, "a sequence of options is wanted, 'dict' is none; pass list(...)"),
        (iter([1]), "a sequence of options is wanted, 'list_iterator' is none; pass list(...)"),
        (3, "a sequence of options is wanted, 'int' is none; pass list(...)"),
    ],
)
def test_options_that_cannot_be_drawn_from_are_refused_by_name(options, message):
    with pytest.raises(DrawError) as caught:
        choose(options)

    assert str(caught.value) == message
    assert str(pickle.loads(pickle.dumps(caught.value))) == message
    assert isinstance(caught.value, ValueError)


def test_exhaustive_search_draws_every_combination_once():
    result = explore(one_bad_pair, strategy=PreemptionBounded(bound=0), on_failure="continue")

    assert result.schedules == 6
    assert list(result.frame().outcome).count("error") == 1


def test_random_walk_draws_every_combination():
    # 6 combinations, each p = 1/6: 200 executions all miss the bad one with p = (5/6)**200 < 2e-16.
    result = explore(one_bad_pair, strategy="random", max_schedules=200)

    assert result.failure is not None


def test_token_repeats_what_was_drawn_and_the_event_shows_it():
    failure = explore(one_bad_pair, strategy="preemption").failure

    assert failure is not None
    execution = replay(one_bad_pair, failure.token)
    assert isinstance(execution.error, AssertionError)
    assert [event.target for event in execution.events if event.kind == "draw"] == ["3", "'y'"]
    assert failure.preemptions == 0


def test_draws_of_tasks_are_choices_beside_their_order():
    result = explore(draws_in_two_tasks, strategy="preemption", seed=1)

    assert result.failure is not None
    assert isinstance(replay(draws_in_two_tasks, result.failure.token).error, AssertionError)


def single():
    assert choose(["only"]) == "only"


def test_a_single_option_is_no_choice():
    result = explore(single, max_schedules=3)

    assert list(result.frame().choices) == [0, 0, 0]


def test_bounds_below_zero_are_refused():
    with pytest.raises(InvalidArgumentError, match=r"bound=-1 is below 0; pass the most preemptions of a schedule"):
        PreemptionBounded(bound=-1)
