"""An agent of one session that gets two."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import BackendId, BackendSpec, Draft, Registry, Snapshot

__all__ = ["PHANTOM_SINGLETON"]

AGENT = "mayor"  # at most one session

Start = Callable[[Registry, str], None]


def sessions(state: Snapshot | Draft) -> list[str]:
    """Sessions of the agent that live: its own name, or its name with a number."""
    return [session for session in state.backends if session.partition("-")[0] == AGENT]


def start_if_none_seen(registry: Registry, session: str) -> None:
    """Look for a session, then start one under the name that this kind of demand uses."""
    if not sessions(registry.snapshot()):
        registry.register_backend(BackendSpec(BackendId(session)))


def start_if_none(registry: Registry, _session: str) -> None:
    """Look and start in one update, under the agent's own name whatever the demand calls it."""

    def start(draft: Draft) -> None:
        if not sessions(draft):
            draft.register_backend(BackendSpec(BackendId(AGENT)))

    registry.update(start)


def two_demands(start: Start) -> None:
    """Demand for the agent by name and as member of a pool comes together; it must have one session, of its name."""
    registry = Registry()

    def by_name() -> None:
        start(registry, AGENT)

    def by_pool() -> None:
        start(registry, f"{AGENT}-1")

    run_together(by_name, by_pool)
    live = sessions(registry.snapshot())
    assert len(live) == 1, f"an agent of one session has {live}"


def broken() -> None:
    """Start a phantom under some schedules."""
    two_demands(start_if_none_seen)


def mended() -> None:
    """Start one session under all."""
    two_demands(start_if_none)


PHANTOM_SINGLETON = Pitfall(
    id="phantom-singleton",
    title="two kinds of demand start a session each for an agent that may have one",
    origin="gascity R2, P11",
    family="stale check",
    broken=broken,
    mended=mended,
    program=two_demands,
    replaced=(start_if_none_seen, start_if_none),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="One identity for one thing, whoever asks; look and create in the same update.",
)
