"""What a GIL lets happen: labels agree with where CPython switches, and `preempt="gil"` leaves tasks nowhere else."""

from __future__ import annotations

import cProfile

import gil_programs as programs
import pytest

from harness.explore import InvalidArgumentError, Verdict, explore, replay

by_name = pytest.mark.parametrize("name", programs.LABELS)


@by_name
def test_label_of_a_failure(name):
    failure = explore(programs.as_program(name)).failure

    assert failure is not None
    assert failure.reachable_under_gil is programs.LABELS[name]


@by_name
def test_exploration_under_the_gil_finds_just_what_is_reachable(name):
    program = programs.as_program(name)
    result = explore(program, preempt="gil", max_schedules=200)

    assert (result.verdict is Verdict.FAILED) is (programs.LABELS[name] is True)
    if result.failure is not None:
        assert isinstance(replay(program, result.failure.token).error, AssertionError)


def test_unknown_place_of_preemption_is_refused():
    with pytest.raises(InvalidArgumentError, match="preempt='line' is unknown; pass 'access' or 'gil'"):
        explore(programs.as_program("o.n += 1"), preempt="line")


def test_strategy_that_counts_on_all_choices_is_refused_under_the_gil():
    with pytest.raises(InvalidArgumentError, match="takes choices away from the strategy"):
        explore(programs.as_program("o.n += 1"), preempt="gil", strategy="pos")


def test_a_profiler_keeps_its_place_and_the_question_stays_open():
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        failure = explore(programs.as_program(next(iter(programs.LABELS))), max_schedules=50).failure
    finally:
        profiler.disable()

    assert failure.reachable_under_gil is None
