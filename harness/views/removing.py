"""The two writes behind an impact view: remove under a policy, and bring back what was.

The only place where a view changes a registry. Both go by the version that was looked at: whoever published since
then is not overwritten, the write is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.registry import Draft, Key, ProviderRemovalPolicy, Registry, Snapshot, VersionConflictError

__all__ = ["bring_back", "remove"]


def remove(registry: Registry, providers: Sequence[Key], policy: ProviderRemovalPolicy, seen: int) -> Snapshot:
    """Remove providers in one version and return the snapshot before it.

    The version that was looked at is the confirmation that ``CASCADE_ALL`` wants.

    Raises:
        VersionConflictError: ``seen`` is no longer the current version.
        ProviderInUseError: The policy forbids it.
    """
    before = registry.snapshot()
    if before.version != seen:
        raise VersionConflictError(seen, before.version)
    draft = Draft(before)
    for _, provider_id in providers:
        draft.remove_provider(provider_id, policy, expected_version=seen)
    registry.publish(draft, expected_version=seen)
    return before


def bring_back(registry: Registry, before: Snapshot, seen: int) -> int:
    """Publish the content of an earlier snapshot and return the new version.

    Raises:
        VersionConflictError: Somebody published after the removal; bringing all back would undo that too.
    """
    return registry.publish(before, expected_version=seen)
