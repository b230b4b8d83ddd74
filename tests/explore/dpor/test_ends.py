"""Starts and ends of tasks against what others do: daemons cut off, joins that give up, threads that are asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from harness import Verdict
from harness.explore.dpor import Dpor, strategy
from harness.explore.program import make_world


class Cell:
    def __init__(self) -> None:
        self.n = 0
        self.is_asked = False


def started(body: Callable[[], object], *, daemon: bool = False) -> threading.Thread:
    thread = threading.Thread(target=body, daemon=daemon)
    thread.start()
    return thread


def daemon_writes_twice() -> None:
    cell = Cell()

    def write() -> None:
        cell.n = 1
        cell.n = 2

    started(write, daemon=True)
    cell.is_asked = True


def daemon_sleeps() -> None:
    cell = Cell()

    def write() -> None:
        time.sleep(1)
        cell.n = 1

    started(write, daemon=True)
    cell.is_asked = True


def join_gives_up() -> None:
    cell = Cell()

    def write() -> None:
        cell.n = 1

    thread = started(write)
    thread.join(1)
    print(cell.n)
    thread.join()


def thread_is_asked_whether_it_lives() -> None:
    thread = started(int)
    print(thread.is_alive())
    thread.join()


def two_join_and_one_gives_up() -> None:
    thread = started(int)
    joiner = started(lambda: thread.join(1))
    thread.join()
    joiner.join()


def long_run() -> None:
    cell = Cell()

    def write() -> None:
        cell.n = 1
        cell.n = 2
        cell.n = 3

    threads = [started(write) for _ in range(2)]
    for thread in threads:
        thread.join()


def ends_of(program: Callable[[], None]) -> set[str]:
    """Return what the executions of a program print."""
    dpor, seen = Dpor(), set()
    with make_world(program, []) as world:
        world.warm_up()
        while dpor.begin():
            outcome = world.execute(dpor.choose, tracker=dpor)
            dpor.after(outcome)
            seen.add(outcome.output.stdout.strip())
    assert not dpor.proof.has_diverged
    return seen


def one_is_asked_and_another_joined() -> None:
    cell = Cell()

    def write() -> None:
        cell.n = 1

    asked, joined = started(write), started(write)
    asked.is_alive()
    joined.join()
    asked.join()


@pytest.mark.parametrize(
    ("program", "traces"),
    [
        (daemon_writes_twice, 4),  # as many steps as it comes to, ended itself or not
        (daemon_sleeps, 6),
        (join_gives_up, 6),
        (thread_is_asked_whether_it_lives, 2),
        (two_join_and_one_gives_up, 5),
        (one_is_asked_and_another_joined, 4),  # to go on after the join has nothing to do with who was asked for
    ],
)
def test_end_of_a_task_is_seen_before_and_after_what_others_do(program: Callable[[], None], traces: int) -> None:
    result = harness.explore(program, strategy="dpor")

    assert result.schedules == traces
    assert result.verdict is Verdict.PROVED


def test_steps_beyond_those_followed_are_named_and_cost_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strategy, "MOST_EVENTS", 10)

    result = harness.explore(long_run, strategy="dpor")

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 8  # of what the first ten steps leave to choose
    assert result.limits == (
        "an execution had more steps than the reduction follows; what comes later is left as it came",
    )


def test_execution_with_fewer_steps_than_are_followed_is_proved() -> None:
    assert harness.explore(long_run, strategy="dpor").verdict is Verdict.PROVED


def test_giving_work_to_a_pool_takes_no_time() -> None:
    def program() -> None:
        with ThreadPoolExecutor(2) as pool:
            before = time.monotonic()
            pool.submit(int)
            pool.submit(int)
            assert time.monotonic() == before

    assert harness.explore(program, strategy="dpor").verdict is Verdict.PROVED


def test_two_tasks_that_start_others_are_seen_in_both_orders() -> None:
    def program() -> None:
        idents: dict[str, int] = {}

        def start(name: str) -> None:
            started(lambda: idents.update({name: threading.get_ident()})).join()

        starters = [threading.Thread(target=start, args=(name,)) for name in ("a", "b")]
        for starter in starters:
            starter.start()
        for starter in starters:
            starter.join()
        print(idents["a"] < idents["b"])

    assert ends_of(program) == {"True", "False"}  # whoever comes first takes the next identifier


def names_of_tasks_on_two_loops() -> None:
    names: dict[str, str] = {}

    async def tell(thread: str) -> None:
        task = asyncio.current_task()
        assert task is not None
        names[thread] = task.get_name()

    threads = [threading.Thread(target=lambda name=name: asyncio.run(tell(name)), name=name) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(names["a"] < names["b"])


def test_names_of_tasks_on_two_loops_are_seen_in_both_orders() -> None:
    assert ends_of(names_of_tasks_on_two_loops) == {"True", "False"}


def test_making_tasks_on_two_loops_is_no_conflict_where_nobody_asks_for_names() -> None:
    async def nothing() -> None: ...

    def program() -> None:
        threads = [threading.Thread(target=lambda: asyncio.run(nothing())) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    result = harness.explore(program, strategy="dpor")

    assert result.verdict is Verdict.PROVED, result.limits
    assert result.schedules == 1


def test_names_of_pools_are_seen_in_both_orders() -> None:
    def program() -> None:
        names: dict[str, str] = {}

        def ask(name: str) -> None:
            with ThreadPoolExecutor(1) as pool:
                names[name] = pool.submit(lambda: threading.current_thread().name).result()

        threads = [threading.Thread(target=ask, args=(name,), name=name) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(names["a"] < names["b"])

    assert ends_of(program) == {"True", "False"}


def test_two_tasks_that_make_threads_without_a_name_are_seen_in_both_orders() -> None:
    def program() -> None:
        names: dict[str, str] = {}

        def make(task: str) -> None:
            names[task] = threading.Thread(target=int).name

        makers = [threading.Thread(target=make, args=(task,), name=task) for task in ("a", "b")]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        print(names["a"] < names["b"])

    assert ends_of(program) == {"True", "False"}
