"""Event loops in a world: asyncio's own semantics, one schedule with the threads beside them, nothing left behind."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from pathlib import Path

import pytest
from programs.gateway import lost_charge
from sink import make_sink

from harness.explore import Verdict, explore, replay, stress
from harness.sim import ExceptionNotRetrievedError, TaskDestroyedError

pytestmark = pytest.mark.portable
ENGINES = pytest.mark.parametrize("engine", ["greenlet", "threads"])
WHERE = ContextVar("WHERE", default="nowhere")
KEPT = []


class Counter:
    def __init__(self):
        self.n = 0

    async def add(self, seconds=0):
        n = self.n
        await asyncio.sleep(seconds)
        self.n = n + 1

    def bump(self):
        self.n += 1


def in_thread(function):
    thread = threading.Thread(target=function)
    thread.start()
    return thread


# Programs with a race


async def two_tasks():
    counter = Counter()
    await asyncio.gather(counter.add(), counter.add())
    assert counter.n == 2


async def two_tasks_with_timers():
    counter = Counter()
    async with asyncio.TaskGroup() as group:
        group.create_task(counter.add(0.2))
        group.create_task(counter.add(0.1))
    assert counter.n == 2


async def threads_of_a_loop():
    counter = Counter()
    await asyncio.gather(asyncio.to_thread(counter.bump), asyncio.to_thread(counter.bump))
    assert counter.n == 2


async def executor_of_a_loop():
    counter, loop = Counter(), asyncio.get_running_loop()
    with ThreadPoolExecutor(2) as pool:
        await asyncio.gather(*(loop.run_in_executor(pool, counter.bump) for _ in range(2)))
    assert counter.n == 2


def coroutines_from_another_thread():
    counter, loop = Counter(), asyncio.new_event_loop()
    runner = in_thread(loop.run_forever)
    futures = [asyncio.run_coroutine_threadsafe(counter.add(), loop) for _ in range(2)]
    for future in futures:
        future.result()
    loop.call_soon_threadsafe(loop.stop)
    runner.join()
    loop.close()
    assert counter.n == 2


def two_loops():
    counter = Counter()

    async def work():
        counter.bump()

    threads = [in_thread(lambda: asyncio.run(work())) for _ in range(2)]
    for thread in threads:
        thread.join()
    assert counter.n == 2


RACES = (
    *(two_tasks, two_tasks_with_timers, threads_of_a_loop, executor_of_a_loop),
    *(coroutines_from_another_thread, two_loops),
)


@pytest.mark.parametrize("program", RACES, ids=lambda program: program.__name__)
def test_race_is_found_replays_and_is_the_same_on_os_threads(program):
    failure = explore(program, max_schedules=200).failure

    assert failure is not None
    assert type(failure.error) is AssertionError
    assert type(replay(program, failure.token).error) is AssertionError
    forced = replay(program, failure.token, engine="threads")
    assert forced.events == failure.execution.events


def test_loops_threads_pool_and_timer_share_one_schedule():
    failure = explore(lost_charge, max_schedules=200).failure

    assert failure is not None
    assert str(failure.error).startswith("six charges, spent ")
    command = ["-c", REPLAY, failure.token]
    ran = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=True, env=environment(3))
    assert ran.stdout.strip() == str(failure.error)


REPLAY = """
import sys, harness
from programs.gateway import lost_charge
print(harness.replay(lost_charge, sys.argv[1]).error)
"""


def test_both_orders_of_two_loops_are_met():
    note, seen = make_sink()

    def program():
        order = []

        async def work(name):
            await asyncio.sleep(0)
            order.append(name)

        threads = [in_thread(lambda name=name: asyncio.run(work(name))) for name in "ab"]
        for thread in threads:
            thread.join()
        note("".join(order))

    explore(program, max_schedules=60)

    assert set(seen()) == {"ab", "ba"}


def test_foreign_callback_comes_at_every_place_of_the_ready_queue():
    note, seen = make_sink()

    async def program():
        loop, order = asyncio.get_running_loop(), []
        thread = in_thread(lambda: loop.call_soon_threadsafe(order.append, "foreign"))
        loop.call_soon(order.append, "first")
        loop.call_soon(order.append, "second")
        while len(order) < 3:
            await asyncio.sleep(0.1)
        thread.join()
        note(tuple(order))

    explore(program, max_schedules=200)

    assert set(seen()) == {
        ("foreign", "first", "second"),
        ("first", "foreign", "second"),
        ("first", "second", "foreign"),
    }


# asyncio's own semantics: the same program natively and in a world, the same log


async def cancellation(log):
    async def work(name):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            log(f"{name} cancelled")
            await asyncio.sleep(0)
            log(f"{name} cleaned up")
            raise

    tasks = [asyncio.create_task(work(name)) for name in "abc"]
    await asyncio.sleep(0)
    tasks[1].cancel("why")
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    log(f"{len(done)} done, {len(pending)} pending, cancelled {tasks[1].cancelled()}")
    try:
        async with asyncio.timeout(0.01):
            await asyncio.shield(tasks[0])
    except TimeoutError:
        log(f"timed out, shielded {not tasks[0].done()}")


async def group_abort(log):
    async def work(name, seconds):
        try:
            await asyncio.sleep(seconds)
            raise ValueError(name)
        except asyncio.CancelledError:
            log(f"{name} cancelled")
            raise

    try:
        async with asyncio.TaskGroup() as group:
            for name, seconds in (("late", 5), ("early", 0.001), ("later", 6)):
                group.create_task(work(name, seconds))
    except* ValueError as errors:
        log([str(error) for error in errors.exceptions])


async def primitives(log):
    queue, lock, event, barrier = asyncio.Queue(1), asyncio.Lock(), asyncio.Event(), asyncio.Barrier(2)
    semaphore, condition = asyncio.Semaphore(2), asyncio.Condition()

    async def produce():
        for item in range(3):
            await queue.put(item)
            log(f"put {item}")
        event.set()
        await barrier.wait()

    async def consume():
        for _ in range(3):
            log(f"got {await queue.get()}")
        await event.wait()
        await barrier.wait()

    async def hold(name):
        async with semaphore, lock:
            log(f"{name} in")
            await asyncio.sleep(0)
            log(f"{name} out")
        async with condition:
            condition.notify_all()

    async def wait():
        async with condition:
            await condition.wait()
            log("notified")

    await asyncio.gather(produce(), consume(), wait(), *(hold(name) for name in "abc"))
    for first in asyncio.as_completed([asyncio.sleep(0.02, "slow"), asyncio.sleep(0.01, "quick")]):
        log(await first)
    log(await asyncio.wait_for(asyncio.sleep(0, "in time"), 1))


async def generators(log):
    async def count(name):
        try:
            for number in range(3):
                yield number
        finally:
            await asyncio.sleep(0)
            log(f"{name} closed")

    kept = [count(name) for name in "abcdefghijkl"]
    for generator in kept:
        log(await anext(generator))
    KEPT.extend(kept)  # closed by the shutdown of the loop


async def contexts(log):
    async def work(name):
        WHERE.set(name)
        await asyncio.sleep(0)
        log(WHERE.get())

    await asyncio.gather(work("a"), work("b"))
    WHERE.set("here")
    await asyncio.to_thread(lambda: log(WHERE.get()))


async def left_over(log):
    async def work(name):
        try:
            await asyncio.sleep(1)
        finally:
            log(f"{name} ended")

    KEPT.extend(asyncio.create_task(work(name)) for name in "ab")
    await asyncio.sleep(0)


@ENGINES
@pytest.mark.parametrize("program", [cancellation, group_abort, primitives, contexts, left_over, generators])
def test_log_is_that_of_a_native_run(program, engine):
    native = []
    note, kept = make_sink()
    asyncio.run(program(native.append))

    def in_world():
        log = []
        asyncio.run(program(log.append))
        note(log)

    result = explore(in_world, max_schedules=3, engine=engine)
    KEPT.clear()

    logs = kept()
    assert result.verdict is Verdict.PASSED, str(result.failure)
    assert sorted(map(str, logs[0])) == sorted(map(str, native))
    assert logs[1:] == logs[:-1]
    if program in (primitives, contexts):  # the others cancel natively in the order of a set
        assert logs[0] == native


def test_end_of_the_default_executor_takes_as_many_steps_on_every_interpreter(monkeypatch):
    def program():
        asked, is_alive = [], threading.Thread.is_alive
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "is_alive", lambda thread: asked.append(thread) or is_alive(thread))
            asyncio.run(asyncio.to_thread(int))
        assert asked == []

    assert explore(program, strategy="random", max_schedules=3).verdict is Verdict.PASSED


def test_time_is_virtual():
    async def program():
        started = time.monotonic()
        await asyncio.sleep(86_400)
        assert time.monotonic() - started == 86_400
        assert asyncio.get_running_loop().time() == time.monotonic()

    assert explore(program, max_schedules=2).verdict is Verdict.PASSED


# Nothing is left behind, and the caller's own loop is not disturbed


@ENGINES
def test_exploration_inside_a_running_loop_leaves_it_alone(engine):
    async def outer():
        me, hooks, policy = asyncio.current_task(), sys.get_asyncgen_hooks(), asyncio.get_event_loop_policy()
        ticks = asyncio.create_task(asyncio.sleep(0.001, "real"))
        results = [explore(program, max_schedules=5, engine=engine) for program in (two_tasks, two_loops)]
        assert asyncio.current_task() is me
        assert sys.get_asyncgen_hooks() == hooks
        assert asyncio.get_event_loop_policy() is policy
        assert asyncio.all_tasks() == {me, ticks}
        assert await ticks == "real"
        return results

    for result in asyncio.run(outer()):
        assert result.verdict is Verdict.FAILED


def test_loop_of_another_thread_goes_on_beside_an_exploration():
    begun, explored = threading.Event(), threading.Event()
    seen = []

    async def beside():
        me, other = asyncio.current_task(), asyncio.create_task(asyncio.sleep(3600))
        begun.set()
        while not explored.is_set():
            seen.append(asyncio.all_tasks() == {me, other})
            await asyncio.sleep(0)

    thread = threading.Thread(target=asyncio.run, args=(beside(),))
    thread.start()
    begun.wait()
    try:
        result = explore(two_loops, max_schedules=50)
    finally:
        explored.set()
        thread.join()

    assert result.verdict is Verdict.FAILED
    assert all(seen)


def test_stress_runs_async_programs_also_inside_a_running_loop():
    async def outer():
        return stress(two_tasks, 3)

    assert stress(two_tasks, 3).failures == asyncio.run(outer()).failures == 3


def test_program_may_set_a_policy_and_keep_loops():
    async def nothing():
        pass

    def program():
        asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
        asyncio.set_event_loop(asyncio.new_event_loop())
        asyncio.get_event_loop().run_until_complete(nothing())

    before = asyncio.get_event_loop_policy()
    result = explore(program, max_schedules=3)

    assert result.verdict is Verdict.PASSED
    assert asyncio.get_event_loop_policy() is before


def test_thread_has_no_loop_of_another():
    def program():
        asyncio.set_event_loop(asyncio.new_event_loop())
        with ThreadPoolExecutor(1) as pool, pytest.raises(RuntimeError, match="no current event loop"):
            pool.submit(asyncio.get_event_loop).result()

    assert explore(program, max_schedules=5).verdict is Verdict.PASSED


def test_polling_task_ends_with_its_execution():
    def program():
        async def poll():
            while True:
                await asyncio.sleep(0)

        threading.Thread(target=lambda: asyncio.run(poll()), daemon=True).start()

    assert explore(program, max_schedules=5).verdict is Verdict.PASSED


# What asyncio only logs is a failure


def forgotten_task():
    loop = asyncio.new_event_loop()
    task = loop.create_task(two_tasks())
    del task
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


async def forgotten_error():
    task = asyncio.create_task(fail())
    await asyncio.sleep(0.1)
    return task


async def failing_callback():
    asyncio.get_running_loop().call_soon(int, "no number")
    await asyncio.sleep(0)


async def fail():
    raise ValueError("nobody asked")


@pytest.mark.parametrize(
    ("program", "error", "message"),
    [
        (forgotten_task, TaskDestroyedError, "task 'Task-1' was destroyed while it was pending in two_tasks()"),
        (forgotten_error, ExceptionNotRetrievedError, "'Task-2' ended in fail() at test_loops.py:"),
        (failing_callback, ValueError, "invalid literal for int()"),
    ],
)
def test_what_asyncio_only_logs_is_a_failure(program, error, message):
    failure = explore(program, max_schedules=3).failure

    assert failure is not None
    assert type(failure.error) is error
    assert str(failure.error).startswith(message)
    assert type(replay(program, failure.token).error) is error


def test_error_that_was_asked_for_is_none():
    async def program():
        task = asyncio.create_task(fail())
        await asyncio.wait([task])
        assert str(task.exception()) == "nobody asked"

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


def test_program_with_an_exception_handler_is_told_instead():
    async def program():
        told = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: told.append(context["message"]))
        await failing_callback()
        assert len(told) == 1

    assert explore(program, max_schedules=3).verdict is Verdict.PASSED


class ForeignLoop(asyncio.SelectorEventLoop):
    pass


class ForeignPolicy(asyncio.DefaultEventLoopPolicy):
    def new_event_loop(self):
        return ForeignLoop()


def own_policy():
    asyncio.set_event_loop_policy(ForeignPolicy())
    asyncio.run(two_tasks())


def real_loop():
    REAL.run_until_complete(asyncio.sleep(0))


REAL = asyncio.new_event_loop()


@pytest.mark.parametrize(
    ("program", "what"),
    [
        (own_policy, "makes a ForeignLoop of its own"),
        (real_loop, "calls run_until_complete of a real event loop"),
        (lambda: REAL.run_forever(), "calls run_forever of a real event loop"),
        (lambda: REAL.call_soon_threadsafe(print), "calls call_soon_threadsafe of a real event loop"),
        (lambda: REAL.call_later(1, print), "calls call_at of a real event loop"),
        (lambda: asyncio.run(asyncio.create_subprocess_exec("true")), "calls loop.subprocess_exec"),
        (lambda: asyncio.new_event_loop().add_reader(0, print), "watches file descriptor 0"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine")
def test_loop_that_is_not_controlled_is_named_with_the_line(program, what):
    result = explore(program, max_schedules=2)

    assert result.verdict is Verdict.UNCONTROLLED
    assert f"{what}, which leaves the controlled world, at " in result.limits[0]
    assert "test_loops.py:" in result.limits[0]
    assert f"UNCONTROLLED after 1 schedule, task 'MainThread' {what}" in result.summary()


def test_program_that_wakes_a_task_outside_is_not_controlled():
    async def outer():
        queue = asyncio.Queue()
        getter = asyncio.create_task(queue.get())
        await asyncio.sleep(0)
        result = explore(lambda: queue.put_nowait(1), max_schedules=2)
        queue.put_nowait(2)  # what the program put there has been taken back
        assert await getter == 2
        return result

    result = asyncio.run(asyncio.wait_for(outer(), 60))

    assert result.verdict is Verdict.UNCONTROLLED
    assert "calls call_soon of a real event loop, which leaves the controlled world, at " in result.limits[0]
    assert result.limits[0].endswith("; make what belongs to a loop, queues and futures for instance, in the program")


# Orders of sets

ORDERS = """
import asyncio, json
import harness
from sink import make_sink

