"""The reduction sees the traces that brute force sees, of random programs over everything that tasks share."""

from __future__ import annotations

import pytest

from tests.explore.dpor.judge import by_force, by_reduction, endings_of_all
from tests.explore.dpor.programs import generate, program

SMALL = 100  # schedules; larger programs are left to the long tier
LARGE = 4_000


def compare(count: int, most: int, seed: int = 0) -> tuple[int, int, int]:
    """Compare so many programs that have at most so many schedules; return programs, traces and executions."""
    compared = traces = executions = 0
    while compared < count:
        seed += 1
        try:
            force = by_force(program(seed), most)
            endings = endings_of_all(program(seed), 3 * most)
        except OverflowError:
            continue
        reduced = by_reduction(program(seed), most)
        assert reduced.traces == force.traces, (seed, generate(seed))
        assert reduced.endings == endings, (seed, generate(seed))
        assert reduced.proof, (seed, generate(seed))
        compared, traces, executions = compared + 1, traces + len(force.traces), executions + reduced.executions
    return compared, traces, executions


def test_traces_of_fifty_programs_are_those_of_brute_force() -> None:
    compared, traces, executions = compare(50, SMALL)

    assert compared == 50
    assert traces > compared  # most have several
    assert executions <= 1.2 * traces


def test_one_task_gives_up_waiting_where_another_finds_what_it_waits_for() -> None:
    compared, traces, executions = compare(1, 2_000, seed=504_046)

    assert compared == 1
    assert traces == executions


@pytest.mark.long
@pytest.mark.parametrize("part", range(40))
def test_traces_of_a_thousand_programs_are_those_of_brute_force(part: int) -> None:
    compared, traces, executions = compare(25, LARGE, seed=1_000 * part)
    print(f"{compared} programs, {traces} traces, {executions} executions, {executions / traces:.3f} per trace")

    assert executions <= 1.2 * traces
