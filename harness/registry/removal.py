"""Removal: what would go, what stands in the way, who is hurt.

One rule function, ``preview_removal``, answers for previews and decides removals of every namespace, and the removal
asks it anew on the draft under the writers' lock, so that nothing can change between the look and the deed.

An entry is *needed* by whoever could not be kept without it: the rule follows models, model pools (an alias is a pool
of one), plugins, tools and delegates, over any number of steps. A removal takes whole entries and never edits one, so
a pool goes with any of its members. A remote agent does not need its model.

Source: Awaken's provider lifecycle. Upstream states the rule twice, does not see pools, and knows providers only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias, final

from harness.registry.entries import Entries, entries_of, users_of
from harness.registry.errors import EntryInUseError, NotFoundError, ProviderInUseError, WrongTypeError
from harness.registry.ids import AgentId, ModelId, ModelPoolId, ProviderId
from harness.registry.keys import NAMESPACES, SINGULAR, Key
from harness.registry.near import near_matches

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AffectedEntry",
    "PolicyOutcome",
    "ProviderRemovalPolicy",
    "RemovalImpact",
    "RemovalPolicy",
    "RemovalPreview",
    "RemovalReport",
    "preview_removal",
    "report_removal",
]


@final
class RemovalPolicy(Enum):
    """What a removal may take along. There is no default."""

    BLOCK_IF_REFERENCED = "block_if_referenced"  # refuse if anything needs the entry
    CASCADE_UNUSED = "cascade_unused"  # take models and pools along, refuse if an agent needs one of them
    CASCADE_ALL = "cascade_all"  # take agents along as well; wants the preview's version as confirmation
    CASCADE_UNUSED_MODELS = "cascade_unused"  # noqa: PIE796 - an alias, the name it had for providers alone


ProviderRemovalPolicy: TypeAlias = RemovalPolicy


@final
@dataclass(frozen=True, slots=True)
class AffectedEntry:
    """One entry that needs another, directly or through others. Immutable.

    Attributes:
        key: Its address.
        is_counted: Whether it counts as a user; remote agents do not.
        path: Shortest way from the entry to what it needs, both included; of equal ones the first in sorted order.
    """

    key: Key
    is_counted: bool
    path: tuple[Key, ...]

    def describe_path(self) -> str:
        """The path in words: ``agent triage → model fast → provider mail``."""
        return " → ".join(f"{SINGULAR[namespace]} {entry_id}" for namespace, entry_id in self.path)


@final
@dataclass(frozen=True, slots=True)
class RemovalPreview:
    """What stands in the way of removing an entry. Immutable.

    Attributes:
        version: The version it was computed on.
        key: The entry.
        dependents: All that need it, with the way there, sorted by key. Remote agents do not need their model.
    """

    version: int
    key: Key
    dependents: tuple[AffectedEntry, ...]

    @property
    def provider_id(self) -> ProviderId:
        """Id of the entry, where it is a provider."""
        return ProviderId(self.key[1])

    @property
    def model_ids(self) -> tuple[ModelId, ...]:
        """Models that need it, sorted."""
        return tuple(ModelId(found.key[1]) for found in self.dependents if found.key[0] == "models")

    @property
    def model_pool_ids(self) -> tuple[ModelPoolId, ...]:
        """Pools that need it, sorted."""
        return tuple(ModelPoolId(found.key[1]) for found in self.dependents if found.key[0] == "model_pools")

    @property
    def agent_ids(self) -> tuple[AgentId, ...]:
        """Agents that need it for themselves, sorted; of another agent, those that delegate to it."""
        return tuple(
            AgentId(found.key[1])
            for found in self.dependents
            if found.key[0] == "agents" and (len(found.path) == 2 or found.path[1][0] != "agents")
        )

    @property
    def delegating_agent_ids(self) -> tuple[AgentId, ...]:
        """Agents that need it only because they delegate to others that do, sorted."""
        direct = set(self.agent_ids)
        return tuple(
            AgentId(found.key[1])
            for found in self.dependents
            if found.key[0] == "agents" and found.key[1] not in direct
        )

    @property
    def block_if_referenced_allowed(self) -> bool:
        """Whether that policy would let the removal through: nothing needs the entry."""
        return not self.dependents

    @property
    def cascade_unused_allowed(self) -> bool:
        """The same for that policy: no agent needs it."""
        return not any(found.key[0] == "agents" for found in self.dependents)

    @property
    def cascade_unused_models_allowed(self) -> bool:
        """The same by the name it had for providers alone."""
        return self.cascade_unused_allowed

    def allows(self, policy: RemovalPolicy) -> bool:
        """Whether a removal under the policy would go through."""
        if policy is RemovalPolicy.BLOCK_IF_REFERENCED:
            return self.block_if_referenced_allowed
        return policy is RemovalPolicy.CASCADE_ALL or self.cascade_unused_allowed

    def has_impact_of(self, other: RemovalPreview) -> bool:
        """Whether both say the same, whatever their versions."""
        return self.key == other.key and self.dependents == other.dependents


@final
@dataclass(frozen=True, slots=True)
class RemovalImpact:
    """What a removal did. Immutable.

    Attributes:
        version: The version that was published.
        key: The entry that was to go.
        removed: All that went, the entry last.
        paths: Why each of the others went: its way to the entry, in the order of ``removed``.
    """

    version: int
    key: Key
    removed: tuple[Key, ...]
    paths: tuple[tuple[Key, ...], ...] = ()

    @property
    def provider_id(self) -> ProviderId:
        """Id of the entry, where it was a provider."""
        return ProviderId(self.key[1])

    @property
    def removed_model_ids(self) -> tuple[ModelId, ...]:
        """Models that went, sorted."""
        return tuple(ModelId(entry_id) for namespace, entry_id in self.removed if namespace == "models")

    @property
    def affected_agent_ids(self) -> tuple[AgentId, ...]:
        """Agents that went along, sorted: none but under ``CASCADE_ALL``."""
        return tuple(AgentId(key[1]) for key in self.removed if key[0] == "agents" and key != self.key)


@final
@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy would do. Immutable.

    Attributes:
        policy: The policy.
        is_allowed: Whether the removal would go through.
        removed: Keys of what would go, the entry last; empty if it is refused.
        blocked_by: Keys of what stands in the way, sorted; empty if it is allowed.
    """

    policy: RemovalPolicy
    is_allowed: bool
    removed: tuple[Key, ...]
    blocked_by: tuple[Key, ...]


