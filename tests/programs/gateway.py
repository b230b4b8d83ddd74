"""Everything at once: two loops in two threads, a pool, a plain thread and a timer share one budget."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor


class Budget:
    def __init__(self):
        self.spent = 0

    def charge(self):
        self.spent += 1


async def session(budget):
    async def ask():
        await asyncio.sleep(0.01)
        budget.charge()

    await asyncio.gather(ask(), ask())


async def workflow(budget, pool):
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(pool, budget.charge)
    await asyncio.to_thread(budget.charge)


def lost_charge():
    budget = Budget()
    timer = threading.Timer(0.01, budget.charge)
    with ThreadPoolExecutor(1) as pool:
        threads = [
            threading.Thread(target=lambda: asyncio.run(session(budget)), name="session"),
            threading.Thread(target=lambda: asyncio.run(workflow(budget, pool)), name="workflow"),
            threading.Thread(target=budget.charge, name="plain"),
            timer,
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert budget.spent == 6, f"six charges, spent {budget.spent}"
