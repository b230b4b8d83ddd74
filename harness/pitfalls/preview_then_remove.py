"""A removal that trusts what it saw before."""

from __future__ import annotations

from collections.abc import Callable

from harness.pitfalls.fleet import executor, run_together
from harness.pitfalls.pitfall import Pitfall
from harness.registry import (
    AgentId,
    AgentSpec,
    Draft,
    ModelId,
    ModelSpec,
    ProviderId,
    ProviderRemovalPolicy,
    Registry,
    RegistryError,
)

__all__ = ["PREVIEW_THEN_REMOVE"]

CASCADE = ProviderRemovalPolicy.CASCADE_UNUSED_MODELS
Remove = Callable[[Registry, str], object]


def remove_as_previewed(registry: Registry, provider_id: str) -> None:
    """Look, then remove from what was looked at: who came in between is removed as well, unseen."""
    seen = registry.snapshot()
    if seen.preview_remove_provider(provider_id).cascade_unused_models_allowed:
        draft = Draft(seen)
        draft.remove_provider(provider_id, CASCADE)
        registry.publish(draft)


def remove(registry: Registry, provider_id: str) -> None:
    """Look and remove in one update: the rule is asked anew on the state that will be replaced."""
    registry.remove_provider(provider_id, CASCADE)


def removal_beside_registration(remove: Remove) -> None:
    """One thread removes a provider while another registers an agent on its model; one of them must be refused."""
    registry = Registry()
    registry.register_provider("mail", executor("mail"))
    registry.register_model(ModelSpec(ModelId("fast"), ProviderId("mail"), "mail-1"))
    done: list[str] = []

    def remover() -> None:
        try:
            remove(registry, "mail")
        except RegistryError:
            done.append("removal refused")

    def registrar() -> None:
        try:
            registry.register_agent(AgentSpec(AgentId("triage"), ModelId("fast")))
            done.append("agent registered")
        except RegistryError:
            done.append("agent refused")

    run_together(remover, registrar)
    if "agent registered" in done:
        assert list(registry.snapshot().agents) == ["triage"], "triage was registered and is gone"


def broken() -> None:
    """Lose the agent under some schedules."""
    removal_beside_registration(remove_as_previewed)


def mended() -> None:
    """Refuse one of the two under all."""
    removal_beside_registration(remove)


PREVIEW_THEN_REMOVE = Pitfall(
    id="preview-then-remove",
    title="an agent is added between preview and removal",
    origin="awaken P2, C10",
    family="stale check",
    broken=broken,
    mended=mended,
    program=removal_beside_registration,
    replaced=(remove_as_previewed, remove),
    instrument=("harness.registry", "harness.pitfalls.fleet"),
    lesson="A preview is a look at one version. Decide again inside the update that acts.",
)
