"""Functions of C that a library is given and calls later, in another task or another step: their accesses are seen."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness.explore import Verdict, explore, replay


class Owner:
    """What a finalizer waits for the end of."""


def submitted(items: list[int]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(items.append, 4)


def mapped(items: list[int]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.map(items.append, [4])


def initialized(items: list[int]) -> None:
    with ThreadPoolExecutor(1, initializer=items.append, initargs=[4]) as pool:
        pool.submit(Owner)


def told_when_done(items: list[object]) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(Owner).add_done_callback(items.append)


def left_behind(items: list[int]) -> None:
    with contextlib.ExitStack() as stack:
        stack.callback(items.append, 4)


def timed(items: list[int]) -> None:
    timer = threading.Timer(1, items.append, [4])
    timer.start()
    timer.join()


def finalized(items: list[int]) -> None:
    owner = Owner()
    weakref.finalize(owner, items.append, 4)
    del owner


def on_a_loop(begin: Callable[[asyncio.AbstractEventLoop, list[int]], object]) -> Callable[[list[int]], None]:
    async def main(items: list[int]) -> None:
        begin(asyncio.get_running_loop(), items)
        await asyncio.sleep(1)

    return lambda items: asyncio.run(main(items))


def done_on_a_loop(loop: asyncio.AbstractEventLoop, items: list[object]) -> None:
    future = loop.create_future()
    future.add_done_callback(items.append)
    future.set_result(None)


WRITERS: dict[str, Callable[[list[int]], None]] = {
    "submit": submitted,
    "map": mapped,
    "initializer": initialized,
    "callback of a future": told_when_done,
    "ExitStack": left_behind,
    "Timer": timed,
    "finalize": finalized,
    "call_soon": on_a_loop(lambda loop, items: loop.call_soon(items.append, 4)),
    "call_soon_threadsafe": on_a_loop(lambda loop, items: loop.call_soon_threadsafe(items.append, 4)),
    "call_later": on_a_loop(lambda loop, items: loop.call_later(0.5, items.append, 4)),
    "run_in_executor": on_a_loop(lambda loop, items: loop.run_in_executor(None, items.append, 4)),
    "to_thread": lambda items: asyncio.run(asyncio.to_thread(items.append, 4)),
    "callback of a loop's future": on_a_loop(done_on_a_loop),
}


@pytest.mark.parametrize("wanted", [3, 4])
@pytest.mark.parametrize("name", WRITERS)
def test_search_sees_the_call_before_and_after_what_reads(name, wanted):
    def program():
        items, sizes = [1, 2, 3], []
        reader = threading.Thread(target=lambda: sizes.append(len(items)))
        reader.start()
        WRITERS[name](items)
        reader.join()
        assert sizes == [wanted]

    result = explore(program, strategy="dpor", max_schedules=3_000)

    assert result.verdict is Verdict.FAILED
    assert isinstance(replay(program, result.failure.token).error, AssertionError)


def test_what_the_program_gave_is_what_it_gets_back():
    def program():
        items, owner = [], Owner()
        finalizer = weakref.finalize(owner, items.append, 1)
        timer = threading.Timer(1, items.append, [1])
        timer.start()
        timer.join()
        assert finalizer.peek()[1] == items.append == timer.function

    assert explore(program, strategy="dpor").verdict is not Verdict.FAILED
