"""Readers that wait for a writer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["READER_BLOCKED"]

PATIENCE_S = 0.001  # of a reader; natively it is waited out

Read = Callable[[], int]
Update = Callable[[Callable[[Draft], object]], object]


def under_one_lock(registry: Registry) -> tuple[Read, Update]:
    """Guard reads by the lock under which an update builds and validates."""
    lock = threading.Lock()

    def read() -> int:
        assert lock.acquire(timeout=PATIENCE_S), "a reader waited for a writer"
        lock.release()
        return registry.version

    def update(fn: Callable[[Draft], object]) -> None:
        with lock:
            registry.update(fn)

    return read, update


def beside_each_other(registry: Registry) -> tuple[Read, Update]:
    """Read the published snapshot: only the writers take turns."""
    return lambda: registry.version, registry.update


def read_beside_update(make: Callable[[Registry], tuple[Read, Update]]) -> None:
    """One thread is in the middle of an update while another reads; the reader must get the old version at once."""
    registry = Registry()
    read, update = make(registry)
    answered = threading.Event()
    seen: list[int] = []

    def writer() -> None:
        def parked(draft: Draft) -> None:
            draft.register_provider("mail", executor("mail"))
            answered.wait()

        update(parked)

    def reader() -> None:
        try:
            seen.append(read())
        finally:
            answered.set()

    run_together(writer, reader)
    assert seen == [1], f"the update waits for the reader, which saw {seen}"


def broken() -> None:
    """Hold the reader up under some schedules."""
    read_beside_update(under_one_lock)


def mended() -> None:
    """Answer at once under all."""
    read_beside_update(beside_each_other)


READER_BLOCKED = Pitfall(
    id="reader-blocked",
    title="readers wait while a writer builds and validates",
    origin="awaken P3, R4, C17",
    family="lock held too long",
    broken=broken,
    mended=mended,
    program=read_beside_update,
    replaced=(under_one_lock, beside_each_other),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Build aside and swap one reference; keep the writers' lock from the readers.",
)
