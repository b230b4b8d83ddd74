"""Time to put scheduling points into a module of 1,000 lines, and to put back the state of one, beside their bounds.

Absolute figures depend on the machine and on the objects alive: swapping in and swapping out each go once through all of
them. What can fail is compared side by side: rewriting against compiling, an unchanged state against a changed one.
"""

from __future__ import annotations

import gc
import linecache
import sys
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
FUNCTION = """
def method_{n}(self, key, *args, **kwargs):
    if key not in self.entries:
        self.entries[key] = self.make(key, *args, **kwargs)
    for name, value in self.entries.items():
        self.counts[name] += 1
        if value.size > self.limit and name != key:
            self.evict(name, reason=value.describe())
    with self.lock:
        self.total += len(self.entries)
    return [entry.size for entry in self.entries.values() if entry]
"""


def make_module(lines: int) -> ModuleType:
    source = "".join(FUNCTION.format(n=n) for n in range(lines // (FUNCTION.count("\n") - 1)))
    module = ModuleType("benchmarked")
    module.__file__ = "/nowhere/benchmarked.py"
    linecache.cache[module.__file__] = (len(source), None, source.splitlines(keepends=True), module.__file__)
    exec(compile(source, module.__file__, "exec"), module.__dict__)  # noqa: S102 - it is our own
    return module


def milliseconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return (time.perf_counter() - start) * 1e3


def check_swapping(module: ModuleType) -> bool:
    gc.collect()
    gc.disable()  # as in a world
    ins, outs, scans, compilations = [], [], [], []
    source = "".join(linecache.getlines(module.__file__ or ""))
    for _ in range(ROUNDS):
        compilations.append(milliseconds(lambda: compile(source, "benchmarked.py", "exec")))
        scans.append(milliseconds(gc.get_objects))
        instrumentation = Instrumentation([module])
        ins.append(milliseconds(instrumentation.swap_in))
        outs.append(milliseconds(instrumentation.swap_out))
    gc.enable()
    objects, lines, ratio = len(gc.get_objects()), source.count("\n"), median(ins) / median(compilations)
    print(f"swap in, {lines} lines, {len(instrumentation.sites)} sites: {median(ins):.1f} ms (aim {AIM_MS} ms)")
    print(f"  one compilation {median(compilations):.1f} ms; rewriting costs {ratio:.1f} of them ({MOST_COMPILATIONS})")
    print(f"swap out: {median(outs):.1f} ms; each way one scan of {objects} objects, list alone {median(scans):.1f} ms")
    return ratio <= MOST_COMPILATIONS


def check_scan() -> bool:
    keep = [[n] for n in range(50_000)]
    instrumentation = Instrumentation([])
    figures = [milliseconds(instrumentation.swap_in) for _ in range(ROUNDS)]
    print(
        f"start without modules, {len(gc.get_objects())} objects: {median(figures):.1f} ms ({BOUND_MS} ms per 50,000)"
    )
    return len(keep) > 0


def check_isolation() -> bool:
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
    return median(unchanged) < median(changed)


def main() -> int:
    module = make_module(1_000)
    return int(not all([check_swapping(module), check_scan(), check_isolation()]))


if __name__ == "__main__":
    sys.exit(main())
