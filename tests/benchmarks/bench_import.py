"""Time of `import harness`, and of what a first exploration imports, in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import time
from statistics import median

RUNS = 7
BOUND_MS = 150
STATEMENTS = {
    "bare interpreter": "pass",
    "import harness": "import harness",
    "... and explore": "import harness; harness.explore",
}


def milliseconds(statement: str) -> float:
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return (time.perf_counter() - start) * 1e3


def main() -> int:
    taken: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(RUNS):  # in turns, so that a slow moment of the machine meets all
        for name, statement in STATEMENTS.items():
            taken[name].append(milliseconds(statement))
    bare = median(taken["bare interpreter"])
    for name, times in taken.items():
        print(f"{name:20} {median(times):6.0f} ms, {median(times) - bare:6.0f} ms above bare, median of {RUNS}")
    print(f"{'bound of import':20} {BOUND_MS:6} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
