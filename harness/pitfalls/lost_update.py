"""Updates that vanish: the state is copied, changed and published, and somebody else published in between."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, Registry

__all__ = ["LOST_UPDATE"]

Register = Callable[[Registry, str], object]


def register_by_copy(registry: Registry, provider_id: str) -> None:
    """Copy, change, publish: nothing keeps another writer out in between."""
    draft = Draft(registry.snapshot())
    draft.register_provider(provider_id, executor(provider_id))
    registry.publish(draft)


def register(registry: Registry, provider_id: str) -> None:
    """Copy, change and publish as one update."""
    registry.register_provider(provider_id, executor(provider_id))


def two_registrations(register: Register) -> None:
    """Two threads register a provider each; afterwards both must answer."""
    registry = Registry()

    def mail() -> None:
        register(registry, "mail")

    def search() -> None:
        register(registry, "search")

    run_together(mail, search)
    snapshot = registry.snapshot()
    assert sorted(snapshot.providers) == ["mail", "search"], f"registered mail and search, have {[*snapshot.providers]}"
    assert snapshot.executor("mail").complete("ping") == "mail: ping"  # type: ignore[attr-defined]  # it is ours


def broken() -> None:
    """Lose a registration under some schedules."""
    two_registrations(register_by_copy)


def mended() -> None:
    """Keep both under all."""
    two_registrations(register)


LOST_UPDATE = Pitfall(
    id="lost-update",
    title="a registration vanishes between copy and publish",
    origin="awaken P1, C4",
    family="lost update",
    broken=broken,
    mended=mended,
    program=two_registrations,
    replaced=(register_by_copy, register),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Take the copy inside the update that publishes it, or publish with the version the copy was taken from.",
)
