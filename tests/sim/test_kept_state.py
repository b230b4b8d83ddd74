"""What modules that are not instrumented keep between calls is shared, though nobody hands it to them."""

from __future__ import annotations

import threading

import pytest

from harness.explore import Verdict, explore
from tests.programs import keeping

pytestmark = pytest.mark.portable


def run_together(*bodies):
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def read_beside(make):
    """Return a program that fails where the first order found is the only one: the read comes before the write."""

    def program():
        keeping.forget()
        put, get = make()
        seen = []
        run_together(lambda: put(1), lambda: seen.append(get()))
        assert seen != [0]

    return program


def methods():
    return keeping.Shelf().put, keeping.Shelf().get


def made():
    return lambda _: keeping.Registered(), keeping.get_global


PAIRS = {
    "a global": lambda: (keeping.put_global, keeping.get_global),
    "an item of a global": lambda: (keeping.put_item, keeping.get_item),
    "what a function stores that is called": lambda: (keeping.put_indirectly, keeping.get_item),
    "an attribute of a class": lambda: (keeping.put_on_class, keeping.get_from_class),
    "a variable of a call": keeping.make_pair,
    "a list of a call": keeping.make_listed_pair,
    "a table of a class": methods,
    "what is counted by instances": made,
}


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("strategy", ["dpor", "random"])
def test_order_of_calls_that_share_it_is_explored(name, strategy):
    assert explore(read_beside(PAIRS[name]), strategy=strategy, max_schedules=100).verdict is Verdict.FAILED


def counted():
    keeping.forget()

    def add():
        keeping.put_global(keeping.get_global() + 1)

    run_together(add, add)
    assert keeping.get_global() == 2


def test_another_task_may_come_between_two_calls():
    result = explore(counted, strategy="dpor")

    assert result.failure is not None
    assert result.failure.preemptions == 1


def harmless_reader():
    run_together(lambda: keeping.put_global(1), keeping.get_global)


def test_proof_is_withheld_and_says_what_to_instrument():
    result = explore(harmless_reader, strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 2
    (limit,) = result.limits
    assert limit == (
        "tests.programs.keeping.get_global may share what its module keeps with calls of other tasks; instrument it"
    )


def test_instrumented_it_is_proved():
    result = explore(harmless_reader, strategy="dpor", instrument=["tests.programs.keeping"])

    assert result.verdict is Verdict.PROVED


def pure_calls():
    run_together(lambda: keeping.double(3), lambda: keeping.double(4))


def test_functions_that_keep_nothing_are_no_reason_to_withhold_a_proof():
    result = explore(pure_calls, strategy="dpor")

    assert result.verdict is Verdict.PROVED
    assert result.schedules == 1


def threads_of_the_module():
    seen = []
    keeping.start_both(keeping.put_global, seen)
    assert seen


def test_threads_that_a_module_starts_for_its_own_functions_are_seen_to_share():
    result = explore(threads_of_the_module, strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert result.limits == ("tests.programs.keeping.start_both may do anything to an object that two tasks touch",)
    assert "state of other modules" in result.claim
