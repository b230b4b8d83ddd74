"""Reads, updates, previews, loading and memory of the registry, beside their bounds.

Absolute figures depend on the machine and are printed. What can fail is compared side by side: an update at 100,000
entries against one at 1,000, and reads while a writer is parked against reads while nobody writes.
"""

from __future__ import annotations

import sys
import threading
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from statistics import median

from harness.registry import AgentSpec, Draft, ModelSpec, Registry, RemovalPolicy

READ_NS, UPDATE_US, PREVIEW_US, LOAD_S = 150, 25, 50, 0.5
MOST_GROWTH = 2.0  # of an update, from 1,000 to 100,000 entries
MOST_SLOWDOWN = 1.1  # of a read, while a writer is parked
ROUNDS = 9
READ_ROUNDS = 30  # short ones, so that a quiet moment of the machine meets both kinds
CATALOGUE = Path(__file__).parents[2] / "fixtures" / "model_catalogue.csv"


def registry_of(entries: int) -> Registry:
    """One provider per 100 entries, half of the rest models and half agents; provider p0 has 10 dependants."""
    draft = Draft()
    providers = entries // 100
    for number in range(providers):
        draft.register_provider(f"p{number}", object())
    for number in range(5):
        draft.register_model(ModelSpec(f"few{number}", "p0"))  # type: ignore[arg-type]  # ids as text
        draft.register_agent(AgentSpec(f"few{number}", f"few{number}"))  # type: ignore[arg-type]
    for number in range((entries - providers - 10) // 2):
        draft.register_model(ModelSpec(f"m{number}", f"p{1 + number % (providers - 1)}"))  # type: ignore[arg-type]
        draft.register_agent(AgentSpec(f"a{number}", f"m{number}"))  # type: ignore[arg-type]
    return Registry(draft.freeze(), history_limit=2)


def per_call_us(call: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        call()
    return (time.perf_counter() - start) / calls * 1e6


def updates(registry: Registry) -> Callable[[], object]:
    modes = ("chat", "completion")
    turn = [0]

    def update() -> None:
        turn[0] += 1
        registry.replace_model(ModelSpec("few0", "p0", mode=modes[turn[0] % 2]))  # type: ignore[arg-type]

    return update


def check_updates(small: Registry, large: Registry) -> bool:
    figures: dict[int, list[float]] = {1_000: [], 100_000: []}
    for _ in range(ROUNDS):  # in turns, so that a slow moment of the machine meets both
        figures[1_000].append(per_call_us(updates(small), 500))
        figures[100_000].append(per_call_us(updates(large), 500))
    growth = median(figures[100_000]) / median(figures[1_000])
    print(f"update at 100,000 entries: {median(figures[100_000]):.1f} µs (bound {UPDATE_US} µs)")
    print(f"  at 1,000: {median(figures[1_000]):.1f} µs; growth {growth:.2f} (bound {MOST_GROWTH})")
    adds = [per_call_us(register_and_remove(large), 200) / 2 for _ in range(ROUNDS)]
    print(f"register and remove a model, each: {median(adds):.1f} µs (bound {UPDATE_US} µs)")
    return growth <= MOST_GROWTH


def register_and_remove(registry: Registry) -> Callable[[], object]:
    def both() -> None:
        registry.register_model(ModelSpec("new", "p1"))  # type: ignore[arg-type]
        registry.remove_model("new", RemovalPolicy.BLOCK_IF_REFERENCED)

    return both


def check_reads(registry: Registry) -> bool:
    def read() -> object:
        return registry.snapshot().providers["p7"]

    inside, release = threading.Event(), threading.Event()

    def park(_: Draft) -> None:
        inside.set()
        release.wait()

    free, parked = [], []
    for _ in range(READ_ROUNDS):
        free.append(per_call_us(read, 30_000))
        inside.clear()
        release.clear()
        writer = threading.Thread(target=registry.update, args=(park,))
        writer.start()
        inside.wait()
        parked.append(per_call_us(read, 30_000))
        release.set()
        writer.join()
    slowdown = min(parked) / min(free)
    print(f"snapshot().providers[id]: {min(free) * 1e3:.0f} ns (bound {READ_NS} ns)")
    print(f"  while a writer is parked: {min(parked) * 1e3:.0f} ns, ratio {slowdown:.2f} (bound {MOST_SLOWDOWN})")
    return slowdown <= MOST_SLOWDOWN


def show_preview(registry: Registry) -> None:
    preview = registry.preview_remove_provider("p0")
    assert len(preview.dependents) == 10
    figures = [per_call_us(lambda: registry.preview_remove_provider("p0"), 500) for _ in range(ROUNDS)]
    print(f"preview with 10 dependants among 100,000: {median(figures):.1f} µs (bound {PREVIEW_US} µs)")


def show_load() -> None:
    figures = [per_call_us(lambda: Registry.from_file(CATALOGUE), 1) / 1e6 for _ in range(ROUNDS)]
    print(f"load of the catalogue of 4,551 models: {median(figures):.2f} s (bound {LOAD_S} s)")


def show_memory() -> None:
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    registry = registry_of(20_000)
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    print(f"memory per entry, of 20,000: {held / 20_000:.0f} bytes, indexes included ({registry.version=})")


def main() -> int:
    show_memory()
    show_load()
    small, large = registry_of(1_000), registry_of(100_000)
    show_preview(large)
    return int(not all([check_updates(small, large), check_reads(large)]))


if __name__ == "__main__":
    sys.exit(main())
