"""Two loops in two threads, a thread pool, a plain thread and a timer, all of which count without a lock."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor


class Ledger:
    def __init__(self) -> None:
        self.entries = 0

    def add(self) -> None:
        self.entries += 1


def everybody_adds() -> None:
    ledger = Ledger()

    async def by_the_pool() -> None:
        with ThreadPoolExecutor(2) as pool:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(pool, ledger.add) for _ in range(2)))

    async def add_later() -> None:
        await asyncio.sleep(0.01)
        ledger.add()

    async def after_a_while() -> None:
        async with asyncio.timeout(1), asyncio.TaskGroup() as group:
            group.create_task(add_later()).add_done_callback(lambda _: ledger.add())

    threads = [
        threading.Thread(target=lambda: asyncio.run(by_the_pool()), name="pooling"),
        threading.Thread(target=lambda: asyncio.run(after_a_while()), name="waiting"),
        threading.Thread(target=ledger.add, name="plain"),
        threading.Timer(0.01, ledger.add),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.entries == 6, f"six entries were made, {ledger.entries} are left"


def both_use_their_own_threads() -> None:
    ledger = Ledger()

    async def in_threads() -> None:
        await asyncio.gather(*(asyncio.to_thread(ledger.add) for _ in range(2)))

    def run() -> None:
        asyncio.run(in_threads())

    threads = [threading.Thread(target=run, name=name) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.entries == 4, f"four entries were made, {ledger.entries} are left"
