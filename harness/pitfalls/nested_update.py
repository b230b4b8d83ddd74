"""A write begun from inside a write."""

from __future__ import annotations

import threading
from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, NestedUpdateError, Registry

__all__ = ["NESTED_UPDATE"]

PATIENCE_S = 0.001  # where a plain lock would be waited for without end

Update = Callable[[Callable[[Draft], object]], object]


def under_a_plain_lock(registry: Registry) -> Update:
    """Take turns by a lock that does not know who holds it."""
    lock = threading.Lock()

    def update(fn: Callable[[Draft], object]) -> None:
        if not lock.acquire(timeout=PATIENCE_S):
            raise TimeoutError("the lock is not given back")
        try:
            registry.update(fn)
        finally:
            lock.release()

    return update


def under_the_writers_lock(registry: Registry) -> Update:
    """Take turns by a lock whose holder is known, and refuse him a second turn."""
    return registry.update


def update_inside_an_update(make_update: Callable[[Registry], Update]) -> None:
    """One thread writes from inside its write, another one writes once; the inner write must be refused at once."""
    registry = Registry()
    update = make_update(registry)
    answers: list[str] = []

    def register(draft: Draft, provider_id: str) -> None:
        draft.register_provider(provider_id, executor(provider_id))

    def nesting() -> None:
        def fill(draft: Draft) -> None:
            register(draft, "mail")
            try:
                update(lambda inner: register(inner, "lost"))
            except NestedUpdateError:
                answers.append("refused")

        update(fill)

    def plain() -> None:
        update(lambda draft: register(draft, "search"))

    run_together(nesting, plain)
    assert answers == ["refused"], f"the inner write got {answers}"
    assert list(registry.snapshot().providers) == ["mail", "search"]


def broken() -> None:
    """Wait for itself."""
    update_inside_an_update(under_a_plain_lock)


def mended() -> None:
    """Refuse the inner write under all schedules."""
    update_inside_an_update(under_the_writers_lock)


NESTED_UPDATE = Pitfall(
    id="nested-update",
    title="an update inside an update waits for itself",
    origin="awaken P4, R7, B5, C14",
    family="lock taken twice",
    broken=broken,
    mended=mended,
    program=update_inside_an_update,
    replaced=(under_a_plain_lock, under_the_writers_lock),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Know who holds the lock, and answer him with an error; let callbacks change the draft at hand.",
)
