"""The virtual clock: simulated seconds, due timers as candidates."""

from __future__ import annotations

import sched
import threading
import time
from concurrent import futures
from datetime import UTC, date, datetime, timedelta
from threading import Lock, Thread
from time import monotonic, sleep

import pytest

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


def test_sleep_takes_simulated_seconds_only():
    def program():
        begun = time.monotonic(), time.time(), time.perf_counter_ns()
        time.sleep(3600)
        assert (time.monotonic() - begun[0], time.time() - begun[1]) == (3600.0, 3600.0)
        assert time.perf_counter_ns() - begun[2] == 3600 * 10**9

    begun = time.perf_counter()
    result = explore(program, max_schedules=3)

    assert result.verdict is Verdict.PASSED
    assert time.perf_counter() - begun < 3600


def test_deadlines_fall_due_in_order_and_never_early():
    def program():
        woken = []

        def sleeper(seconds):
            due = time.monotonic() + seconds
            time.sleep(seconds)
            assert time.monotonic() >= due
            woken.append(time.monotonic())

        threads = [threading.Thread(target=sleeper, args=(seconds,)) for seconds in (3, 1, 2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(woken) == 3

    assert explore(program, max_schedules=100).verdict is Verdict.PASSED


def test_timeout_may_win_against_a_slow_task():
    def program():
        event, outcomes = threading.Event(), []

        def waiter():
            outcomes.append(event.wait(1.0))

        thread = threading.Thread(target=waiter)
        thread.start()
        event.set()
        thread.join()
        assert outcomes == [True]

    failure = explore(program, max_schedules=300).failure

    assert failure is not None
    assert "clock" in {event.kind for event in failure.execution.events}


def test_negative_sleep_is_refused_as_by_the_real_one():
    def program():
        with pytest.raises(ValueError, match="sleep length must be non-negative"):
            time.sleep(-1)

    assert explore(program, max_schedules=1).verdict is Verdict.PASSED


def test_clock_captured_by_import_default_or_attribute_is_the_virtual_one():
    class Cache:
        def __init__(self, timer=time.monotonic):
            self.timer = timer

        def age(self):
            return self.timer()

    def program(read=time.monotonic):
        cache = Cache()
        begun = monotonic(), read(), cache.age()
        sleep(3600)
        assert (monotonic() - begun[0], read() - begun[1], cache.age() - begun[2]) == (3600.0, 3600.0, 3600.0)

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


def test_clock_captured_by_a_default_of_the_library_is_the_virtual_one():
    def program():
        begun, ran = monotonic(), []
        events = sched.scheduler()
        events.enter(3600, 0, ran.append, (1,))
        events.run()
        assert (ran, monotonic() - begun) == ([1], 3600.0)

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


def test_dates_are_read_from_the_virtual_clock():
    def program():
        begun, today = datetime.now(UTC), date.today()
        sleep(86400)
        assert datetime.now(UTC) - begun == timedelta(days=1)
        assert date.today() - today == timedelta(days=1)
        assert datetime.utcnow() == begun.replace(tzinfo=None) + timedelta(days=1)

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


def test_lock_and_thread_captured_by_import_are_controlled():
    def program():
        lock, state = Lock(), {"n": 0}

        def add():
            lock.acquire()
            state["n"] = state["n"] + 1
            lock.release()

        threads = [Thread(target=add) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert state["n"] == 2

    result = explore(program, strategy="random", max_schedules=200)

    assert result.verdict is Verdict.PASSED, str(result)


@pytest.mark.parametrize("timeout", [0, 1])
def test_loop_that_waits_until_less_than_nothing_is_left_ends(timeout):
    def program():
        with pytest.raises(TimeoutError):
            list(futures.as_completed([futures.Future()], timeout))

    for strategy in ("random", "dpor"):
        result = explore(program, max_schedules=3, strategy=strategy)

        assert [limit for limit in result.limits if "as_completed" not in limit] == []  # none was cut off
        assert result.schedules == (3 if strategy == "random" else 1)
