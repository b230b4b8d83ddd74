"""What is used on another event loop than its own is told with both loops, their threads, and where it was made."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading

import pytest

from harness import pitfalls
from harness.explore import explore, replay


class Store:
    def __init__(self):
        self.lock, self.n = asyncio.Lock(), 0

    async def use(self):
        async with self.lock:
            await asyncio.sleep(0.001)
            self.n += 1


def lock_on_two_loops():
    store = Store()
    threads = [threading.Thread(target=lambda: asyncio.run(store.use()), name=name) for name in ("session", "flow")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


async def wait_for(future):
    return await future


def future_on_two_loops():
    async def main():
        future = asyncio.get_running_loop().create_future()
        thread = threading.Thread(target=lambda: asyncio.run(wait_for(future)), name="other")
        thread.start()
        await asyncio.to_thread(thread.join)

    asyncio.run(main())


def set_by_a_thread():
    async def main():
        done = asyncio.Event()
        thread = threading.Thread(target=lambda: done.set(), name="setter")
        thread.start()
        await done.wait()
        thread.join()

    asyncio.run(main())


def line_of(program, text):
    source, start = inspect.getsourcelines(program)
    return start + next(number for number, line in enumerate(source) if text in line)


def failure_of(program):
    failure = explore(program).failure
    assert failure is not None
    assert failure.kind == "cross-loop"
    assert type(replay(program, failure.token).error) is type(failure.error)
    return failure


def test_client_of_a_pool_is_told_with_both_loops_and_where_it_was_made():
    broken = pitfalls.get("client-on-two-loops").broken
    module = sys.modules[broken.__module__]
    use = failure_of(broken).cross_loop

    assert (use.name, use.home.number, use.foreign.number) == ("AsyncClient#1", 2, 3)
    assert use.home.source == use.foreign.source == "got = asyncio.run(ask(provider, server.url))"
    assert use.made.endswith(f"client_on_two_loops.py:{line_of(module.Provider, 'return httpx.AsyncClient(')}")
    assert use.first.async_task.loop == 2
    assert use.second.async_task.loop == 3


def test_lock_that_wakes_no_other_loop_is_told_with_who_waits_for_it():
    failure = failure_of(lock_on_two_loops)
    lines = failure.explain().splitlines()
    line = line_of(Store, "async with self.lock")

    assert f" of loop {failure.cross_loop.home.number} awaits at test_cross_loop.py:{line}," in lines[0]
    assert f"puts a callback into loop {failure.cross_loop.home.number} without waking it at " in lines[1]
    assert f"test_cross_loop.py:{line}, on loop {failure.cross_loop.foreign.number}" in lines[1]
    assert lines[2].startswith("Fix (one per loop): ")
    assert {failure.cross_loop.home.thread, failure.cross_loop.foreign.thread} == {"session", "flow"}


def test_future_awaited_on_a_foreign_loop_is_told_with_where_it_was_made():
    use = failure_of(future_on_two_loops).cross_loop

    assert (use.home.thread, use.foreign.thread) == ("MainThread", "other")
    assert use.made == f"test_cross_loop.py:{line_of(future_on_two_loops, 'create_future()')}"
    assert use.second.line == line_of(wait_for, "return await")


KEPT = {}


async def keep_a_task(is_kept):
    KEPT["task"] = asyncio.create_task(asyncio.sleep(5))
    is_kept.set()
    await KEPT["task"]


async def wait_for_the_kept():
    await KEPT["task"]


def task_kept_in_a_dict():
    is_kept = threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(keep_a_task(is_kept),), name="keeper")
    thread.start()
    is_kept.wait()
    asyncio.run(wait_for_the_kept())


@pytest.mark.filterwarnings("ignore:coroutine")
def test_task_found_in_a_dict_is_told_with_its_loop():
    failure = failure_of(task_kept_in_a_dict)

    assert (failure.cross_loop.home.thread, failure.cross_loop.foreign.thread) == ("keeper", "MainThread")
    assert failure.cross_loop.made == f"test_cross_loop.py:{line_of(keep_a_task, 'create_task')}"
    assert "of keeper, made in asyncio, which the thread begins in" in failure.explain()


def test_thread_without_a_loop_that_sets_an_event_is_told():
    use = failure_of(set_by_a_thread).cross_loop

    assert use.foreign is None
    assert use.name == "Event#1"
    assert use.second.line == line_of(set_by_a_thread, "done.set()")


async def breaks():
    raise ValueError("no order is to blame")


def forgets_a_task():
    loop = asyncio.new_event_loop()

    async def main():
        asyncio.get_running_loop().create_task(asyncio.sleep(10))

    loop.run_until_complete(main())
    loop.close()


def raises_in_a_thread():
    thread = threading.Thread(target=lambda: [].pop())
    thread.start()
    thread.join()


@pytest.mark.parametrize(
    ("program", "kind"), [(breaks, "error"), (forgets_a_task, "leak"), (raises_in_a_thread, "unhandled")]
)
def test_kind_of_a_failure(program, kind):
    failure = explore(program, max_schedules=20).failure

    assert failure is not None
    assert failure.kind == kind
    assert failure.cross_loop is None