note, kept = make_sink()

async def work(log, name):
    try:
        await asyncio.sleep(1 + int(name) % 3)
        if name == "7":
            raise ValueError
        return name
    except asyncio.CancelledError:
        log.append(name)
        raise

async def program():
    names, log = [str(number) for number in range(12)], []
    log += [await first for first in asyncio.as_completed([work(log, name) for name in names if name != "7"])]
    try:
        async with asyncio.TaskGroup() as group:
            for name in reversed(names):
                group.create_task(work(log, name))
    except* ValueError:
        log.append("aborted")
    kept = [asyncio.create_task(work(log, name)) for name in names]
    await asyncio.sleep(0)
    note(log)

harness.explore(program, max_schedules=2)
print(json.dumps(kept()[-1]))
"""


def test_orders_of_sets_are_those_of_creation_in_every_process(tmp_path):
    path = tmp_path / "orders.py"
    path.write_text(ORDERS)
    runs = [
        subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, env=environment(seed))
        for seed in (1, 2)
    ]
    first, second = (json.loads(ran.stdout) for ran in runs)

    assert first == second
    assert first[-12:] == [str(number) for number in range(12)]  # cancelled by asyncio.run
    assert first[first.index("aborted") - 4 : first.index("aborted")] == ["11", "8", "5", "2"]


PENDING = """
import asyncio, threading, harness

class Box:
    n = 0

box, kept = Box(), []

async def wait(lock):
    try:
        with lock:
            await asyncio.get_running_loop().create_future()
    finally:
        box.n = box.n + 1
        print("ended")

def program():
    async def begin():
        kept.append(asyncio.ensure_future(wait(threading.Lock())))
        await asyncio.sleep(0)

    kept.append(asyncio.new_event_loop())
    kept[-1].run_until_complete(begin())

print(harness.explore(program, strategy="random", max_schedules=2).verdict.name)
"""


def test_coroutines_left_pending_are_silent_when_the_interpreter_ends(tmp_path):
    path = tmp_path / "pending.py"
    path.write_text(PENDING)

    ran = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, env=environment(1))

    assert ran.stdout.split() == ["PASSED", "ended", "ended", "ended"]  # one more run only warms up
    assert ran.stderr == ""


def environment(seed):
    tests = Path(__file__).parents[1]
    return {"PYTHONHASHSEED": str(seed), "PYTHONPATH": os.pathsep.join(map(str, (tests, tests.parent)))}
