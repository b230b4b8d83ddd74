"""Locks of the controlled world behave as the real ones, and who gets them is a choice."""

from __future__ import annotations

import re
import threading
import time

import pytest
from sink import make_sink

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable
MODULE_LOCK = threading.Lock()
MODULE_RLOCK = threading.RLock()


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("make", [threading.Lock, threading.RLock, lambda: MODULE_LOCK, lambda: MODULE_RLOCK])
def test_counter_under_a_lock_holds(make):
    def program():
        lock, state = make(), {"n": 0}

        def add():
            with lock:
                state["n"] = state["n"] + 1

        together(add, add)
        assert state["n"] == 2

    result = explore(program, strategy="random", max_schedules=200)

    assert result.verdict is Verdict.PASSED
    assert result.limits == ()


def test_both_orders_of_two_acquirers_are_seen():
    note, orders = make_sink()

    def program():
        lock, order = threading.Lock(), []

        def first():
            with lock:
                order.append("first")

        def second():
            with lock:
                order.append("second")

        together(first, second)
        note(tuple(order))

    explore(program, max_schedules=50)

    assert set(orders()) == {("first", "second"), ("second", "first")}


def test_lock_order_inversion_is_a_deadlock_that_names_tasks_and_locks():
    def program():
        left, right = threading.Lock(), threading.Lock()

        def forward():
            with left, right:
                pass

        def backward():
            with right, left:
                pass

        together(forward, backward)

    failure = explore(program, max_schedules=200).failure

    assert failure is not None
    assert failure.kind == "deadlock"
    lines = str(failure.error).splitlines()
    assert lines[0] == "nothing can go on, and no timer is due"
    assert re.fullmatch(
        r"  task 'forward' waits at .*test_locks.py:\d+ for Lock#(\d) \(made at .*test_locks.py:\d+\), "
        r"held by 'backward', and holds Lock#(?!\1)\d \(made at .*test_locks.py:\d+\)",
        lines[2],
    )
    assert re.fullmatch(r"  circle: (forward|backward) -> Lock#\d -> (forward|backward) -> Lock#\d -> \1", lines[4])


def test_rlock_is_reentrant_and_refuses_a_foreign_release():
    def program():
        lock = threading.RLock()
        refused = []

        def other():
            try:
                lock.release()
            except RuntimeError as error:
                refused.append(str(error))

        with lock, lock:
            together(other)
        assert refused == ["cannot release un-acquired lock"]

    assert explore(program, max_schedules=20).verdict is Verdict.PASSED


def test_release_of_a_free_lock_raises_as_the_real_one():
    def program():
        lock = threading.Lock()
        with pytest.raises(RuntimeError, match="release unlocked lock"):
            lock.release()

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


def test_try_acquire_sees_the_lock_held_in_some_schedule_and_free_in_another():
    note, seen = make_sink()

    def program():
        lock = threading.Lock()

        def holder():
            with lock:
                pass

        def trier():
            got = lock.acquire(blocking=False)
            note(got)
            if got:
                lock.release()

        together(holder, trier)

    explore(program, max_schedules=100)

    assert set(seen()) == {True, False}


def test_acquire_with_timeout_gives_up_on_the_virtual_clock():
    def program():
        lock = threading.Lock()
        lock.acquire()
        waited = []

        def waiter():
            begun = time.monotonic()
            assert lock.acquire(timeout=2.5) is False
            waited.append(time.monotonic() - begun)

        together(waiter)
        assert 2.5 < waited[0] < 2.50001  # late, as on a real clock

    assert explore(program, max_schedules=5).verdict is Verdict.PASSED


def test_condition_event_semaphore_barrier_and_queue_work_on_controlled_locks():
    def program():
        import queue

        ready, done, slots = threading.Event(), threading.Condition(), threading.Semaphore(1)
        barrier, items, got = threading.Barrier(2), queue.Queue(maxsize=1), []

        def producer():
            ready.wait()
            for item in range(3):
                items.put(item)
            barrier.wait()
            with done:
                got.append("end")
                done.notify()

        def consumer():
            ready.set()
            for _ in range(3):
                with slots:
                    got.append(items.get())
            barrier.wait()

        threads = [threading.Thread(target=producer), threading.Thread(target=consumer)]
        for thread in threads:
            thread.start()
        with done:
            done.wait_for(lambda: "end" in got)
        for thread in threads:
            thread.join()
        assert got == [0, 1, 2, "end"]

    result = explore(program, max_schedules=100)

    assert result.verdict is Verdict.PASSED, str(result)


def test_lock_held_outside_the_world_is_uncontrolled_and_named():
    held = threading.Lock()
    held.acquire()

    def program():
        with held:
            pass

    result = explore(program)

    assert result.verdict is Verdict.UNCONTROLLED
    assert "waits for a real Lock held outside the exploration, at" in result.limits[0]
    assert "test_locks.py" in result.limits[0]


def test_lock_made_in_a_world_is_a_working_real_lock_afterwards():
    note, kept = make_sink()

    def program():
        note(threading.Lock())

    explore(program, max_schedules=1)

    assert kept()[-1].acquire(False)
    assert not kept()[-1].acquire(False)
