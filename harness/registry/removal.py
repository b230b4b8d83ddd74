"""Removal: what would go, what stands in the way, who is hurt.

One rule function, ``preview_removal``, answers for previews and decides removals, and the removal asks it anew on the
draft under the writers' lock, so that nothing can change between the look and the deed. Users are followed through
model pools.

Source: Awaken's provider lifecycle. Upstream states the rule twice and does not see pools. A pool that names a model
counts as its user here even if no agent uses the pool, because removal edits no pool.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, final

from harness.registry.entries import Entries, users_of
from harness.registry.errors import NotFoundError
from harness.registry.ids import AgentId, ModelId, ModelPoolId, ProviderId
from harness.registry.keys import SINGULAR, Key
from harness.registry.near import near_matches

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AffectedEntry",
    "PolicyOutcome",
    "ProviderRemovalPolicy",
    "RemovalImpact",
    "RemovalPreview",
    "RemovalReport",
    "preview_removal",
    "report_removal",
]


@final
class ProviderRemovalPolicy(Enum):
    """What a removal may take along. There is no default."""

    BLOCK_IF_REFERENCED = "block_if_referenced"  # refuse if any model names the provider, used or not
    CASCADE_UNUSED_MODELS = "cascade_unused_models"  # take its models along, refuse if one is in use


@final
@dataclass(frozen=True, slots=True)
class RemovalPreview:
    """What stands in the way of removing a provider. Immutable.

    Attributes:
        version: The version it was computed on.
        provider_id: The provider.
        model_ids: Models that name it, sorted.
        model_pool_ids: Pools that name one of these models, sorted.
        agent_ids: Local agents that name one of these models or pools, sorted. Remote agents do not count.
        block_if_referenced_allowed: Whether that policy would let the removal through: no models.
        cascade_unused_models_allowed: The same for that policy: no pools and no agents.
    """

    version: int
    provider_id: ProviderId
    model_ids: tuple[ModelId, ...]
    model_pool_ids: tuple[ModelPoolId, ...]
    agent_ids: tuple[AgentId, ...]
    block_if_referenced_allowed: bool
    cascade_unused_models_allowed: bool

    def allows(self, policy: ProviderRemovalPolicy) -> bool:
        """Whether a removal under the policy would go through."""
        if policy is ProviderRemovalPolicy.BLOCK_IF_REFERENCED:
            return self.block_if_referenced_allowed
        return self.cascade_unused_models_allowed


@final
@dataclass(frozen=True, slots=True)
class RemovalImpact:
    """What a removal did. Immutable.

    Attributes:
        version: The version that was published.
        provider_id: The provider that went.
        removed_model_ids: Models that went with it, sorted.
        affected_agent_ids: Agents that lost their model: always empty, a removal that would do so is refused.
    """

    version: int
    provider_id: ProviderId
    removed_model_ids: tuple[ModelId, ...]
    affected_agent_ids: tuple[AgentId, ...] = ()


@final
@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy would do. Immutable.

    Attributes:
        policy: The policy.
        is_allowed: Whether the removal would go through.
        removed: Keys of what would go, the provider last; empty if it is refused.
        blocked_by: Keys of what stands in the way, sorted; empty if it is allowed.
    """

    policy: ProviderRemovalPolicy
    is_allowed: bool
    removed: tuple[Key, ...]
    blocked_by: tuple[Key, ...]


@final
@dataclass(frozen=True, slots=True)
class AffectedEntry:
    """One entry that needs the provider, directly or through models and pools. Immutable.

    Attributes:
        key: Its address.
        is_counted: Whether it counts as a user; remote agents do not.
        path: Shortest way from the entry to the provider, both included.
    """

    key: Key
    is_counted: bool
    path: tuple[Key, ...]

    def describe_path(self) -> str:
        """The path in words: ``agent triage → model fast → provider mail``."""
        return " → ".join(f"{SINGULAR[namespace]} {entry_id}" for namespace, entry_id in self.path)


