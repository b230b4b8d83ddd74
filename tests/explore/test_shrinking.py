"""Failures shrink to the simplest schedule there is, in few executions and always to the same."""

from __future__ import annotations

import sys
from functools import cache

import fifteen
import pytest

import harness
from harness.explore import explore, replay
from harness.explore.failure_place import place_of
from harness.explore.schedule import FollowSchedule, Schedule
from harness.explore.shrinking import MAX_RUNS, Recorded
from harness.explore.shrinking.dependence import conflict
from harness.explore.shrinking.order import FollowOrder, Stretch, order_of, tidy
from harness.explore.shrinking.straighten import straightened

# (preemptions, choices, deviations)
SIMPLEST = {
    fifteen.lost_update: (1, 5, ((2, 3),)),
    fifteen.lost_update_of_three: (1, 7, ((2, 4),)),
    fifteen.lost_update_in_loops: (1, 13, ((2, 3),)),
    fifteen.all_but_one_lost: (1, 7, ((2, 3),)),
    fifteen.lazy_init: (1, 7, ((3, 3),)),
    fifteen.check_then_act: (1, 6, ((2, 3),)),
    fifteen.torn_read: (1, 6, ((2, 3),)),
    fifteen.made_twice: (1, 7, ((2, 3),)),
    fifteen.crossed_locks: (1, 4, ((2, 3),)),
    fifteen.dining_of_three: (1, 11, ((4, 4), (8, 3))),
    fifteen.withdraw_before_deposit: (0, 6, ((0, 3),)),
    fifteen.order_of_puts: (0, 2, ((0, 3),)),
    fifteen.lost_wake_up: (1, 5, ((2, 3),)),
    fifteen.time_out_too_short: (0, 6, ((2, 0),)),
    fifteen.used_after_close: (1, 4, ((2, 3),)),
}
SOME = [fifteen.lost_update_in_loops, fifteen.dining_of_three, fifteen.time_out_too_short, fifteen.lost_wake_up]
by_some = pytest.mark.parametrize("program", SOME, ids=lambda program: program.__name__)
by_program = pytest.mark.parametrize("program", SIMPLEST, ids=lambda program: program.__name__)


@cache
def failure_of(program, seed=0):
    failure = explore(program, seed=seed, strategy="random").failure
    assert failure is not None
    return failure


@by_program
def test_shrunk_schedule_is_the_simplest(program):
    failure = failure_of(program)

    assert (failure.preemptions, failure.schedule.length, failure.schedule.deviations) == SIMPLEST[program]
    assert failure.shrinking is not None
    assert failure.shrinking.runs <= MAX_RUNS == 100


@by_some
@pytest.mark.parametrize("seed", [1])
def test_schedules_found_under_other_seeds_have_as_few_preemptions(program, seed):
    assert failure_of(program, seed).preemptions == SIMPLEST[program][0]


@by_some
def test_token_of_the_shrunk_schedule_replays_and_is_short(program):
    failure = failure_of(program)

    again = replay(program, failure.token)
    assert type(again.error) is type(failure.error)
    assert again.preemptions == failure.preemptions
    assert len(failure.token) <= 120


@by_some
def test_shrinking_again_gives_the_same(program):
    failure = failure_of(program)

    assert failure.shrink() is failure
    assert failure.found is not None
    assert failure.found.shrink().schedule == failure.schedule


@pytest.mark.long
@by_program
def test_no_schedule_with_as_few_departures_is_simpler(program):
    failure = failure_of(program)
    found = simplest_of(program, failure, len(failure.schedule.deviations) + 1)

    preemptions, choices, deviations = SIMPLEST[program]
    assert found == (preemptions, len(deviations), choices)


def simplest_of(program, failure, most_deviations):
    """Run every schedule with so few departures from the base policy; return the least measure of one failing alike."""
    with failure.origin.world() as world:
        world.warm_up()
        schedules, place, failing = [Schedule(0, ())], None, []
        while schedules:
            schedule = schedules.pop()
            follow = Alternatives(schedule)
            outcome = world.execute(follow.choose)
            place = place or place_of(world.execute(FollowSchedule(failure.schedule).choose))
            if place_of(outcome) == place:
                recorded = Recorded(outcome, Schedule(follow.made, schedule.deviations), {})
                failing.append(recorded.measure[:3])
            if len(schedule.deviations) < most_deviations:
                schedules += [Schedule(0, (*schedule.deviations, further)) for further in follow.further]
    return min(failing)


