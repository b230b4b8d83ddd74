from __future__ import annotations

import pytest

from harness.registry import NestedBuildError
from harness.registry.once import Once

pytestmark = pytest.mark.portable


def test_a_value_is_made_by_the_first_who_asks():
    made = []
    once = Once(lambda: made.append(1) or "value", "value")

    assert not once.is_made
    assert (once.get(), once.get(), len(made), once.is_made) == ("value", "value", 1, True)


def test_none_is_a_value():
    made = []
    once = Once(lambda: made.append(1), "value")
    once.get()
    once.get()

    assert len(made) == 1


def test_nothing_is_visible_while_the_value_is_made():
    seen = []
    once = Once(lambda: seen.append((once.is_made, once.holds(None))), "value")
    once.get()

    assert seen == [(False, False)]


def test_a_failure_leaves_the_cell_as_it_was():
    outcomes = iter([ZeroDivisionError(), KeyboardInterrupt(), None])

    def make():
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return "value"

    once = Once(make, "value")

    with pytest.raises(ZeroDivisionError):
        once.get()
    with pytest.raises(KeyboardInterrupt):
        once.get()
    assert not once.is_made
    assert once.get() == "value"


def test_asking_from_inside_is_refused_and_can_be_survived():
    def make():
        with pytest.raises(NestedBuildError, match="already building the table; let the build work without"):
            once.get()
        return "value"

    once = Once(make, "table")

    assert once.get() == "value"


def test_holds_asks_for_the_very_object():
    value = [1]
    once = Once.holding(value, "value")

    assert once.holds(value)
    assert not once.holds([1])
