"""A replacement that brings back what was removed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import Draft, NotFoundError, Registry, RemovalPolicy

__all__ = ["REPLACE_AFTER_CHECK"]

Replace = Callable[[Registry, str, object], object]


def replace_what_was_there(registry: Registry, provider_id: str, new: object) -> None:
    """Check that the provider is there, then put the new one in: by then it may be gone."""
    if provider_id not in registry.snapshot().providers:
        raise NotFoundError("providers", provider_id, registry.version)

    def put(draft: Draft) -> None:
        if provider_id in draft.providers:
            draft.unregister_provider(provider_id)
        draft.register_provider(provider_id, new)

    registry.update(put)


def replace(registry: Registry, provider_id: str, new: object) -> None:
    """Check and replace in one update; a replacement never creates."""
    registry.replace_provider(provider_id, new)


def replacement_beside_removal(replace: Replace) -> None:
    """One thread replaces a provider while another removes it; in either order it must be gone afterwards."""
    registry = Registry()
    registry.register_provider("mail", executor("old"))

    def replacer() -> None:
        with suppress(NotFoundError):  # the removal came first
            replace(registry, "mail", executor("new"))

    def remover() -> None:
        registry.remove_provider("mail", RemovalPolicy.BLOCK_IF_REFERENCED)

    run_together(replacer, remover)
    assert not registry.snapshot().providers, "mail was removed and is back"


def broken() -> None:
    """Bring the provider back under some schedules."""
    replacement_beside_removal(replace_what_was_there)


def mended() -> None:
    """Let it go under all."""
    replacement_beside_removal(replace)


REPLACE_AFTER_CHECK = Pitfall(
    id="replace-after-check",
    title="a replacement brings a removed provider back",
    origin="awaken P5, R16, C9",
    family="stale check",
    broken=broken,
    mended=mended,
    program=replacement_beside_removal,
    replaced=(replace_what_was_there, replace),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="Check inside the update that acts, and keep replacing and creating apart.",
)
