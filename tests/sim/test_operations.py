"""A public operation of a primitive is one step, whatever locks the library makes it of."""

from __future__ import annotations

import queue
import re
import threading
import weakref
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from sink import make_sink

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable
OLD_QUEUE: queue.Queue[int] = queue.Queue()
OLD_EVENT = threading.Event()
OLD_SEMAPHORE = threading.Semaphore(1)


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def calls(failure):
    return [event.target for event in failure.execution.events if event.kind == "call"]


def test_events_name_public_operations_only():
    def program():
        items = queue.Queue()
        items.put(1)
        items.get()
        items.task_done()
        raise LookupError

    failure = explore(program).failure

    assert failure is not None
    assert calls(failure) == ["Queue#1.put", "Queue#1.get", "Queue#1.task_done"]
    assert {event.kind for event in failure.execution.events} == {"call", "error"}


def test_both_orders_of_two_puts_are_seen():
    note, orders = make_sink()

    def program():
        items = queue.Queue()

        def first():
            items.put(1)

        def second():
            items.put(2)

        together(first, second)
        note((items.get(), items.get()))

    explore(program, max_schedules=40)

    assert set(orders()) == {(1, 2), (2, 1)}


def test_objects_made_before_the_exploration_are_controlled():
    def program():
        def producer():
            with OLD_SEMAPHORE:
                OLD_QUEUE.put(1)
            OLD_EVENT.set()

        def consumer():
            assert OLD_QUEUE.get() == 1
            OLD_EVENT.wait()

        together(consumer, producer)
        assert OLD_QUEUE.empty()
        OLD_EVENT.clear()

    result = explore(program, strategy="random", max_schedules=100)

    assert result.verdict is Verdict.PASSED, str(result)


def test_waiters_are_notified_in_the_order_they_came():
    def program():
        slots, order = threading.Semaphore(0), []

        def first():
            slots.acquire()
            order.append("first")

        one = threading.Thread(target=first)
        one.start()
        slots.release()
        one.join()
        assert order == ["first"]

    assert explore(program, strategy="random", max_schedules=50).verdict is Verdict.PASSED


def test_lost_wake_up_is_a_deadlock_that_names_the_wait():
    def program():
        ready = threading.Condition()

        def waiter():
            with ready:
                ready.wait()  # nobody tells it whether the moment has passed

        def notifier():
            with ready:
                ready.notify()

        together(waiter, notifier)

    failure = explore(program).failure

    assert failure is not None
    assert failure.kind == "deadlock"
    assert re.search(r"task 'waiter' waits at .*test_operations.py:\d+ for Condition#1.wait", str(failure.error))


def test_full_queue_holds_the_producer_until_the_consumer_takes():
    def program():
        items, taken = queue.Queue(maxsize=1), []

        def producer():
            for item in range(3):
                items.put(item)

        def consumer():
            taken.extend(items.get() for _ in range(3))

        together(producer, consumer)
        assert taken == [0, 1, 2]

    assert explore(program, strategy="random", max_schedules=100).verdict is Verdict.PASSED


def test_time_outs_of_queues_run_on_the_virtual_clock():
    def program():
        with pytest.raises(queue.Empty):
            queue.Queue().get(timeout=3600)
        with pytest.raises(queue.Empty):
            queue.SimpleQueue().get(timeout=3600)

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


def test_callbacks_of_futures_have_scheduling_points_of_their_own():
    def program():
        state, future = {"n": 0}, Future()

        def add(_):
            state["n"] = state["n"] + 1

        future.add_done_callback(add)

        def settle():
            future.set_result(1)

        def beside():
            add(None)

        together(settle, beside)
        assert state["n"] == 2

    failure = explore(program).failure

    assert failure is not None
    assert "Future#1.set_result" in calls(failure)


def test_pool_gives_results_and_errors_as_the_real_one():
    def program():
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(str, range(3))) == ["0", "1", "2"]
            with pytest.raises(ZeroDivisionError):
                pool.submit(lambda: 1 // 0).result()

    assert explore(program, max_schedules=50).verdict is Verdict.PASSED


def test_pool_keeps_nothing_of_a_job_that_has_ended():
    class Result:
        pass

    def program():
        with ThreadPoolExecutor(2) as pool:
            for result in pool.map(lambda _: Result(), range(3)):
                kept = weakref.ref(result)
                del result
                assert kept() is None

    # A worker that keeps the last job until it has the next one fails in every eighth schedule or more.
    assert explore(program, strategy="random", max_schedules=200).verdict is Verdict.PASSED


def test_barrier_lets_all_go_or_breaks():
    def program():
        barrier, passed = threading.Barrier(2), []

        def meet():
            passed.append(barrier.wait())

        together(meet, lambda: meet())
        assert sorted(passed) == [0, 1]
        with pytest.raises(threading.BrokenBarrierError):
            barrier.wait(timeout=1)

    assert explore(program, strategy="random", max_schedules=50).verdict is Verdict.PASSED


def test_timer_fires_on_the_virtual_clock_or_is_cancelled():
    note, fired = make_sink()

    def program():
        timer = threading.Timer(60, note, ["fired"])
        timer.start()
        timer.cancel()
        timer.join()

    result = explore(program, strategy="random", max_schedules=60)

    assert result.verdict is Verdict.PASSED
    assert 0 < len(fired()) < 61  # a slow main task lets it fire
