"""Stress runs the program as it is, on real threads."""

from __future__ import annotations

import sys
import threading

import pytest

from harness.explore import InvalidArgumentError, stress

pytestmark = pytest.mark.portable


def test_failures_are_counted_by_type():
    flips = iter([1, 0, 2, 0, 1] + [0] * 5).__next__

    def program():
        outcome = flips()
        if outcome == 1:
            raise LookupError
        assert outcome == 0

    report = stress(program, 10)

    assert (report.runs, report.failures) == (10, 3)
    assert report.errors == (("LookupError", 2), ("AssertionError", 1))
    assert list(report.frame().columns) == ["error", "runs"]


def test_exception_in_a_thread_is_a_failure():
    def program():
        thread = threading.Thread(target=lambda: 1 / 0)
        thread.start()
        thread.join()

    report = stress(program, 3)

    assert report.errors == (("ZeroDivisionError", 3),)


def test_state_is_put_back_before_each_run():
    SEEN.clear()

    def program():
        assert SEEN == []
        SEEN.append(1)

    assert stress(program, 5).failures == 0
    assert SEEN == []


SEEN: list[int] = []


def test_switch_interval_and_hook_are_put_back():
    before = sys.getswitchinterval(), threading.excepthook
    stress(lambda: None, 1, switch_interval_s=1e-4)

    assert (sys.getswitchinterval(), threading.excepthook) == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs=0 is below 1; pass the number of native runs"),
        ({"switch_interval_s": 0}, "switch_interval_s=0 is not above 0; pass seconds"),
    ],
)
def test_wrong_option_is_refused(options, message):
    with pytest.raises(InvalidArgumentError) as refused:
        stress(lambda: None, **options)

    assert str(refused.value) == message


def test_exit_of_the_program_is_a_failure():
    assert stress(sys.exit, 2).errors == (("SystemExit", 2),)