class Alternatives:
    """Follows a schedule and notes what else could have been chosen after its last departure."""

    def __init__(self, schedule):
        self._follow = FollowSchedule(schedule)
        self._after = schedule.deviations[-1][0] if schedule.deviations else -1
        self.further = []

    def choose(self, candidates, current):
        chosen = self._follow.choose(candidates, current)
        if self._follow.made - 1 > self._after:
            others = [other.number for other in candidates if other is not chosen]
            self.further += [(self._follow.made - 1, number) for number in others]
        return chosen

    @property
    def made(self):
        return self._follow.made


def test_shrunk_failure_knows_the_one_that_was_found():
    failure = failure_of(fifteen.lost_update_in_loops)

    assert failure.found is not None
    assert failure.found.preemptions > failure.preemptions
    assert failure.found.found is None
    assert failure.shrinking is not None
    assert failure.shrinking.before.preemptions == failure.found.preemptions
    assert failure.shrinking.after.preemptions == failure.preemptions


def test_counts_of_the_passes_are_those_of_the_runs():
    shrinking = failure_of(fifteen.lost_update_in_loops).shrinking

    assert shrinking is not None
    assert shrinking.runs == sum(count.runs for count in shrinking.passes)
    assert any(count.taken for count in shrinking.passes)
    assert all(count.taken <= count.runs for count in shrinking.passes)


def drawing():
    state = {"n": 0}
    times = harness.choose([0, 1, 2])

    def increase():
        for _ in range(times):
            state["n"] += 1

    fifteen.together(increase, increase)
    assert state["n"] == 2 * times


def test_what_was_drawn_stays_drawn():
    failure = failure_of(drawing)

    assert failure.preemptions == 1
    assert isinstance(replay(drawing, failure.token).error, AssertionError)


# The passes' contracts


@by_some
def test_order_of_an_execution_gives_it_again(program):
    found = failure_of(program).found
    assert found is not None
    events = found.execution.events

    with found.origin.world() as world:
        world.warm_up()
        again = world.execute(FollowOrder(order_of(events)).choose, record=True)

    assert [event.task for event in again.events] == [event.task for event in events]


@by_program
def test_straightened_order_keeps_the_order_of_conflicts(program):
    found = failure_of(program).found
    assert found is not None
    events = found.execution.events

    for order in straightened(events):
        assert len(order) < len(order_of(events))
        assert conflicts_in(along(order, events)) == conflicts_in(events)


def along(order, events):
    """Return the events in another order."""
    chains = {task: [event for event in events if event.task == task] for task, _ in order}
    heads = dict.fromkeys(chains, 0)
    out = []
    for task, until in order:
        out += chains[task][heads[task] : until]
        heads[task] = until
    return out


def conflicts_in(events):
    pairs = ((one, other) for position, other in enumerate(events) for one in events[:position])
    return {(one.step, other.step) for one, other in pairs if conflict(one, other)}


def test_stretches_of_one_task_are_joined_and_empty_ones_dropped():
    order = [Stretch(1, 3), Stretch(2, 2), Stretch(2, 4), Stretch(1, 2), Stretch(2, 5), Stretch(1, 9)]

    assert tidy(order) == (Stretch(1, 3), Stretch(2, 5), Stretch(1, 9))


def test_long_executions_are_shrunk_in_fewer_runs(monkeypatch):
    whole = explore(fifteen.lost_update).failure
    monkeypatch.setattr(sys.modules["harness.explore.shrinking.shrinker"], "_MOST_EVENTS", 1)

    short = explore(fifteen.lost_update).failure

    assert short.shrinking.runs == 1 < whole.shrinking.runs
    assert type(replay(fifteen.lost_update, short.token).error) is type(whole.error)
