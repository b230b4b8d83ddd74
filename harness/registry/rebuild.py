"""Rebuild: providers, models and agents replaced in whole, as a configuration store gives them.

Tools, plugins, backends and model pools stay. Nothing is published; ``Registry.publish`` does that with the result.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

from harness.registry.draft import Draft
from harness.registry.snapshot import Snapshot
from harness.registry.specs import AgentSpec, ModelSpec

__all__ = ["RegistryUpdate", "rebuild"]


@final
@dataclass(frozen=True, slots=True)
class RegistryUpdate:
    """The complete providers, models and agents to have. Immutable.

    Attributes:
        providers: Executors by provider id.
        models: All models.
        agents: All agents.
    """

    providers: Mapping[str, object]
    models: Sequence[ModelSpec]
    agents: Sequence[AgentSpec]


def rebuild(base: Snapshot, update: RegistryUpdate) -> Snapshot:
    """A snapshot with the update's providers, models and agents and the rest of the base, under the base's version.

    Raises:
        AlreadyRegisteredError: The update lists an id twice.
        RegistryValidationError: The result refers to what it does not hold.
    """
    draft = Draft(base)
    draft.clear("agents", "models", "providers")
    for provider_id in sorted(update.providers):
        draft.register_provider(provider_id, update.providers[provider_id])
    for model in update.models:
        draft.register_model(model)
    for agent in update.agents:
        draft.register_agent(agent)
    return draft.freeze()
