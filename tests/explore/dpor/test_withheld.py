"""What is done where nobody follows: some order of it fails, and no proof is given that it holds."""

from __future__ import annotations

import atexit
import contextvars
import functools
import itertools
import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable
from concurrent import futures

import pytest

import harness
from harness import Verdict


def run_all(*bodies: Callable[[], object]) -> None:
    threads = [threading.Thread(target=body) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Cell:
    def __init__(self) -> None:
        self.n = 0


class Job:
    def __init__(self, cell: Cell, rank: int) -> None:
        self.cell, self.rank = cell, rank

    def __lt__(self, other: Job) -> bool:
        self.cell.n += 1
        return self.rank < other.rank


class Counting(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.n = 0

    def createLock(self) -> None:  # noqa: N802 - the name is logging's
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        self.n += 1


def comparison_in_a_queue() -> None:
    cell, jobs = Cell(), queue.PriorityQueue[Job]()
    jobs.put(Job(cell, 0))
    run_all(lambda: jobs.put(Job(cell, 1)), lambda: setattr(cell, "n", 10))
    assert cell.n == 10


def action_of_a_barrier() -> None:
    cell, seen = Cell(), []
    barrier = threading.Barrier(2, action=lambda: setattr(cell, "n", 1))
    run_all(lambda: seen.append(cell.n), barrier.wait, barrier.wait)
    assert seen == [0]


def handler_without_a_lock() -> None:
    logger, handler = logging.Logger("shop"), Counting()
    logger.addHandler(handler)
    seen = []
    run_all(lambda: seen.append(handler.n), lambda: logger.warning("sold out"))
    assert seen == [0]


def functions_for_the_end() -> None:
    seen: list[int] = []
    first, second = functools.partial(seen.append, 1), functools.partial(seen.append, 2)
    run_all(lambda: atexit.register(first), lambda: atexit.register(second))
    atexit._run_exitfuncs()
    assert seen == [2, 1]


def items_of_a_generator() -> None:
    rows, seen = [[1, 2], [1, 2, 3]], []
    generator = (row for row in rows)
    run_all(lambda: seen.append(max(generator) is rows[1]), lambda: rows[0].append(9))
    assert seen == [True]


def results_that_are_tested() -> None:
    rows, seen = {0: [1]}, []

    def row(n: int) -> list[int]:
        return rows[n]

    run_all(lambda: seen.append(any(map(row, (0,)))), lambda: rows[0].clear())
    assert seen == [True]


def pairs_of_a_generator() -> None:
    rows, seen = [[1, 2]], []

    def change() -> None:
        rows[0][1] = 9

    run_all(lambda: seen.append(dict(row for row in rows)), change)
    assert seen == [{1: 2}]


def a_file() -> None:
    seen: list[bool] = []
    run_all(lambda: seen.append(os.access("/", os.R_OK)), lambda: os.access("/", os.W_OK))
    assert seen


def method_as_a_barrier_s_action() -> None:
    items: list[int] = []
    seen: list[int] = []
    barrier = threading.Barrier(2, action=functools.partial(items.append, 1))
    run_all(lambda: seen.append(len(items)), barrier.wait, barrier.wait)
    assert seen == [0]


def context_that_two_enter() -> None:
    context = contextvars.copy_context()
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    run_all(*[lambda: context.run(lambda: variable.set(1))] * 2)  # one is refused while the other is in


def attribute_in_a_pattern() -> None:
    cell, seen = Cell(), []

    def look() -> None:
        match 0:
            case cell.n:
                seen.append(True)

    run_all(look, lambda: setattr(cell, "n", 1))
    assert seen == [True]


def futures_waited_for() -> None:
    with futures.ThreadPoolExecutor(1) as pool:
        done, _ = futures.wait([pool.submit(int)], timeout=0)
    assert not done


class Other:
    n = 5


def class_changed() -> None:
    cell, seen = Cell(), []

    def change() -> None:
        cell.__class__ = Other  # type: ignore[assignment]  # what is to be seen

    run_all(lambda: seen.append(isinstance(cell, Cell)), change)
    assert seen == [True]


def defaults_changed() -> None:
    seen = []

    def default(n: int = 1) -> int:
        return n

    def change() -> None:
        default.__defaults__ = (2,)

    run_all(lambda: seen.append(default()), change)
    assert seen == [1]


def subclasses_counted() -> None:
    base, seen = type("Base", (), {}), []
    run_all(lambda: seen.append(len(base.__subclasses__())), lambda: type("Derived", (base,), {}))
    assert seen == [0]


def weak_reference_whose_object_goes() -> None:
    class Held:
        pass

    class Holder:
        def __init__(self) -> None:
            self.held: Held | None = Held()
            self.reference = weakref.ref(self.held)

    holder, seen = Holder(), []

    def drop() -> None:
        holder.held = None

    run_all(lambda: seen.append(holder.reference() is None), drop)
    assert seen == [False]


WITHHELD = [
    weak_reference_whose_object_goes,
    class_changed,
    defaults_changed,
    subclasses_counted,
    method_as_a_barrier_s_action,
    context_that_two_enter,
    attribute_in_a_pattern,
    futures_waited_for,
    comparison_in_a_queue,
    action_of_a_barrier,
    handler_without_a_lock,
    functions_for_the_end,
    items_of_a_generator,
    results_that_are_tested,
    pairs_of_a_generator,
    a_file,
]


@pytest.mark.parametrize("program", WITHHELD, ids=lambda program: program.__name__)
def test_proof_is_withheld_where_nobody_follows(program: Callable[[], None]) -> None:
    result = harness.explore(program, strategy="dpor", max_schedules=100)

    assert result.verdict in (Verdict.PASSED, Verdict.FAILED)
    assert result.verdict is Verdict.FAILED or any("may do anything" in limit for limit in result.limits)


def ranked_by_what_never_changes() -> None:
    jobs = queue.PriorityQueue[tuple[int, str]]()
    run_all(lambda: jobs.put((1, "b")), lambda: jobs.put((0, "a")))
    assert jobs.get() == (0, "a")


def sorted_by_what_never_changes() -> None:
    rows = {"b": Cell(), "a": Cell()}
    run_all(lambda: sorted(rows, key=lambda name: name[::-1]), lambda: setattr(rows["a"], "n", 1))


def quantified_over_what_never_changes() -> None:
    rows = {"b": Cell(), "a": Cell()}
    seen = []
    run_all(lambda: seen.append(any(row.n > 1 for row in rows.values())), lambda: setattr(rows["a"], "n", 1))
    assert seen == [False]
    assert max(itertools.chain(row.n for row in rows.values())) == 1


PROVED = [ranked_by_what_never_changes, sorted_by_what_never_changes, quantified_over_what_never_changes]


@pytest.mark.parametrize("program", PROVED, ids=lambda program: program.__name__)
def test_proof_is_given_where_own_code_gives_what_never_changes(program: Callable[[], None]) -> None:
    result = harness.explore(program, strategy="dpor", max_schedules=100)

    assert result.verdict is Verdict.PROVED, result.limits
