"""CPU time to put scheduling points into 1,000 lines of real code, and to put back the state of a module.

Absolute figures depend on the machine and on the objects alive: swapping in and out each go once through all of them.
What can fail is compared side by side: rewriting against compiling the same text.
"""

from __future__ import annotations

import argparse
import configparser
import gc
import inspect
import itertools
import linecache
import sys
import tarfile
import time
import timeit
from collections.abc import Callable
from statistics import median
from types import ModuleType

from harness.instrument import Instrumentation, SiteTable
from harness.sim import ENGINES
from harness.sim.hooks import make_hooks
from harness.sim.isolation import Isolation
from harness.sim.kinds import KindTable

BOUND_MS = 50  # DESIGN: start of an exploration, per 50,000 objects on the heap
AIM_MS = 50  # for 1,000 lines
MOST_COMPILATIONS = 12  # rewriting may cost so many times one compilation of the module
ROUNDS = 9
LEAST_GAIN = 2  # the second time, rewriting must be so many times as fast
HOOK_NS = 50
HOOK_CALLS = ("hooks.attr(o, 0)", "hooks.called(f, 0, o)", "hooks.whole(o, 0)", "hooks.item(o, o, 0)", "hooks.name(0)")
LOOPS = 100_000
SAMPLES = (argparse, configparser, tarfile)

_NUMBERS = itertools.count(1)


def make_module(sample: ModuleType) -> tuple[ModuleType, str]:
    """Return a copy of a standard-library module, so that nothing else runs what is measured, and its source."""
    source = inspect.getsource(sample)
    module = ModuleType(f"benchmarked_{sample.__name__}_{next(_NUMBERS)}")
    module.__file__ = f"/nowhere/{module.__name__}.py"
    sys.modules[module.__name__] = module
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)
    exec(compile(source, module.__file__, "exec"), module.__dict__)
    return module, source


def milliseconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return (time.process_time() - start) * 1e3


def check_swapping(sample: ModuleType) -> bool:
    ins, agains, outs, compilations = [], [], [], []
    gc.collect()
    gc.disable()  # as in a world
    for _ in range(ROUNDS):
        module, source = make_module(sample)  # of another name, so that nothing is kept of it
        compilations.append(milliseconds(lambda source=source: compile(source, "benchmarked.py", "exec")))
        for figures in (ins, agains):
            instrumentation = Instrumentation([module])
            figures.append(milliseconds(instrumentation.swap_in))
            outs.append(milliseconds(instrumentation.swap_out))
    gc.enable()
    lines = source.count("\n")
    per_1000, ratio = median(ins) * 1_000 / lines, median(ins) / median(compilations)
    print(
        f"{sample.__name__}: {lines} lines, {len(instrumentation.sites)} sites, {len(gc.get_objects())} objects alive"
    )
    print(f"  swap in {median(ins):.1f} ms, per 1,000 lines {per_1000:.1f} ms (bound {AIM_MS} ms)")
    print(f"  {ratio:.1f} times one compilation (bound {MOST_COMPILATIONS}); again {median(agains):.1f} ms; ", end="")
    print(f"swap out {median(outs):.1f} ms")
    return ratio <= MOST_COMPILATIONS and median(agains) * LEAST_GAIN <= median(ins)


def print_hooks() -> None:
    """Print what a hook costs where no task runs, beside a call of an empty function."""
    hooks = make_hooks(SiteTable(), KindTable([]), ENGINES["greenlet"], lambda function: function)
    names = {"hooks": hooks, "o": object(), "f": len}
    figures = {call: _nanoseconds(call, names) for call in HOOK_CALLS}
    print(f"hooks where no task runs (bound {HOOK_NS} ns each): ", end="")
    print(", ".join(f"{call} {figure:.0f} ns" for call, figure in figures.items()))
    print(f"  a call of an empty function {_nanoseconds('f(o)', {'f': lambda obj: obj, 'o': None}):.0f} ns")


def _nanoseconds(call: str, names: dict[str, object]) -> float:
    timer = timeit.Timer(call, globals=names, timer=time.process_time)
    empty = timeit.Timer("pass", timer=time.process_time)
    return (min(timer.repeat(ROUNDS, LOOPS)) - min(empty.repeat(ROUNDS, LOOPS))) / LOOPS * 1e9


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
    print_hooks()
    print_scan()
    print_isolation()
    return int(not all(verdicts))


if __name__ == "__main__":
    sys.exit(main())
