"""Programs on event loops: their steps are declared, so that what holds is proved."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

import harness
from harness import Verdict


def on_a_loop(body: Callable[[asyncio.AbstractEventLoop], None]) -> None:
    """Run something beside a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    runner = threading.Thread(target=loop.run_forever)
    runner.start()
    body(loop)
    loop.call_soon_threadsafe(loop.stop)
    runner.join()
    loop.close()


def all_of_asyncio() -> None:
    async def main() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue(1)
        event, condition, semaphore = asyncio.Event(), asyncio.Condition(), asyncio.Semaphore(1)

        async def feed() -> None:
            async with semaphore:
                await queue.put(1)
                await queue.put(2)
            event.set()
            async with condition:
                condition.notify()

        async def watch() -> None:
            async with condition:
                feeder = asyncio.create_task(feed())
                await condition.wait()
            await event.wait()
            await feeder

        async def eat() -> int:
            await asyncio.sleep(1)
            async with asyncio.timeout(5):
                return await queue.get() + await queue.get()

        assert await asyncio.gather(watch(), eat()) == [None, 3]

    asyncio.run(main())


def two_callers() -> None:
    seen: list[int] = []

    def call(loop: asyncio.AbstractEventLoop) -> None:
        threads = [threading.Thread(target=loop.call_soon_threadsafe, args=(seen.append, n)) for n in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    on_a_loop(call)
    assert sorted(seen) == [0, 1]


def sleeper_and_sleeping_thread() -> None:
    async def nap() -> int:
        await asyncio.sleep(1)
        return 3

    def ask(loop: asyncio.AbstractEventLoop) -> None:
        future = asyncio.run_coroutine_threadsafe(nap(), loop)
        time.sleep(1)
        print(future.done())
        assert future.result() == 3

    on_a_loop(ask)


def in_threads() -> None:
    async def main() -> None:
        assert await asyncio.to_thread(int, "3") == 3

    asyncio.run(main())


@pytest.mark.parametrize(
    ("program", "traces"), [(all_of_asyncio, 1), (two_callers, 8), (sleeper_and_sleeping_thread, 22), (in_threads, 3)]
)
def test_program_on_a_loop_is_proved(program: Callable[[], None], traces: int) -> None:
    result = harness.explore(program, strategy="dpor")

    assert result.verdict is Verdict.PROVED, result.limits
    assert result.schedules == traces
    assert "event loops run what is ready first come, first served" in result.claim


def test_both_orders_of_a_loop_s_timer_and_a_thread_s_are_seen() -> None:
    from harness.explore.dpor import Dpor
    from harness.explore.program import make_world

    dpor, seen = Dpor(), set()
    with make_world(sleeper_and_sleeping_thread, []) as world:
        world.warm_up()
        while dpor.begin():
            outcome = world.execute(dpor.choose, tracker=dpor)
            dpor.after(outcome)
            seen.add(outcome.output.stdout.strip())

    assert seen == {"True", "False"}
    assert dpor.redundant == 0


def settle_from_another_thread() -> None:
    async def main() -> None:
        future = asyncio.get_running_loop().create_future()
        thread = threading.Thread(target=lambda: future.set_result(1))
        thread.start()
        await asyncio.wait_for(future, 5)
        thread.join()

    asyncio.run(main())


def event_of_another_thread() -> None:
    async def main() -> None:
        event = asyncio.Event()
        thread = threading.Thread(target=lambda: event.set())
        thread.start()
        print(event.is_set())
        thread.join()

    asyncio.run(main())


def lock_of_two_loops() -> None:
    lock: Any = asyncio.Lock()

    async def main() -> None:
        if not lock.locked():
            await lock.acquire()
            lock.release()

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("program", [settle_from_another_thread, event_of_another_thread, lock_of_two_loops])
def test_what_asyncio_does_not_allow_is_never_proved(program: Callable[[], None]) -> None:
    result = harness.explore(program, strategy="dpor")

    assert result.verdict in (Verdict.PASSED, Verdict.FAILED)
    assert any("beside the thread of its loop" in limit or "tells nothing" in limit for limit in result.limits)
