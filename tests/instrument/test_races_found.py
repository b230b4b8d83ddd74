"""Races that can be found only if the hook stands at the right place, or the container does not count as confined."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from harness.explore import explore

pytestmark = pytest.mark.portable


def together(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Holder:
    def __init__(self) -> None:
        self.d = {"n": 0}


def update_with_keyword_read_before():
    holder = Holder()

    def bump():
        holder.d.update(n=holder.d["n"] + 1)

    together(bump, bump)
    assert holder.d["n"] == 2


def loop_over_values_of_a_growing_dict():
    shared = Holder().d
    shared.update(a=1, b=2)
    total = [0]

    def read():
        n = 0
        for value in shared.values():
            n += value
        total[0] = n

    def grow():
        shared["new"] = 1

    together(read, grow)


def loop_over_enumerated_list_that_shrinks():
    shared = [1, 2, 3]

    def read():
        seen = 0
        for i, _ in enumerate(shared):
            seen = i + 1
        assert seen in (2, 3)
        assert seen == len(shared)

    together(read, shared.pop)


def loop_variable_captured_too_late():
    seen = []
    threads = []
    for n in (1, 2):
        thread = threading.Thread(target=lambda: seen.append(n))  # noqa: B023 - this is the race
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    assert seen == [2, 2]


def local_list_given_away_as_a_default():
    items = []

    def count(mine=items):
        n = len(mine)
        mine.append(n)

    thread = threading.Thread(target=count)
    thread.start()
    n = len(items)
    items.append(n)
    thread.join()
    assert sorted(items) == [0, 1]


shared_list: list[int] = []


def global_list_declared_in_the_function():
    global shared_list
    shared_list = []

    def add():
        shared_list.append(len(shared_list))

    thread = threading.Thread(target=add)
    thread.start()
    n = len(shared_list)
    shared_list.append(n)
    thread.join()
    assert sorted(shared_list) == [0, 1]


class Lazy:
    made = 0

    def get(self):
        if not hasattr(self, "value"):
            setattr(self, "value", object())  # noqa: B010 - as generic code does it
            Lazy.made += 1
        return getattr(self, "value")  # noqa: B009


def lazy_value_behind_accessors():
    Lazy.made = 0
    lazy = Lazy()
    together(lazy.get, lazy.get)
    assert Lazy.made == 1


def variable_used_before_its_own_assignment_ended():
    failed = []

    def start(body):
        thread = threading.Thread(target=body)
        thread.start()
        return thread

    def body():
        try:
            thread.is_alive()
        except NameError as error:
            failed.append(error)

    thread = start(body)
    thread.join()
    assert not failed


def copy_of_a_shared_dict_by_display():
    holder = Holder()

    def bump():
        new = {**holder.d}
        new["n"] = new["n"] + 1
        holder.d = new

    together(bump, bump)
    assert holder.d["n"] == 2


BROKEN = [
    update_with_keyword_read_before,
    loop_over_values_of_a_growing_dict,
    loop_over_enumerated_list_that_shrinks,
    loop_variable_captured_too_late,
    local_list_given_away_as_a_default,
    global_list_declared_in_the_function,
    lazy_value_behind_accessors,
    variable_used_before_its_own_assignment_ended,
    copy_of_a_shared_dict_by_display,
]


@pytest.mark.parametrize("program", BROKEN, ids=lambda program: program.__name__)
def test_race_is_found(program):
    # two tasks with one or two decisive points each: 400 random walks all miss with p < 1e-9
    result = explore(program, strategy="random", max_schedules=400, seed=5)

    assert result.failure is not None
    assert result.limits == () or "suspended" in result.limits[0]
