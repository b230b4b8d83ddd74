"""Run all benchmarks, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    scripts = sorted(Path(__file__).parent.glob("bench_*.py"))
    root = Path(__file__).parents[2]
    failed = []
    for script in scripts:
        print(f"== {script.stem}", flush=True)
        done = subprocess.run([sys.executable, "-m", f"tests.benchmarks.{script.stem}"], cwd=root, check=False)
        if done.returncode:
            failed.append(script.stem)
    print(f"{len(scripts) - len(failed)} of {len(scripts)} benchmarks within bounds", *failed)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
