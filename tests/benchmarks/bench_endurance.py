"""A million executions in one process: memory and speed must stay what they were."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import harness
from tests.benchmarks.bench_explore import lost_update

ROUNDS, EXECUTIONS = 20, 50_000
MEMORY_BOUND, SPEED_BOUND = 0.05, 0.20  # share by which the end may differ from the beginning


def resident_kib() -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def measure() -> tuple[float, int]:
    """Return schedules per second of one round, and resident memory after it."""
    begun = time.perf_counter()
    harness.explore(lost_update, strategy="random", max_schedules=EXECUTIONS, on_failure="continue")
    return EXECUTIONS / (time.perf_counter() - begun), resident_kib()


def main() -> int:
    for _ in range(200):  # what is loaded once, and pools that fill once, are not growth
        harness.explore(lost_update, strategy="random", max_schedules=10, on_failure="continue")
    measure()
    rounds = [measure() for _ in range(ROUNDS)]
    first, last = rounds[:5], rounds[-5:]
    speeds = [max(speed for speed, _ in part) for part in (first, last)]
    memory = [min(kib for _, kib in part) for part in (first, last)]
    slower, larger = 1 - speeds[1] / speeds[0], memory[1] / memory[0] - 1
    print(f"{ROUNDS * EXECUTIONS:,} executions: {speeds[0]:,.0f} then {speeds[1]:,.0f} schedules/s")
    print(f"memory {memory[0] / 1024:.1f} then {memory[1] / 1024:.1f} MiB, {larger:+.1%}")
    return int(slower > SPEED_BOUND or larger > MEMORY_BOUND)


if __name__ == "__main__":
    sys.exit(main())
