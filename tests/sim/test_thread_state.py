"""What the interpreter keeps per OS thread is each task's own, and the process's own again afterwards."""

from __future__ import annotations

import gc
import sys
import threading
from types import SimpleNamespace

import pytest
from sink import make_sink

from harness.explore import Verdict, explore
from harness.sim.thread_state import is_supported

pytestmark = [pytest.mark.portable, pytest.mark.parametrize("engine", ["greenlet", "threads"])]
LOCAL = threading.local()
LOCAL.mark = "native"


class Counted(threading.local):
    def __init__(self, start):
        self.numbers = [start]
        self.ident = threading.get_ident()


class Bare(threading.local):
    __slots__ = ()


OLD_COUNTED = Counted(7)


def together(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def holds(program, engine, schedules=60):
    result = explore(program, strategy="random", engine=engine, max_schedules=schedules)
    assert result.verdict is Verdict.PASSED, str(result)
    assert result.limits == ()
    return result


def test_local_has_contents_of_its_own_in_each_task(engine):
    def program():
        local, seen = threading.local(), SimpleNamespace(n=0)

        def work(number):
            assert not hasattr(local, "n")
            assert not hasattr(LOCAL, "mark")
            local.n = LOCAL.n = number
            seen.n = seen.n + 1  # others come in here
            assert (local.n, LOCAL.n) == (number, number)

        together(lambda: work(1), lambda: work(2), lambda: work(3))
        assert vars(local) == {}

    assert max(holds(program, engine).log.choices) > 0


def test_program_sees_the_locals_of_the_thread_that_explores(engine):
    def program():
        assert vars(LOCAL) == {"mark": "native"}
        LOCAL.mark = "program"

    holds(program, engine)

    assert vars(LOCAL) == {"mark": "native"}


@pytest.mark.parametrize("make", [lambda: Counted(7), lambda: OLD_COUNTED])
def test_subclass_is_initialised_once_in_each_task(engine, make):
    def program():
        counted, idents = make(), []

        def work():
            counted.numbers.append(1)
            idents.append(counted.ident)
            assert counted.numbers == [7, 1]

        together(work, work)
        assert len({*idents, threading.get_ident()}) == 3
        assert counted.numbers == [7]

    holds(program, engine)


def test_contents_go_when_their_thread_ends(engine):
    note, alive = make_sink()

    class Content:
        pass

    def program():
        local = threading.local()

        def work():
            local.content = Content()

        together(work)
        note(sum(type(obj) is Content for obj in gc.get_objects()))

    explore(program, engine=engine, max_schedules=3)

    assert set(alive()) == {0}


def test_new_local_at_the_address_of_a_lost_one_is_empty_in_every_task(engine):
    def program():
        holder, go, done = SimpleNamespace(local=None), threading.Semaphore(0), threading.Semaphore(0)

        def work():
            for _ in range(4):
                go.acquire()
                assert vars(holder.local) == {}
                holder.local.n = 1
                done.release()

        thread = threading.Thread(target=work)
        thread.start()
        for _ in range(4):
            holder.local = Bare()
            holder.local.n = 2
            go.release()
            done.acquire()
            holder.local = None
        thread.join()

    holds(program, engine, schedules=3)


def test_repr_of_an_object_that_another_task_is_printing_is_whole(engine):
    def program():
        items, state = [], {"n": 0}

        class Slow:
            def __repr__(self):
                state["n"] = state["n"] + 1  # others come in here
                return "slow"

        items.append(Slow())
        texts = []

        def work():
            texts.append(repr(items))

        together(work, work)
        assert texts == ["[slow]", "[slow]"]

    holds(program, engine)


def test_trace_function_sees_the_lines_of_its_own_task_only(engine):
    def program():
        lines, state = [], {"n": 0}

        def trace(frame, event, argument):
            if frame.f_code.co_name in {"traced", "other"}:
                lines.append((frame.f_code.co_name, event))
                return trace
            return None

        def traced():
            state["n"] = state["n"] + 1
            state["n"] = state["n"] + 1

        def other():
            state["n"] = state["n"] + 1
            assert sys.gettrace() is None

        def tracer():
            sys.settrace(trace)
            traced()
            assert sys.gettrace() is trace
            sys.settrace(None)

        together(tracer, other)
        assert lines == [("traced", "call"), ("traced", "line"), ("traced", "line"), ("traced", "return")]

    before = sys.gettrace()
    holds(program, engine)

    assert sys.gettrace() is before


def test_profile_function_sees_the_calls_of_its_own_task_only(engine):
    def program():
        calls, state = [], {"n": 0}

        def profile(frame, event, argument):
            if event == "call":
                calls.append(frame.f_code.co_name)

        def step():
            state["n"] = state["n"] + 1

        def profiled():
            sys.setprofile(profile)
            step()
            sys.setprofile(None)

        together(profiled, step)
        assert calls == ["step"]

    before = sys.getprofile()
    holds(program, engine)

    assert sys.getprofile() is before


def test_trace_function_for_new_threads_is_forgotten_after_the_execution(engine):
    def program():
        names = []

        def trace(frame, event, argument):
            names.append(frame.f_code.co_name)

        def work():
            pass

        assert threading.gettrace() is None
        threading.settrace(trace)
        together(work)
        assert "work" in names

    holds(program, engine, schedules=3)

    assert threading.gettrace() is None


def test_this_interpreter_is_supported(engine):
    assert is_supported()
