"""Schedules per second of asyncio programs, beside frontrun where it is installed, and the cost of an httpx request."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import threading
import time
from collections.abc import Awaitable, Callable

import httpx

import harness

ONE_LOOP_PER_S = 10_000
TWO_LOOPS_PER_S = 5_000
TIMES_FRONTRUN = 3
REQUEST_MS = 2.0
SCHEDULES = 10_000
REQUESTS = 200


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
    """Return the schedules per second of the best of three rounds."""
    best = 0.0
    for _ in range(3):
        start = time.perf_counter()
        result = harness.explore(program, max_schedules=SCHEDULES, on_failure="continue")
        best = max(best, result.schedules / (time.perf_counter() - start))
    return best


def frontrun_rate() -> float | None:
    """Return the executions per second of frontrun's random exploration of the same program."""
    if importlib.util.find_spec("frontrun") is None:
        return None
    from frontrun.async_shuffler import explore_async_random

    runs = 0

    def setup() -> Counter:
        nonlocal runs
        runs += 1
        return Counter()

    async def explore() -> None:
        await explore_async_random(
            setup=setup,
            tasks=[lambda counter: counter.increment()] * 2,
            invariant=lambda _: True,
            max_attempts=2_000,
            seed=0,
        )

    start = time.perf_counter()
    asyncio.run(explore())
    return runs / (time.perf_counter() - start)


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
    """Return milliseconds per request: the slope between one request and many."""
    seconds = []
    for requests in (1, REQUESTS):
        start = time.perf_counter()
        result = harness.explore(asking(requests), max_schedules=5)
        assert result.verdict is harness.Verdict.PASSED, str(result)
        seconds.append((time.perf_counter() - start) / 6)  # with the warm-up
    return (seconds[1] - seconds[0]) / (REQUESTS - 1) * 1e3


def main() -> int:
    one, two, other = rate(two_tasks), rate(two_loops), frontrun_rate()
    print(f"two tasks on one loop       {one:8,.0f} schedules/s; bound {ONE_LOOP_PER_S:,}")
    print(f"two loops, two tasks each   {two:8,.0f} schedules/s; bound {TWO_LOOPS_PER_S:,}")
    if other is None:
        print("frontrun                    not installed: no ratio")
    else:
        print(
            f"frontrun, two tasks         {other:8,.0f} schedules/s; ours {one / other:.1f} x; bound {TIMES_FRONTRUN} x"
        )
    print(f"httpx request in memory     {request_ms():8.2f} ms; bound {REQUEST_MS}")
    return int(other is not None and one < TIMES_FRONTRUN * other)


if __name__ == "__main__":
    sys.exit(main())
