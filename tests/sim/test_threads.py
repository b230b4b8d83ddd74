"""Threads of the controlled world behave as threading.Thread does."""

from __future__ import annotations

import _thread
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import thread as pools
from contextlib import suppress

import pytest
from sink import make_sink

from harness.explore import Verdict, explore

pytestmark = pytest.mark.portable


def test_names_idents_and_current_thread_are_those_of_the_task():
    def program():
        seen = []

        def work():
            thread = threading.current_thread()
            seen.append((thread.name, thread.ident == threading.get_ident(), thread.is_alive()))

        thread = threading.Thread(target=work)
        assert not thread.is_alive()
        thread.start()
        thread.join()
        assert seen == [("Thread-1 (work)", True, True)]
        assert not thread.is_alive()
        assert threading.current_thread() is threading.main_thread()

    assert explore(program, max_schedules=20).verdict is Verdict.PASSED


def test_subclass_with_run_is_controlled():
    class Worker(threading.Thread):
        def __init__(self, state):
            super().__init__()
            self.state = state

        def run(self):
            self.state["n"] += 1

    def program():
        state = {"n": 0}
        workers = [Worker(state), Worker(state)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        assert state["n"] == 2

    assert explore(program, max_schedules=100).verdict is Verdict.FAILED


def test_thread_started_twice_is_refused():
    def program():
        thread = threading.Thread(target=int)
        thread.start()
        with pytest.raises(RuntimeError, match="threads can only be started once"):
            thread.start()
        thread.join()

    assert explore(program, max_schedules=5).verdict is Verdict.PASSED


def test_exception_in_a_thread_is_a_failure_that_names_the_thread(capsys):
    def program():
        def explode():
            raise ValueError("no such provider")

        thread = threading.Thread(target=explode, name="loader")
        thread.start()
        thread.join()

    failure = explore(program).failure

    assert failure is not None
    assert isinstance(failure.error, ValueError)
    assert failure.execution.task == "loader"
    assert capsys.readouterr().err == ""


def test_join_with_timeout_comes_back_while_the_thread_goes_on():
    def program():
        def slow():
            time.sleep(10)

        thread = threading.Thread(target=slow)
        thread.start()
        thread.join(timeout=1)
        assert thread.is_alive() or time.monotonic() >= 10
        thread.join()
        assert not thread.is_alive()

    assert explore(program, max_schedules=50).verdict is Verdict.PASSED


def test_thread_that_is_not_joined_runs_to_its_end():
    note, ended = make_sink()

    def program():
        threading.Thread(target=lambda: note("ended")).start()

    result = explore(program, max_schedules=5)

    assert len(ended()) == result.schedules + 1  # and the warm-up


def test_daemon_that_waits_for_ever_does_not_hold_up_the_execution():
    def program():
        threading.Thread(target=threading.Event().wait, daemon=True).start()

    assert explore(program, max_schedules=5).verdict is Verdict.PASSED


def test_finally_blocks_of_left_over_tasks_run():
    note, ended = make_sink()

    def program():
        def wait():
            try:
                threading.Event().wait()
            finally:
                note("finally")

        threading.Thread(target=wait, daemon=True).start()
        time.sleep(1)

    explore(program, max_schedules=1, strategy="random")

    assert ended()


@pytest.mark.parametrize("wait", [lambda: threading.Event().wait(), lambda: time.sleep(3_600)])
@pytest.mark.parametrize("engine", ["greenlet", "threads"])
def test_task_that_begins_to_wait_when_it_is_ended_does_not_hold_up_the_end(wait, engine):
    def program():
        def stay():
            for _ in range(3):
                with suppress(BaseException):
                    started.set()
                    wait()

        started = threading.Event()
        threading.Thread(target=stay, daemon=True).start()
        started.wait()

    result = explore(program, max_schedules=2, engine=engine)

    assert result.verdict is Verdict.PASSED, str(result)


def test_thread_pool_is_controlled_and_equal_seeds_give_equal_explorations():
    def program():
        totals = {"n": 0}

        def add(amount):
            totals["n"] = totals["n"] + amount

        with ThreadPoolExecutor(2) as pool:
            list(pool.map(add, [1, 1]))
        assert totals["n"] == 2

    first, second = (explore(program, max_schedules=400, seed=3) for _ in range(2))

    assert first.verdict is Verdict.FAILED
    assert first.summary() == second.summary()
    assert list(first.log.steps) == list(second.log.steps)


def test_thread_started_by_a_foreign_thread_is_a_real_one():
    note, names = make_sink()

    def program():
        pass

    go, done = threading.Event(), threading.Event()

    def foreign():
        go.wait()
        thread = threading.Thread(target=lambda: note(threading.get_ident()))
        thread.start()
        thread.join()
        done.set()

    threading.Thread(target=foreign, daemon=True).start()
    explore(program, max_schedules=1, setup=lambda: (go.set(), done.wait()))

    assert names()[0] > 1_000_000_000  # the system's identifier, not a task's number


def test_everything_replaced_is_put_back():
    import _thread
    import builtins
    import importlib
    import queue
    import socket
    import sys

    owners = (threading, threading.Thread, _thread, queue, time, socket.socket, builtins, importlib)
    before = [dict(vars(owner)) for owner in owners], sys.stdout, sys.stderr
    explore(lambda: None, max_schedules=1)
    after = [dict(vars(owner)) for owner in owners], sys.stdout, sys.stderr

    assert before == after


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_everything_is_put_back_after_an_error_in_setup(error):
    start, code = threading.Thread.start, test_names_idents_and_current_thread_are_those_of_the_task.__code__

    def setup():
        raise error

    with pytest.raises(error):
        explore(lambda: None, setup=setup)

    assert threading.Thread.start is start
    assert test_names_idents_and_current_thread_are_those_of_the_task.__code__ is code
    assert explore(lambda: None, max_schedules=1).verdict is Verdict.PASSED


def test_thread_that_outlives_the_program_is_named():
    def program():
        threading.Thread(target=int, name="forgotten").start()
        threading.Thread(target=int, name="background", daemon=True).start()
        joined = threading.Thread(target=int, name="joined")
        joined.start()
        joined.join()

    result = explore(program, max_schedules=50)

    assert result.limits == ("thread 'forgotten' outlived the program, nobody had joined it",)


def test_thread_started_without_a_thread_object_is_a_task():
    def program():
        state, ended = {"n": 0}, [threading.Semaphore(0) for _ in range(2)]

        def add(which):
            state["n"] = state["n"] + 1
            ended[which].release()

        for which in range(2):
            _thread.start_new_thread(add, (which,))
        for semaphore in ended:
            semaphore.acquire()
        assert state["n"] == 2

    assert explore(program).verdict is Verdict.FAILED


def test_hundreds_of_threads_do_not_run_out_of_stack():
    def program():
        note = []
        threads = [threading.Thread(target=note.append, args=(number,)) for number in range(400)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(note) == list(range(400))

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


@pytest.mark.parametrize("engine", ["greenlet", "threads"])
def test_threads_listed_are_those_of_the_program(engine):
    def program():
        go = threading.Event()
        threads = [threading.Thread(target=go.wait, name=name) for name in ("first", "second")]
        assert threading.enumerate() == [threading.main_thread()] == [threading.current_thread()]
        for thread in threads:
            thread.start()
        assert [thread.name for thread in threading.enumerate()[1:]] == ["first", "second"]
        assert threading.active_count() == 3
        go.set()
        for thread in threads:
            thread.join()
        assert threading.enumerate() == [threading.main_thread()]

    result = explore(program, engine=engine, max_schedules=30)

    assert result.verdict is Verdict.PASSED, str(result)


def test_program_explored_on_another_thread_runs_in_a_main_thread_of_its_own():
    results = []

    def program():
        assert threading.current_thread() is threading.main_thread()
        assert threading.active_count() == 1

    thread = threading.Thread(target=lambda: results.append(explore(program, max_schedules=2)))
    thread.start()
    thread.join()

    assert results[0].verdict is Verdict.PASSED, str(results[0])


def test_hook_for_errors_in_threads_is_told_of_them_in_each_execution_and_forgotten_after():
    note, told = make_sink()
    before = threading.excepthook

    def program():
        threading.excepthook = lambda args: note((args.exc_type, args.thread.name))
        thread = threading.Thread(target=lambda: {}["missing"], name="loader")
        thread.start()
        thread.join()

    result = explore(program, max_schedules=3)

    assert result.verdict is Verdict.PASSED, str(result)
    assert told() == [(KeyError, "loader")] * 4  # the warm-up is one more
    assert threading.excepthook is before


@pytest.mark.parametrize("engine", ["greenlet", "threads"])
def test_thread_goes_when_the_program_lets_go_of_it(engine):
    def program():
        gone = []
        for _ in range(2):
            thread = threading.Thread(target=int)
            thread.start()
            thread.join()
            weakref.finalize(thread, gone.append, True)
        assert gone == [True]
        del thread
        assert gone == [True, True]

    assert explore(program, max_schedules=3, engine=engine).verdict is Verdict.PASSED


POOL = ThreadPoolExecutor(2)


@pytest.mark.parametrize("engine", ["greenlet", "threads"])
def test_pool_that_nobody_shuts_down_ends_with_the_program(engine):
    def program():
        threading._register_atexit(note, "first")
        threading._register_atexit(lambda: note(POOL.submit(abs, -1).result()))
        assert POOL.submit(abs, -2).result() == 2

    note, noted = make_sink()
    before = list(pools._threads_queues), list(threading._threading_atexits)

    result = explore(program, max_schedules=20, engine=engine)

    assert (result.verdict, result.limits) == (Verdict.PASSED, ())
    assert (list(pools._threads_queues), list(threading._threading_atexits)) == before
    assert not pools._shutdown
    assert noted() == [1, "first"] * 21  # once to warm up


def test_work_given_to_a_pool_after_the_end_of_the_program_is_refused_as_by_the_interpreter():
    def program():
        def submit_late():
            time.sleep(1)
            pool.submit(abs, -1)

        pool = ThreadPoolExecutor(1)
        pool.submit(abs, -1)
        threading.Thread(target=submit_late).start()

    failure = explore(program, max_schedules=50).failure

    assert failure is not None
    assert str(failure.error).startswith("cannot schedule new futures after ")
