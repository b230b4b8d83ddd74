"""Every trace once: exact numbers of executions, and every order of a lock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

import harness
from harness import Verdict
from harness.explore.dpor import Dpor
from harness.explore.program import make_world
from tests.explore.dpor.judge import steps_told


class Counter:
    def __init__(self) -> None:
        self.n = 0
        self.lock = threading.Lock()

    def increment(self) -> None:
        self.n += 1

    def increment_locked(self) -> None:
        with self.lock:
            self.n += 1


def counting(tasks: int, times: int) -> Callable[[], None]:
    def program() -> None:
        counter = Counter()

        def run() -> None:
            for _ in range(times):
                counter.increment()

        join_all([threading.Thread(target=run) for _ in range(tasks)])

    return program


def counting_locked(tasks: int, times: int) -> Callable[[], None]:
    def program() -> None:
        counter = Counter()
        order: list[int] = []

        def run(me: int) -> None:
            for _ in range(times):
                with counter.lock:
                    order.append(me)
                    counter.n += 1

        join_all([threading.Thread(target=run, args=(me,)) for me in range(tasks)])
        assert counter.n == tasks * times
        print(*order)

    return program


def join_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize(("tasks", "times", "traces"), [(2, 1, 4), (2, 2, 34), (2, 3, 328), (3, 1, 36)])
def test_unlocked_counter_runs_once_per_trace(tasks: int, times: int, traces: int) -> None:
    result = harness.explore(counting(tasks, times), strategy="dpor")

    assert result.schedules == traces
    assert result.verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("tasks", "times", "orders"), [(2, 1, 2), (2, 2, 6), (2, 3, 20), (2, 4, 70), (3, 1, 6), (3, 2, 90)]
)
def test_locked_counter_is_seen_in_every_order(tasks: int, times: int, orders: int) -> None:
    dpor, seen, executions = Dpor(), set(), 0
    with make_world(counting_locked(tasks, times), []) as world:
        world.warm_up()
        while dpor.begin():
            outcome = world.execute(dpor.choose, tracker=dpor)
            dpor.after(outcome)
            seen.add(outcome.output.stdout)
            executions += 1

    assert len(seen) == orders
    assert executions == orders


def test_who_chooses_is_told_only_of_steps_without_a_choice() -> None:
    told = {}
    with make_world(counting(2, 1), []) as world:
        world.warm_up()
        for chooses in (True, False):
            choices, told[chooses] = steps_told(world, chooses=chooses)

    assert choices > 0
    assert told[True] > 0
    assert told[False] == told[True] + choices


def test_lost_update_is_found_and_its_token_replays() -> None:
    def lost_update() -> None:
        counter = Counter()
        join_all([threading.Thread(target=counter.increment) for _ in range(2)])
        assert counter.n == 2

    result = harness.explore(lost_update, strategy="dpor")

    assert result.verdict is Verdict.FAILED
    assert result.failure is not None
    assert isinstance(harness.replay(lost_update, result.failure.token).error, AssertionError)


def test_bound_leaves_a_pass_and_says_what_is_left() -> None:
    result = harness.explore(counting(2, 3), strategy="dpor", max_schedules=100)

    assert result.verdict is Verdict.PASSED
    assert result.schedules == 100
    assert "left to explore" in result.summary()


def test_proof_says_what_it_assumes_and_what_was_shared() -> None:
    text = harness.explore(counting_locked(2, 1), strategy="dpor").summary()

    assert "2 traces" in text
    assert "Counter.n" in text
    assert "sequential consistency" in text
    assert "any waiter may get a released lock" in text
    assert "first come" not in text  # no condition was used


def test_proof_of_nothing_shared_says_so() -> None:
    def apart() -> None:
        join_all([threading.Thread(target=int) for _ in range(2)])

    result = harness.explore(apart, strategy="dpor")

    assert result.verdict is Verdict.PROVED
    assert result.schedules == 1
    assert "one trace only" in result.summary()
    assert "no shared location" in result.summary()


def take_soon(counter: Counter) -> None:
    if counter.lock.acquire(timeout=1):
        counter.n += 1
        counter.lock.release()


def locked_then_sleep(counter: Counter) -> None:
    counter.increment_locked()
    time.sleep(1)


def sleep(counter: Counter) -> None:
    time.sleep(1)


@pytest.mark.parametrize(
    ("bodies", "traces"),
    [
        ((take_soon, take_soon), 10),
        ((take_soon, locked_then_sleep), 10),
        ((take_soon, Counter.increment_locked, sleep), 24),
        ((take_soon, take_soon, sleep), 46),  # whether an acquire reads the clock depends on who came first
    ],
)
def test_wait_for_a_lock_with_a_time_out_runs_once_per_trace(
    bodies: tuple[Callable[[Counter], None], ...], traces: int
) -> None:
    def program() -> None:
        counter = Counter()
        join_all([threading.Thread(target=body, args=(counter,)) for body in bodies])

    result = harness.explore(program, strategy="dpor")

    assert result.schedules == traces
    assert result.verdict is Verdict.PROVED


def test_clock_is_not_taken_for_what_it_did_before_another_timer_was_set() -> None:
    def program() -> None:
        event = threading.Event()

        def call() -> None:
            event.set()
            time.sleep(1)

        join_all([threading.Thread(target=event.wait, args=(1,)), threading.Thread(target=call)])

    result = harness.explore(program, strategy="dpor")

    assert result.schedules == 9
    assert result.verdict is Verdict.PROVED, result.limits


def test_all_that_look_at_a_lock_are_seen_before_and_after_it_is_taken() -> None:
    def program() -> None:
        counter = Counter()
        look = counter.lock.locked
        join_all([threading.Thread(target=body) for body in (look, look, counter.increment_locked)])

    result = harness.explore(program, strategy="dpor")

    assert result.schedules == 9
    assert result.verdict is Verdict.PROVED


@pytest.mark.parametrize(
    ("seconds", "traces"),
    [((1.0, 0.5, 0.2), 16), ((0.2, 0.5, 1.0), 16), ((1.0, 1.0, 0.5), 20), ((1.0, 1.0, 1.0), 30)],
)
def test_timer_falls_due_before_others_are_set_that_would_come_first(seconds: tuple[float, ...], traces: int) -> None:
    def program() -> None:
        join_all([threading.Thread(target=time.sleep, args=(each,)) for each in seconds])

    result = harness.explore(program, strategy="dpor")

    assert result.schedules == traces
    assert result.verdict is Verdict.PROVED
