"""Ordinary calls of the library by two tasks at once: what they touch is known, so that what holds is proved."""

from __future__ import annotations

import asyncio
import contextvars
import datetime
import os
import random
import threading
import types
from collections.abc import Callable
from contextlib import ExitStack, suppress

import pytest

import harness
from harness import Verdict


class Shop:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.stock: dict[str, int] = {"a": 1, "b": 2}
        self.random = random.Random(3)
        self.sold = 0

    async def sell(self) -> None:
        self.sold += 1


def twice(body: Callable[[Shop, str], object]) -> Callable[[], None]:
    def program() -> None:
        shop = Shop()

        def work(name: str) -> None:
            with shop.lock:
                body(shop, name)

        threads = [threading.Thread(target=work, args=(name,), name=name) for name in ("a", "b")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return program


def beside_a_thread(body: Callable[[Shop], object]) -> Callable[[], None]:
    def program() -> None:
        shop = Shop()

        def read() -> None:
            with shop.lock:
                assert shop.stock

        async def main() -> None:
            await body(shop)  # type: ignore[misc]  # a coroutine function

        thread = threading.Thread(target=read)
        thread.start()
        asyncio.run(main())
        thread.join()

    return program


async def in_a_group(shop: Shop) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(shop.sell())
        tasks.create_task(shop.sell(), name="seller")
    assert shop.sold == 2


async def cancelled(shop: Shop) -> None:
    task = asyncio.create_task(asyncio.Event().wait())
    await asyncio.sleep(0)
    assert task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()


async def called_later(shop: Shop) -> None:
    handle = asyncio.get_running_loop().call_later(1, shop.stock.clear)
    handle.cancel()
    assert handle.cancelled()


async def queued(shop: Shop) -> None:
    queue: asyncio.Queue[Shop] = asyncio.Queue(1)
    queue.put_nowait(shop)
    assert queue.full()
    assert await queue.get() is shop
    queue.task_done()


def ended(shop: Shop, name: str) -> None:
    with ExitStack() as stack:
        stack.callback(shop.stock.pop, name)


PROGRAMS = {
    "a task group": beside_a_thread(in_a_group),
    "a task cancelled": beside_a_thread(cancelled),
    "a call cancelled": beside_a_thread(called_later),
    "a queue of a loop": beside_a_thread(queued),
    "the hour in a zone": twice(lambda shop, name: datetime.datetime.now(datetime.UTC)),
    "the environment": twice(lambda shop, name: (os.environ.get("HOME"), os.getenv("HOME"), os.environ["PATH"])),
    "random numbers": twice(lambda shop, name: (shop.random.random(), shop.random.choice([1, 2]))),
    "the largest by a key": twice(lambda shop, name: max(shop.stock.items(), key=lambda item: item[1])),
    "sorted by a key": twice(lambda shop, name: sorted(shop.stock, key=lambda name: name[::-1])),
    "a read-only proxy": twice(lambda shop, name: len(types.MappingProxyType(shop.stock))),
    "a context": twice(lambda shop, name: contextvars.copy_context().run(lambda: shop.stock.pop(name))),
    "a stack of contexts": twice(ended),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_ordinary_call_withholds_no_proof(name: str) -> None:
    result = harness.explore(PROGRAMS[name], strategy="dpor", max_schedules=500)

    assert result.verdict is Verdict.PROVED, result.limits
