"""Time to put scheduling points into 1,000 lines of real code, and to put back the state of a module.

Absolute figures depend on the machine and on the objects alive: swapping in and out each go once through all of them.
What can fail is compared side by side: rewriting against compiling the same text.
"""

from __future__ import annotations

import argparse
import configparser
import gc
import inspect
import linecache
import sys
import tarfile
import time
from collections.abc import Callable
from statistics import median
from types import ModuleType

from harness.instrument import Instrumentation
from harness.sim.isolation import Isolation

BOUND_MS = 50  # DESIGN: start of an exploration, per 50,000 objects on the heap
AIM_MS = 50  # for 1,000 lines
MOST_COMPILATIONS = 12  # rewriting may cost so many times one compilation of the module
ROUNDS = 9
SAMPLES = (argparse, configparser, tarfile)


def make_module(sample: ModuleType) -> tuple[ModuleType, str]:
    """Return a copy of a standard-library module, so that nothing else runs what is measured, and its source."""
    source = inspect.getsource(sample)
    module = ModuleType(f"benchmarked_{sample.__name__}")
    module.__file__ = f"/nowhere/{module.__name__}.py"
    sys.modules[module.__name__] = module
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module, source


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def check_swapping(sample: ModuleType) -> bool:
    module, source = make_module(sample)
    lines, ins, outs, compilations = source.count("\n"), [], [], []
    gc.collect()
    gc.disable()  # as in a world
    for _ in range(ROUNDS):
        compilations.append(milliseconds(lambda: compile(source, "benchmarked.py", "exec")))
        instrumentation = Instrumentation([module])
        ins.append(milliseconds(instrumentation.swap_in))
        outs.append(milliseconds(instrumentation.swap_out))
    gc.enable()
    per_1000, ratio = median(ins) * 1_000 / lines, median(ins) / median(compilations)
    print(
        f"{sample.__name__}: {lines} lines, {len(instrumentation.sites)} sites, {len(gc.get_objects())} objects alive"
    )
    print(f"  swap in {median(ins):.1f} ms, per 1,000 lines {per_1000:.1f} ms (bound {AIM_MS} ms)")
    print(f"  {ratio:.1f} times one compilation (bound {MOST_COMPILATIONS}); swap out {median(outs):.1f} ms")
    return ratio <= MOST_COMPILATIONS


def print_scan() -> None:
    kept = [[n] for n in range(50_000)]
    instrumentation = Instrumentation([])
    figures = [milliseconds(instrumentation.swap_in) for _ in range(ROUNDS)]
    print(
        f"start without modules, {len(gc.get_objects())} objects: {median(figures):.1f} ms ({BOUND_MS} ms per 50,000)"
    )
    kept.clear()


def print_isolation() -> None:
    module = ModuleType("state")
    module.__dict__["entries"] = {n: [n] for n in range(1_000)}
    isolation = Isolation([module])
    unchanged = [milliseconds(isolation.restore) for _ in range(ROUNDS)]
    changed = []
    for _ in range(ROUNDS):
        for items in module.__dict__["entries"].values():
            items.append(0)
        changed.append(milliseconds(isolation.restore))
    print(f"state of 1,000 lists in a dict: unchanged {median(unchanged):.3f} ms, changed {median(changed):.3f} ms")


def main() -> int:
    verdicts = [check_swapping(sample) for sample in SAMPLES]
    print_scan()
    print_isolation()
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
