"""Partial-order reduction: executions per trace and per second, beside a random walk and beside frontrun 0.7.0.

frontrun runs in an environment that the benchmark makes for itself and throws away.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from statistics import median

import harness
from harness import Verdict
from tests.benchmarks.frontrun_peer import FRONTRUN, peer_figures

AIM_PER_S = 7_000
AIM_RATIO = 15
ROUNDS = 5
TRACES = {(2, 1): 4, (2, 2): 34, (2, 3): 328, (3, 1): 36}
_PEER = """
import json, time
import frontrun

class Counter:
    def __init__(self):
        self.n = 0

def run(counter):
    for _ in range(3):
        counter.n += 1

def search(most):
    start = time.process_time()
    result = frontrun.explore(Counter, run, lambda counter: True, count=2, strategy="dpor", preemption_bound=None,
                              stop_on_first=False, max_executions=most)
    return [getattr(result, "num_explored", 0), time.process_time() - start]

print(json.dumps([*search(300), *search(100_000)]))
"""


class Counter:
    def __init__(self) -> None:
        self.n = 0

    def increment(self) -> None:
        self.n += 1


def counting(tasks: int, times: int) -> None:
    counter = Counter()

    def run() -> None:
        for _ in range(times):
            counter.increment()

    threads = [threading.Thread(target=run) for _ in range(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def per_second(explore: Callable[[], harness.Exploration]) -> float:
    """Return schedules per second of processor time, the median of some rounds."""
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        result = explore()
        rounds.append(result.schedules / (time.process_time() - start))
    return median(rounds)


def check_counts() -> bool:
    is_exact = True
    for (tasks, times), traces in TRACES.items():
        result = harness.explore(partial(counting, tasks, times), strategy="dpor")
        is_exact = is_exact and result.schedules == traces and result.verdict is Verdict.PROVED
        counts = f"{result.schedules:6} executions, {traces} traces, {result.verdict}"
        print(f"unlocked counter {tasks}x{times}        {counts}")
    return is_exact


def check_speed() -> bool:
    program = partial(counting, 2, 3)
    reduced = per_second(lambda: harness.explore(program, strategy="dpor"))
    walked = per_second(lambda: harness.explore(program, strategy="random", max_schedules=1_000))
    print(f"reduction, 2x3              {reduced:8,.0f} schedules/s; bound {AIM_PER_S:,}")
    print(f"random walk, 2x3            {walked:8,.0f} schedules/s; the reduction makes {reduced / walked:.0%} of them")
    figures = peer_figures(_PEER)
    if figures is None:
        print(f"{FRONTRUN} could not be installed or run")
        return False
    explored, seconds, whole, whole_seconds = figures
    peer = explored / seconds
    print(f"frontrun 0.7.0, 2x3         {peer:8,.0f} schedules/s; ratio {reduced / peer:.1f}, bound {AIM_RATIO}")
    sooner = whole_seconds * reduced / TRACES[2, 3]
    print(f"its whole search            {whole:8,.0f} executions; ours is over {sooner:.1f} times as soon")
    return reduced >= AIM_RATIO * peer


def main() -> int:
    is_exact = check_counts()
    is_fast = check_speed()
    return 0 if is_exact and is_fast else 1


if __name__ == "__main__":
    sys.exit(main())
