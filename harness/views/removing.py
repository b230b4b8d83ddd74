"""A removal tried on a draft, carried out, and taken back: what stands behind the impact view.

The forecast is the removal itself on a draft that is thrown away, so that what the view says and what its button does
cannot differ. Several entries go in one version; who names another of them goes first, so that they do not stand in
each other's way. (Agents that delegate in a circle do: only ``CASCADE_ALL`` takes them together.)

The only place where a view changes a registry. Both writes go by the version that was looked at: whoever published
since then is not overwritten, the write is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.registry import (
    Draft,
    Entries,
    Key,
    PolicyOutcome,
    Registry,
    RemovalPolicy,
    Snapshot,
    preview_removal,
    report_removal,
)

__all__ = ["bring_back", "remove", "try_removal"]


def try_removal(snapshot: Snapshot, targets: Sequence[Key], policy: RemovalPolicy) -> tuple[PolicyOutcome, ...]:
    """Return what the policy says to each entry's turn; nothing changes but a draft.

    Args:
        snapshot: Where the entries are.
        targets: What is to be removed; all of it is there.
        policy: What may be taken along.
    """
    return tuple(_outcomes(Draft(snapshot), targets, policy))


def remove(registry: Registry, wanted: Sequence[Key], policy: RemovalPolicy, seen: int) -> int:
    """Remove entries in one version and return it.

    The version that was looked at is the confirmation that ``CASCADE_ALL`` wants. What is gone already is passed over.

    Raises:
        VersionConflictError: ``seen`` is no longer the current version.
        EntryInUseError: The policy forbids it.
        NotFoundError: All of it is gone.
    """

    def take_out(draft: Draft) -> None:
        there = [key for key in wanted if _holds(draft, key)] or list(wanted)
        for key in _users_first(draft, there):
            if _holds(draft, key):  # it may have gone along with another one
                draft.remove(*key, policy, expected_version=draft.version)

    return registry.update(take_out, expected_version=seen)


def bring_back(registry: Registry, removed_in: int) -> int:
    """Roll back to the version before a removal and return the new version.

    Raises:
        VersionConflictError: Somebody published after the removal; bringing all back would undo that too.
        VersionNotKeptError: The registry's history is too short.
    """
    return registry.rollback(removed_in - 1, expected_version=removed_in)


def _outcomes(draft: Draft, targets: Sequence[Key], policy: RemovalPolicy) -> Iterator[PolicyOutcome]:
    for namespace, entry_id in _users_first(draft, targets):
        if not _holds(draft, (namespace, entry_id)):
            continue
        outcomes = report_removal(draft, entry_id, namespace).outcomes
        outcome = next(found for found in outcomes if found.policy is policy)
        if outcome.is_allowed:
            draft.remove(namespace, entry_id, policy, expected_version=draft.version)
        yield outcome


def _users_first(state: Entries, keys: Sequence[Key]) -> list[Key]:
    """Return the keys, each once; whoever needs another has fewer dependents than that one, and comes before it."""
    return sorted(dict.fromkeys(keys), key=lambda key: len(preview_removal(state, key[1], key[0]).dependents))


def _holds(state: Entries, key: Key) -> bool:
    return key[1] in getattr(state, key[0])
