from __future__ import annotations

import pickle
import random
from itertools import permutations
from threading import Thread

import pytest

from harness.explore import (
    History,
    InvalidArgumentError,
    NotLinearizableError,
    Operation,
    Verdict,
    check_linearizable,
    explore,
    find_linearization,
    orders,
)


def counter(state, call):
    return (state + 1, state + 1) if call == "add" else (state, state)


def test_a_history_in_sequence_has_one_order():
    history = History()
    history.call("add", lambda: 1)
    history.call("read", lambda: 1)

    assert [operation.call for operation in check_linearizable(history, counter, 0)] == ["add", "read"]
    assert len(list(orders(history.operations))) == 1


def test_overlapping_operations_may_come_in_either_order():
    operations = [Operation("add", 1, 0, 3), Operation("read", 0, 1, 2)]

    assert len(list(orders(operations))) == 2
    assert find_linearization(operations, counter, 0) == (operations[1], operations[0])


def test_real_time_order_is_kept():
    # The read ended before the add began, so it cannot have seen it.
    operations = [Operation("add", 1, 2, 3), Operation("read", 1, 0, 1)]

    assert find_linearization(operations, counter, 0) is None


def test_two_adds_that_got_the_same_number_fit_no_order():
    operations = [Operation("add", 1, 0, 2), Operation("add", 1, 1, 3)]

    assert find_linearization(operations, counter, 0) is None


def test_an_exception_is_a_result():
    def model(state, call):
        return (ZeroDivisionError, state)

    history = History()

    assert history.call("divide", lambda: 1 // 0) is None
    assert len(check_linearizable(history, model, 0)) == 1


def test_the_error_lists_the_history_and_pickles():
    history = History()
    history.call("read", lambda: 7)
    with pytest.raises(NotLinearizableError) as caught:
        check_linearizable(history, counter, 0)

    assert "no sequential order gives these results: 'read' -> 7 [0, 1]" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    assert isinstance(caught.value, AssertionError)


def test_more_than_eight_operations_are_refused():
    operations = [Operation("read", 0, 2 * n, 2 * n + 1) for n in range(9)]

    with pytest.raises(InvalidArgumentError, match="9 operations are more than 8"):
        find_linearization(operations, counter, 0)


def test_the_answer_is_that_of_brute_force():
    generator = random.Random(2)
    answers = set()
    for _ in range(400):
        times = generator.sample(range(20), 8)
        operations = [
            Operation(generator.choice(["add", "read"]), generator.randrange(4), *sorted(times[2 * n : 2 * n + 2]))
            for n in range(4)
        ]
        kept = [
            order
            for order in permutations(operations)
            if not any(later.precedes(earlier) for n, earlier in enumerate(order) for later in order[n + 1 :])
        ]
        fits = [order for order in kept if explains(order)]

        assert sorted(orders(operations), key=str) == sorted(kept, key=str)
        assert (find_linearization(operations, counter, 0) is not None) == bool(fits)
        answers.add(bool(fits))

    assert answers == {True, False}


def explains(order):
    state = 0
    for operation in order:
        result, state = counter(state, operation.call)
        if result != operation.result:
            return False
    return True


class Counter:
    def __init__(self):
        self.n = 0

    def add(self):
        self.n += 1
        return self.n


def two_adds():
    shared, history = Counter(), History()
    threads = [Thread(target=history.call, args=("add", shared.add)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check_linearizable(history, counter, 0)


def test_exploration_finds_what_is_not_linearizable():
    result = explore(two_adds)

    assert result.verdict is Verdict.FAILED
    assert isinstance(result.failure.error, NotLinearizableError)
