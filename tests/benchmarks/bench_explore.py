"""Schedules per second of a lost update, replay of its tokens, and the cost of a further scheduling point."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import harness

LEAST_PER_S = 10_000  # fails the benchmark
AIM_PER_S = 15_000
AIM_POINT_US = 1.5
SCHEDULES = 30_000
TOKENS = 100
ROUNDS = 5


class Counter:
    def __init__(self) -> None:
        self.n = 0

    def increment(self) -> None:
        self.n += 1


def lost_update() -> None:
    counter = Counter()
    threads = [threading.Thread(target=counter.increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.n == 2


def two_tasks(increments: int) -> None:
    counter = Counter()

    def increment() -> None:
        for _ in range(increments):
            counter.increment()

    threads = [threading.Thread(target=increment) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def timed(program: Callable[[], object], schedules: int) -> tuple[float, harness.Exploration]:
    start = time.perf_counter()
    result = harness.explore(program, strategy="random", max_schedules=schedules, on_failure="continue")
    return time.perf_counter() - start, result


def check_speed() -> bool:
    # The best of some rounds is what the code can do; the others tell what else the machine was doing.
    seconds, result = min((timed(lost_update, SCHEDULES) for _ in range(3)), key=lambda round_: round_[0])
    rate = result.schedules / seconds
    table = result.frame()
    shapes = len(table[["steps", "choices", "preemptions", "outcome"]].drop_duplicates())
    print(f"lost update, random walk    {rate:8,.0f} schedules/s; bound {AIM_PER_S:,}, fails below {LEAST_PER_S:,}")
    print(f"executions that differ      {shapes:8,} kinds at least, {(table.outcome == 'error').mean():.0%} failed")
    return rate >= LEAST_PER_S and shapes >= 2 and result.schedules == SCHEDULES


def check_replay() -> bool:
    tokens = [failure.token for seed in range(TOKENS) if (failure := harness.explore(lost_update, seed=seed).failure)]
    start = time.perf_counter()
    came_again = sum(isinstance(harness.replay(lost_update, token).error, AssertionError) for token in tokens)
    milliseconds = (time.perf_counter() - start) * 1e3 / len(tokens)
    distinct = len(set(tokens))
    counts = f"{came_again:8} of {len(tokens)}, {distinct} distinct"
    print(f"tokens replayed             {counts}, {milliseconds:.1f} ms each")
    return came_again == len(tokens) == TOKENS and distinct >= 2


def show_slope() -> None:
    slopes = []
    for _ in range(ROUNDS):
        few_s, few = timed(partial(two_tasks, 1), 2_000)
        many_s, many = timed(partial(two_tasks, 50), 400)
        steps = many.frame().steps.mean() - few.frame().steps.mean()
        slopes.append((many_s / 400 - few_s / 2_000) / steps * 1e6)
    print(f"further scheduling point    {median(slopes):8.2f} us, between 2x1 and 2x50; bound {AIM_POINT_US} us")


def main() -> int:
    is_fast = check_speed()
    is_faithful = check_replay()
    show_slope()
    return 0 if is_fast and is_faithful else 1


if __name__ == "__main__":
    sys.exit(main())
