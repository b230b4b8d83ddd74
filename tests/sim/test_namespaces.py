"""What is read or written by way of an object's ``__dict__`` is its attribute."""

from __future__ import annotations

import threading

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


class Box:
    n = 0

    def __init__(self):
        self.n = self.m = 0


def run_together(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def through_vars(box):
    return vars(box)["n"]


def through_dict(box):
    return box.__dict__.get("n")


def through_all(box):
    return dict(vars(box))["n"]


def by_name(box):
    return box.n


def put_by_name(box):
    box.n = 2


def put_through_vars(box):
    vars(box)["n"] = 2


def put_through_update(box):
    box.__dict__.update(n=2)


def put_through_kept(box):
    kept = box.__dict__
    box.m = 1
    kept["n"] = 2


WAYS = [
    (through_vars, put_by_name),
    (through_dict, put_by_name),
    (through_all, put_by_name),
    (by_name, put_through_vars),
    (by_name, put_through_update),
    (by_name, put_through_kept),
    (through_vars, put_through_update),
]


def meeting(get, put, make, is_writer_first):
    """Return a program that fails in the order that is not met first."""

    def program():
        box, seen = make(), []
        bodies = [lambda: put(box), lambda: seen.append(get(box))]
        run_together(*(bodies if is_writer_first else reversed(bodies)))
        assert seen != [0 if is_writer_first else 2]

    return program


@pytest.mark.parametrize(("get", "put"), WAYS)
@pytest.mark.parametrize("is_writer_first", [True, False])
def test_both_orders_are_explored(get, put, is_writer_first):
    result = explore(meeting(get, put, Box, is_writer_first), strategy="dpor")

    assert result.verdict is Verdict.FAILED
    assert result.limits == ()


def test_both_orders_are_explored_of_what_a_class_holds():
    def make():
        return type("Made", (), {"n": 0})

    result = explore(meeting(through_vars, put_by_name, make, is_writer_first=True), strategy="dpor")

    assert result.verdict is Verdict.FAILED


def other_attribute():
    box = Box()
    run_together(lambda: through_vars(box), lambda: setattr(box, "m", 1))


def test_other_attributes_are_no_conflict():
    result = explore(other_attribute, strategy="dpor")

    assert result.verdict is Verdict.PROVED
    assert result.schedules == 1


def shares_its_attributes():
    box, other = Box(), Box()
    other.__dict__ = box.__dict__
    seen = []
    run_together(lambda: put_by_name(box), lambda: seen.append(other.n))
    assert seen


def test_proof_is_withheld_where_objects_may_share_their_attributes():
    result = explore(shares_its_attributes, strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert result.limits == ("another __dict__ of a Box may do anything",)