@final
@dataclass(frozen=True, slots=True)
class RemovalReport:
    """Everything a person asks before removing an entry. Immutable.

    Attributes:
        preview: The rule's answer.
        outcomes: One per policy.
        affected: Models, pools and agents that name the entry or what needs it, sorted by key, remote agents included.
            Delegation is not followed: an agent whose delegate is hurt still works. ``preview.dependents`` follows it,
            because an agent may not name a delegate that is gone.
    """

    preview: RemovalPreview
    outcomes: tuple[PolicyOutcome, ...]
    affected: tuple[AffectedEntry, ...]

    def to_frame(self) -> pd.DataFrame:
        """One row per affected entry, sorted by namespace and id.

        Returns:
            ``namespace`` str; ``id`` str; ``counted`` bool, false for remote agents; ``distance`` int64, references
            between it and the entry; ``path`` str.
        """
        import pandas as pd

        rows = [(*entry.key, entry.is_counted, len(entry.path) - 1, entry.describe_path()) for entry in self.affected]
        frame = pd.DataFrame(rows, columns=["namespace", "id", "counted", "distance", "path"])
        return frame.astype({"counted": "bool", "distance": "int64"})


def preview_removal(state: Entries, entry_id: str, namespace: str = "providers") -> RemovalPreview:
    """The rule: who needs an entry, and so which policy would let it go. Cost grows with these only.

    Raises:
        NotFoundError: No such entry.
        WrongTypeError: There is no such namespace.
    """
    if namespace not in SINGULAR:
        raise WrongTypeError("namespace", f"one of {', '.join(NAMESPACES)}", namespace)
    entries = entries_of(state, namespace)
    if entry_id not in entries:
        raise NotFoundError(namespace, entry_id, state.version, near_matches(entry_id, entries))
    paths = _paths_to(state, (namespace, entry_id), lambda user, used: not _is_spared(state, user, used))
    dependents = tuple(AffectedEntry(key, True, paths[key]) for key in sorted(paths))
    return RemovalPreview(state.version, (namespace, entry_id), dependents)


def plan_removal(preview: RemovalPreview, policy: RemovalPolicy) -> PolicyOutcome:
    """What a policy would do."""
    keys = tuple(found.key for found in preview.dependents)
    if preview.allows(policy):
        return PolicyOutcome(policy, True, (*keys, preview.key), ())
    if policy is RemovalPolicy.BLOCK_IF_REFERENCED:
        return PolicyOutcome(policy, False, (), tuple(f.key for f in preview.dependents if len(f.path) == 2))
    return PolicyOutcome(policy, False, (), tuple(("agents", agent_id) for agent_id in preview.agent_ids))


def in_use(preview: RemovalPreview, policy: RemovalPolicy) -> EntryInUseError:
    """The refusal of a removal that the policy forbids."""
    users = (preview.model_ids, preview.model_pool_ids, preview.agent_ids)
    if preview.key[0] == "providers":
        return ProviderInUseError(preview.key[1], policy.value, *users)
    return EntryInUseError(*preview.key, policy.value, *users)


def report_removal(state: Entries, entry_id: str, namespace: str = "providers") -> RemovalReport:
    """What each policy would do to an entry, and everyone who needs it, with the way there.

    Raises:
        NotFoundError: No such entry.
        WrongTypeError: There is no such namespace.
    """
    preview = preview_removal(state, entry_id, namespace)
    outcomes = tuple(plan_removal(preview, policy) for policy in RemovalPolicy)
    target = preview.key
    paths = _paths_to(state, target, lambda _, used: used == target or used[0] != "agents")
    affected = tuple(AffectedEntry(key, not _is_spared(state, key, paths[key][1]), paths[key]) for key in sorted(paths))
    return RemovalReport(preview, outcomes, affected)


def _paths_to(state: Entries, target: Key, follow: Callable[[Key, Key], bool]) -> dict[Key, tuple[Key, ...]]:
    paths: dict[Key, tuple[Key, ...]] = {target: (target,)}
    queue = [target]
    for key in queue:  # grows; breadth first, so the first path met is a shortest one
        for user in users_of(state, key):
            if user not in paths and follow(user, key):
                paths[user] = (user, *paths[key])
                queue.append(user)
    del paths[target]
    return paths


def _is_spared(state: Entries, user: Key, used: Key) -> bool:
    """Whether the user may go on naming what is gone."""
    return user[0] == "agents" and used[0] in ("models", "model_pools") and state.agents[user[1]].is_remote
