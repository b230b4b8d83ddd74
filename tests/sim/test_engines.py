"""Both engines make the same schedules, tokens and events; OS threads pass a baton and leave nothing behind."""

from __future__ import annotations

import decimal
import queue
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import pitfalls
from harness.explore import InvalidArgumentError, Verdict, explore, replay


def together(*functions):
    threads = [threading.Thread(target=function, name=function.__name__) for function in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def lost_update():
    state = {"n": 0}

    def add():
        state["n"] = state["n"] + 1

    together(add, add)
    assert state["n"] == 2


def lock_order():
    left, right = threading.Lock(), threading.Lock()

    def forward():
        with left, right:
            pass

    def backward():
        with right, left:
            pass

    together(forward, backward)


def hand_over():
    items, event = queue.Queue(1), threading.Event()

    def producer():
        for item in range(3):
            items.put(item)
        event.set()

    def consumer():
        event.wait(timeout=1)
        assert items.get() == 0

    together(producer, consumer)


def pool():
    with ThreadPoolExecutor(2) as executor:
        list(executor.map(time.sleep, [1, 2]))


@pytest.mark.portable
@pytest.mark.parametrize("program", [lost_update, lock_order, hand_over, pool])
def test_engines_agree_on_schedules_and_events(program):
    results = [explore(program, engine=engine, max_schedules=40, seed=5) for engine in ("greenlet", "threads")]
    tables = [result.frame().to_csv() for result in results]
    first, second = (result.failure for result in results)

    assert tables[0] == tables[1]
    assert (first and first.token) == (second and second.token)
    assert (first and first.execution.events) == (second and second.execution.events)


@pytest.mark.parametrize("pitfall", pitfalls.all(), ids=lambda pitfall: pitfall.id)
def test_failure_of_a_pitfall_is_confirmed_on_threads(pitfall):
    failure = explore(pitfall.broken, instrument=pitfall.instrument).failure
    assert failure is not None

    confirmed = failure.confirm()

    assert type(confirmed.error) is type(failure.error)
    # pytest's explanation of an assertion shows where its objects lie in memory.
    assert re.sub(r"0x[0-9a-f]+", "", str(confirmed.error)) == re.sub(r"0x[0-9a-f]+", "", str(failure.error))
    assert confirmed.events == failure.execution.events
    assert "real threads, forced order" in confirmed.title


@pytest.mark.long
@pytest.mark.parametrize("pitfall", pitfalls.all(), ids=lambda pitfall: pitfall.id)
@pytest.mark.parametrize("form", ["broken", "mended"])
def test_engines_agree_on_a_thousand_random_schedules_of_each_pitfall(pitfall, form, capsys):
    first, second = (
        explore(
            getattr(pitfall, form),
            strategy="random",
            instrument=pitfall.instrument,
            engine=engine,
            max_schedules=1_000,
            on_failure="continue",
        )
        for engine in ("greenlet", "threads")
    )
    with capsys.disabled():
        print(f"\n{pitfall.id}, {form}: {second.schedules} schedules, {second.verdict}")

    assert first.schedules == second.schedules == 1_000
    assert first.frame().to_csv() == second.frame().to_csv()


def test_token_of_one_engine_replays_on_the_other():
    failure = explore(lock_order, engine="threads").failure
    assert failure is not None

    assert replay(lock_order, failure.token).kind == "deadlock"


def test_threads_are_gone_afterwards():
    before = threading.active_count()
    explore(lock_order, engine="threads", max_schedules=20, on_failure="continue")

    assert threading.active_count() == before


@pytest.mark.parametrize("engine", ["greenlet", "threads"])
def test_program_runs_in_the_context_of_the_caller_and_threads_in_a_new_one(engine):
    def program():
        precisions = []

        def work():
            precisions.append(decimal.getcontext().prec)

        together(work)
        assert (decimal.getcontext().prec, precisions) == (11, [28])

    with decimal.localcontext(prec=11):
        result = explore(program, engine=engine, max_schedules=2)

    assert result.verdict is Verdict.PASSED, str(result)


def test_unknown_engine_is_refused():
    with pytest.raises(InvalidArgumentError, match="engine='fibers' is unknown; pass one of 'greenlet', 'threads'"):
        explore(lost_update, engine="fibers")
