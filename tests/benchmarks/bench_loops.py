"""Schedules per second of CPU of asyncio programs, beside frontrun 0.7.0, and what an httpx request costs."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from statistics import median

import httpx

import harness
from tests.benchmarks.frontrun_peer import FRONTRUN, peer_per_second

ONE_LOOP_PER_S = 10_000
TWO_LOOPS_PER_S = 5_000
TIMES_FRONTRUN = 3
REQUEST_MS = 2.0
SCHEDULES = 10_000
REQUESTS = 200
ROUNDS = 3
_PEER = """
import asyncio, json, time
from frontrun.async_shuffler import explore_async_random

runs = 0

class Counter:
    def __init__(self):
        global runs
        runs += 1
        self.n = 0

    async def increment(self):
        n = self.n
        await asyncio.sleep(0)
        self.n = n + 1

def explore(attempts, seed):
    return explore_async_random(setup=Counter, tasks=[lambda counter: counter.increment()] * 2,
                                invariant=lambda counter: True, max_attempts=attempts, seed=seed)

start = time.process_time()
{explore}
print(json.dumps([runs, time.process_time() - start]))
"""
_ON_ONE_LOOP = "asyncio.run(explore(2_000, 0))"
_ON_A_LOOP_EACH = "for seed in range(2_000): asyncio.run(explore(1, seed))"  # as ours, a whole asyncio.run each


class Counter:
    def __init__(self) -> None:
        self.n = 0

    async def increment(self) -> None:
        n = self.n
        await asyncio.sleep(0)
        self.n = n + 1


async def two_tasks() -> None:
    counter = Counter()
    await asyncio.gather(counter.increment(), counter.increment())
    assert counter.n == 2


def two_loops() -> None:
    counter = Counter()

    async def main() -> None:
        await asyncio.gather(counter.increment(), counter.increment())

    threads = [threading.Thread(target=lambda: asyncio.run(main())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.n == 4


def rate(program: Callable[[], object]) -> float:
    """Return the schedules per second of processor time, the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        result = harness.explore(program, strategy="random", max_schedules=SCHEDULES, on_failure="continue")
        rounds.append(result.schedules / (time.process_time() - start))
    return median(rounds)


def natively() -> float:
    """Return the runs per second of processor time of the same program without any tool, the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(SCHEDULES // 10):
            with suppress(AssertionError):
                asyncio.run(two_tasks())
        rounds.append(SCHEDULES // 10 / (time.process_time() - start))
    return median(rounds)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while await reader.readline():
        while (await reader.readline()).strip():
            pass
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    writer.close()


TLS = httpx.create_ssl_context()


def asking(requests: int) -> Callable[[], Awaitable[None]]:
    async def ask() -> None:
        async with (
            await asyncio.start_server(answer, "127.0.0.1", 0) as server,
            httpx.AsyncClient(verify=TLS) as client,
        ):
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            for _ in range(requests):
                assert (await client.get(url)).text == "ok"

    return ask


def request_ms() -> float:
    """Return milliseconds of processor time per request, the median of some slopes between one request and many."""
    slopes = []
    for _ in range(ROUNDS):
        one, many = (request_seconds(requests) for requests in (1, REQUESTS))
        slopes.append((many - one) / (REQUESTS - 1) * 1e3)
    return median(slopes)


def request_seconds(requests: int) -> float:
    start = time.process_time()
    result = harness.explore(asking(requests), strategy="random", max_schedules=5)
    assert result.verdict is harness.Verdict.PASSED, str(result)
    return (time.process_time() - start) / 6  # with the warm-up


def main() -> int:
    one, peer = rate(two_tasks), peer_per_second(_PEER.replace("{explore}", _ON_ONE_LOOP))
    print(f"two tasks on one loop       {one:8,.0f} schedules/s; bound {ONE_LOOP_PER_S:,}")
    print(f"asyncio.run of them alone   {natively():8,.0f} runs/s, which each of our schedules contains")
    if peer is None:
        print(f"{FRONTRUN} could not be installed or run")
    else:
        ratio = one / peer
        print(f"frontrun 0.7.0, two tasks   {peer:8,.0f} schedules/s; ratio {ratio:.1f}, bound {TIMES_FRONTRUN}")
        each = peer_per_second(_PEER.replace("{explore}", _ON_A_LOOP_EACH)) or peer
        print(f"the same, a loop for each   {each:8,.0f} schedules/s; ratio {one / each:.1f}")
    print(f"two loops, two tasks each   {rate(two_loops):8,.0f} schedules/s; bound {TWO_LOOPS_PER_S:,}")
    print(f"httpx request in memory     {request_ms():8.2f} ms; bound {REQUEST_MS}")
    return int(peer is None or one < TIMES_FRONTRUN * peer)


if __name__ == "__main__":
    sys.exit(main())
