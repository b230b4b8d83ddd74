"""`check_determinism` finds programs that do not repeat themselves, and says where and why."""

from __future__ import annotations

import sys
import threading

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


class Item:
    pass


kept = [Item() for _ in range(50)]
table: dict[object, int] = {}


def touch(choice: int) -> None:
    """Take one of two ways, one step longer than the other."""
    table["way"] = choice
    if choice:
        table["longer"] = 1


def by_address():
    fresh = Item()
    kept.append(fresh)
    touch((id(fresh) >> 4) % 7 % 2)
    touch((id(Item()) >> 5) % 3 % 2)
    table[str(id(fresh))] = 1


def by_global_left_over():
    sys.harness_steps = getattr(sys, "harness_steps", 0) + 1  # of a module that is not put back
    touch(sys.harness_steps % 2)


def by_set_order():
    for item in {Item() for _ in range(40)}:
        table[str(item)[-8:]] = 1


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
