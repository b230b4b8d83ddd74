"""Schedules per second of each strategy, what race clocks cost, and the random walk beside frontrun 0.7.0.

frontrun lives in an environment that the benchmark makes for itself, and runs in a process of its own, by turns with
ours.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
import venv
from pathlib import Path
from statistics import median

import harness
from harness.explore import STRATEGIES

LEAST_WITH_CLOCKS_PER_S = 8_000
LEAST_WITHOUT_PER_S = 15_000
LEAST_RATIO = 15.0  # to frontrun's random strategy; fails the benchmark
LEAST_SHARE = 0.5  # of the speed that race clocks leave; fails the benchmark
SCHEDULES = 10_000
ROUNDS = 3
FRONTRUN = "frontrun==0.7.0"
FRONTRUN_PROGRAM = """
import sys, time
from frontrun import explore_random


class Counter:
    def __init__(self):
        self.n = 0


def increment(counter):
    counter.n += 1


attempts = int(sys.argv[1])
start = time.perf_counter()
result = explore_random(
    Counter, [increment, increment], lambda counter: True, max_attempts=attempts, seed=0
)
assert result.num_explored == attempts, result.num_explored
print(attempts / (time.perf_counter() - start))
"""


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


def rate(schedules: int = SCHEDULES, **options: object) -> float:
    """Return the schedules per second of one exploration; bounded strategies may end early."""
    start = time.perf_counter()
    result = harness.explore(lost_update, max_schedules=schedules, on_failure="continue", **options)  # type: ignore[arg-type]
    return result.schedules / (time.perf_counter() - start)


def show_strategies() -> None:
    print(f"{'strategy':12}{'schedules/s':>12}   race clocks off; bounded ones end after a few schedules")
    for name in STRATEGIES:
        print(f"{name:12}{median(rate(strategy=name, races='off') for _ in range(ROUNDS)):12,.0f}")


def check_clocks() -> bool:
    # By turns, so that what else the machine does falls on all alike.
    rounds = [{mode: rate(strategy="random", races=mode) for mode in ("off", "report", "fail")} for _ in range(ROUNDS)]
    middle = {mode: median(each[mode] for each in rounds) for mode in ("off", "report", "fail")}
    share = middle["fail"] / middle["off"]
    print(f"race clocks off    {middle['off']:8,.0f} schedules/s; bound {LEAST_WITHOUT_PER_S:,}")
    print(
        f"race clocks on     {middle['fail']:8,.0f} schedules/s; bound {LEAST_WITH_CLOCKS_PER_S:,}; {share:.0%} of off"
    )
    print(f"default (sampled)  {middle['report']:8,.0f} schedules/s; {middle['report'] / middle['off']:.0%} of off")
    return share >= LEAST_SHARE


def frontrun_python(folder: Path) -> Path | None:
    """Return the interpreter of an environment with frontrun, or ``None`` where it cannot be installed."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    done = subprocess.run([python, "-m", "pip", "install", "-q", FRONTRUN], capture_output=True, check=False)
    return python if done.returncode == 0 else None


def check_frontrun() -> bool:
    with tempfile.TemporaryDirectory() as name:
        python = frontrun_python(Path(name) / "venv")
        if python is None:
            print(f"{FRONTRUN} cannot be installed here: not compared")
            return False
        program = Path(name) / "lost_update.py"
        program.write_text(FRONTRUN_PROGRAM)
        words = [python.with_name("frontrun"), python, program, "500"]  # it wants its own command around the program
        ratios = []
        for _ in range(ROUNDS):
            output = subprocess.run(words, capture_output=True, text=True, check=True, cwd=name).stdout
            theirs = float(output.split()[-1])
            ours = rate(strategy="random", races="off")
            ratios.append(ours / theirs)
            print(
                f"random walk: ours {ours:8,.0f} schedules/s, frontrun 0.7.0 {theirs:6,.0f}, ratio {ours / theirs:.1f}"
            )
    print(f"median ratio {median(ratios):.1f}; bound {LEAST_RATIO:g}")
    return median(ratios) >= LEAST_RATIO


def main() -> int:
    show_strategies()
    are_clocks_cheap = check_clocks()
    is_ahead = check_frontrun()
    return 0 if are_clocks_cheap and is_ahead else 1


if __name__ == "__main__":
    sys.exit(main())
