"""The reduction sees the traces that brute force sees, of random programs over all that tasks and loops share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, islice

import pytest

from harness.explore.program import make_world
from harness.sim import World
from tests.explore.dpor.judge import Findings, by_force, by_reduction, endings_of_all
from tests.explore.dpor.loop_steps import post_later
from tests.explore.dpor.programs import (
    MODULES,
    on_loops,
    on_threads,
    operations,
    program,
    program_on_loops,
    selected_program,
)
from tests.explore.dpor.thread_steps import (
    add,
    await_soon,
    get_soon,
    lock_soon,
    locked,
    notify,
    put,
    qsize,
    read,
    set_event,
    sleep,
    try_lock,
    twice,
    wait,
    wait_soon,
    write,
)

Make = Callable[[int], Callable[[], None]]

# Executions are cut off where only waiting is left: coroutines may never have begun.
pytestmark = pytest.mark.filterwarnings(
    "ignore:coroutine .* was never awaited", "ignore::pytest.PytestUnraisableExceptionWarning"
)

SMALL = 100  # schedules that sleep sets leave; larger programs are left to the long tier
LARGE = 300
ANY = 10_000


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Give the one world that all run in: to make one takes as long as a dozen executions."""
    with make_world(selected_program, MODULES) as world:
        yield world


@dataclass
class Comparison:
    """What a comparison of many programs came to.

    Attributes:
        programs: How many were compared, or seen to fail in both.
        too_large: How many have too many schedules, and were passed over.
        failing: Those in which a task fails.
        withheld: Seeds of those that are not proved, as a call may do anything; no traces are compared.
        traces: Of all.
        executions: That the reduction took for them.
        met: In how many of the programs whose traces were compared each operation occurs.
    """

    programs: int = 0
    too_large: int = 0
    failing: int = 0
    withheld: list[int] = field(default_factory=list)
    traces: int = 0
    executions: int = 0
    met: Counter[str] = field(default_factory=Counter)


def small_enough(world: World, make: Make, most: int, seed: int, *, asleep: bool) -> Iterator[tuple[int, Findings]]:
    """Yield the seeds after one whose programs have at most so many schedules, with what brute force finds."""
    for each in count(seed + 1):
        try:
            yield each, by_force(world, make(each), most, asleep=asleep)
        except OverflowError:
            continue


def compare(world: World, make: Make, programs: int, most: int, seed: int = 0) -> Comparison:
    """Compare so many programs that have at most so many schedules."""
    found, last = Comparison(), seed
    for each, force in islice(small_enough(world, make, most, seed, asleep=True), programs):
        reduced = by_reduction(world, make(each), 2 * most)
        found.programs, found.too_large, last = found.programs + 1, found.too_large + each - last - 1, each
        found.traces, found.executions = found.traces + len(reduced.traces), found.executions + reduced.executions
        if force.fails:
            found.failing += 1
        elif reduced.is_withheld:
            found.withheld.append(each)
        else:
            found.met.update(operations(each, looped=make is program_on_loops))
        check(reduced, force, each)
    return found


def check(reduced: Findings, force: Findings, seed: int | None = None) -> None:
    """Check that the reduction saw what brute force did.

    Where tasks fail, which cuts executions off, it has to fail; where a call may do anything, no proof is given.
    """
    if force.fails:
        assert reduced.fails, seed
        return
    if reduced.is_withheld:
        return
    assert reduced.traces == force.traces, seed
    assert reduced.endings == force.endings, seed
    assert not [limit for limit in reduced.limits if "daemon thread was started in the last step" not in limit], seed


def check_program(world: World, program: Callable[[], None], traces: int) -> None:
    reduced = by_reduction(world, program, ANY)

    check(reduced, by_force(world, program, ANY, asleep=True))
    assert reduced.executions == len(reduced.traces) == traces


@pytest.mark.parametrize(("make", "programs"), [(program, 40), (program_on_loops, 10)])
def test_traces_of_fifty_programs_are_those_of_brute_force(world: World, make: Make, programs: int) -> None:
    found = compare(world, make, programs, SMALL)

    assert found.traces > programs  # most have several
    assert found.executions <= 1.2 * found.traces


def test_waits_that_are_left_out_take_no_ending_away(world: World) -> None:
    compared = 0
    for seed, force in small_enough(world, program, SMALL, 0, asleep=True):
        with suppress(OverflowError):
            assert force.endings == endings_of_all(world, program(seed), 5 * SMALL), seed
            compared += 1
        if compared == 5:
            break


@pytest.mark.parametrize(("make", "programs"), [(program, 7), (program_on_loops, 2)])
def test_sleep_sets_leave_out_no_trace(world: World, make: Make, programs: int) -> None:
    for seed, force in islice(small_enough(world, make, SMALL, 0, asleep=False), programs):
        asleep = by_force(world, make(seed), SMALL, asleep=True)

        assert asleep.traces == force.traces, seed
        assert asleep.endings == force.endings, seed
        assert asleep.executions <= force.executions


def test_one_task_gives_up_waiting_where_another_finds_what_it_waits_for(world: World) -> None:
    check_program(world, on_threads(1, (((put,), (put,)), ((set_event,), (get_soon, 1.0)))), 5)


def test_race_of_a_beginning_is_planned_again_with_what_comes_later(world: World) -> None:
    check_program(world, on_loops(2, (((read,), (post_later, 1, 1.0)), ((post_later, 0, 1.0),))), 194)


@pytest.mark.parametrize(
    ("make", "traces"),
    [
        (on_threads(1, (((locked, (write,)),), ((try_lock, (read,)),), ((twice, (write,)),))), 8),
        (on_threads(0, (((try_lock, (read,)),), ((twice, (write,)), (wait,)), ((notify,), (locked, (read,))))), 12),
        (on_threads(0, (((try_lock, (add,)),), ((qsize,), (twice, (write,))), ((locked, (add,)), (put,))), own=1), 18),
        (on_threads(0, (((wait,),), ((wait_soon, 1.0),), ((wait,),))), 20),
        (on_threads(0, (((sleep, 0.5),), ((wait,), (await_soon, 0.2)), ((wait_soon, 0.5),))), 24),
        (on_threads(0, (((wait_soon, 1.0),), ((sleep, 1.0), (lock_soon, 1.0, (add,))), ((notify,),))), 28),
    ],
)
def test_what_waits_is_planned_without_what_let_it_go_on(world: World, make: Callable[[], None], traces: int) -> None:
    check_program(world, make, traces)


@pytest.mark.long
@pytest.mark.parametrize("part", range(40))
def test_traces_of_a_thousand_programs_are_those_of_brute_force(world: World, part: int) -> None:
    make = program_on_loops if part % 5 == 4 else program

    found = compare(world, make, 25, LARGE, seed=1_000 * part)

    print(found)
    assert found.executions <= 1.2 * found.traces
