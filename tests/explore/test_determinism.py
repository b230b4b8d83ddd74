"""`check_determinism` finds programs that do not repeat themselves, and says where and why."""

from __future__ import annotations

import sys
import threading

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


class Item:
    pass


sys.harness_kept = []  # of a module that is not put back: nothing has the address of what was made before
table: dict[object, int] = {}


def touch(choice: int) -> None:
    """Take one of two ways, one step longer than the other."""
    table["way"] = choice
    if choice:
        table["longer"] = 1


def by_address():
    fresh = Item()
    sys.harness_kept.append(fresh)
    table[str(id(fresh))] = 1


def by_global_left_over():
    sys.harness_steps = getattr(sys, "harness_steps", 0) + 1  # of a module that is not put back
    touch(sys.harness_steps % 2)


class Elsewhere:
    """Hashes by a place that no object before it had, as by its address while all of them are kept alive."""

    def __init__(self, label: str) -> None:
        self.label = label
        sys.harness_places = getattr(sys, "harness_places", 5) + 1
        self.place: int = sys.harness_places

    def __hash__(self) -> int:
        return self.place

    def __eq__(self, other: object) -> bool:
        return self is other


def by_set_order():
    # Three places in a row of eight slots, then the three behind them: in four executions of a schedule and its
    # repetition, one pair at least goes round the end of the table in one of the two alone.
    for item in {Elsewhere("a"), Elsewhere("b"), Elsewhere("c")}:
        table[item.label] = 1


def steady():
    lock = threading.Lock()

    def work():
        with lock:
            table["n"] = table.get("n", 0) + 1

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(
    ("program", "cause"),
    [
        (by_address, "likely an address, by id(), in by_address"),
        (by_set_order, "likely the order of a set, in by_set_order"),
        (by_global_left_over, "likely a global left over"),
    ],
)
def test_step_that_differs_is_named_with_its_likely_cause(program, cause):
    result = explore(program, max_schedules=20, check_determinism=True)

    assert result.verdict is Verdict.UNCONTROLLED
    assert result.limits[0].startswith("step ")
    assert cause in result.limits[0]
    assert "test_determinism.py" in result.limits[0]


def test_program_that_repeats_itself_passes_with_the_same_count():
    checked = explore(steady, max_schedules=20, check_determinism=True)

    assert checked.verdict is Verdict.PASSED
    assert checked.schedules == 20
    assert checked.limits == ()
    assert checked.frame().equals(explore(steady, max_schedules=20).frame())


def test_failure_is_still_found():
    def failing():
        assert table == {}, "found"
        table["x"] = 1
        raise AssertionError("ends badly")

    result = explore(failing, max_schedules=5, check_determinism=True)

    assert result.verdict is Verdict.FAILED