@final
@dataclass(frozen=True, slots=True)
class RemovalReport:
    """Everything a person asks before removing a provider. Immutable.

    Attributes:
        preview: The rule's answer.
        outcomes: One per policy.
        affected: Models, pools and agents that need the provider, sorted by key. Delegation is not followed: an agent
            whose delegate is hurt still works. ``snapshot.graph().dependents(key)`` follows it.
    """

    preview: RemovalPreview
    outcomes: tuple[PolicyOutcome, ...]
    affected: tuple[AffectedEntry, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per affected entry, sorted by namespace and id.

        Returns:
            ``namespace`` str; ``id`` str; ``counted`` bool, false for remote agents; ``distance`` int64, references
            between it and the provider; ``path`` str.
        """
        import pandas as pd

        rows = [(*entry.key, entry.is_counted, len(entry.path) - 1, entry.describe_path()) for entry in self.affected]
        frame = pd.DataFrame(rows, columns=["namespace", "id", "counted", "distance", "path"])
        return frame.astype({"counted": "bool", "distance": "int64"})


def preview_removal(state: Entries, provider_id: str) -> RemovalPreview:
    """The rule: who uses a provider, and which policy would let it go. Cost grows with the users only.

    Raises:
        NotFoundError: No such provider.
    """
    if provider_id not in state.providers:
        raise NotFoundError("providers", provider_id, state.version, near_matches(provider_id, state.providers))
    models = users_of(state, ("providers", provider_id))
    users = {user for model in models for user in users_of(state, model)}
    pools = {user for user in users if user[0] == "model_pools"}
    users.update(user for pool in pools for user in users_of(state, pool))
    agents = {user[1] for user in users if user[0] == "agents" and not _is_remote(state, user)}
    return RemovalPreview(
        version=state.version,
        provider_id=ProviderId(provider_id),
        model_ids=tuple(ModelId(model_id) for _, model_id in models),
        model_pool_ids=tuple(ModelPoolId(pool_id) for _, pool_id in sorted(pools)),
        agent_ids=tuple(AgentId(agent_id) for agent_id in sorted(agents)),
        block_if_referenced_allowed=not models,
        cascade_unused_models_allowed=not pools and not agents,
    )


def report_removal(state: Entries, provider_id: str) -> RemovalReport:
    """What each policy would do to a provider, and everyone who needs it, with the way there.

    Raises:
        NotFoundError: No such provider.
    """
    preview = preview_removal(state, provider_id)
    outcomes = tuple(_outcome(preview, policy) for policy in ProviderRemovalPolicy)
    paths = _paths_to(state, ("providers", provider_id))
    affected = tuple(AffectedEntry(key, not _is_remote(state, key), paths[key]) for key in sorted(paths))
    return RemovalReport(preview, outcomes, affected)


def _outcome(preview: RemovalPreview, policy: ProviderRemovalPolicy) -> PolicyOutcome:
    models: list[Key] = [("models", model_id) for model_id in preview.model_ids]
    pools: list[Key] = [("model_pools", pool_id) for pool_id in preview.model_pool_ids]
    agents: list[Key] = [("agents", agent_id) for agent_id in preview.agent_ids]
    if preview.allows(policy):
        return PolicyOutcome(policy, True, (*models, ("providers", preview.provider_id)), ())
    in_the_way = models if policy is ProviderRemovalPolicy.BLOCK_IF_REFERENCED else [*agents, *pools]
    return PolicyOutcome(policy, False, (), tuple(in_the_way))


def _paths_to(state: Entries, target: Key) -> dict[Key, tuple[Key, ...]]:
    paths: dict[Key, tuple[Key, ...]] = {target: (target,)}
    frontier = [target]
    while frontier:
        reached: list[Key] = []
        for key in frontier:
            for user in users_of(state, key) if key[0] != "agents" else ():
                if user not in paths:
                    paths[user] = (user, *paths[key])
                    reached.append(user)
        frontier = reached
    del paths[target]
    return paths


def _is_remote(state: Entries, key: Key) -> bool:
    return key[0] == "agents" and state.agents[key[1]].is_remote
