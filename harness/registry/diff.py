"""Differences between two states: which entries came, went and changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from harness.registry.ids import ProviderId
from harness.registry.keys import NAMESPACES, Key

if TYPE_CHECKING:
    from harness.registry.snapshot import Snapshot

__all__ = ["SnapshotDiff", "diff_snapshots"]


@final
@dataclass(frozen=True, slots=True)
class SnapshotDiff:
    """How one state becomes another. Immutable.

    Attributes:
        added: Keys that only the second has, sorted; so for the others.
        removed: Keys that only the first has.
        changed: Keys whose specs differ.
        executors: Providers of both that have another executor. Executors do not travel between processes, so those
            of a snapshot that was pickled are all others.
    """

    added: tuple[Key, ...] = ()
    removed: tuple[Key, ...] = ()
    changed: tuple[Key, ...] = ()
    executors: tuple[ProviderId, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether both hold the same entries and executors."""
        return not (self.added or self.removed or self.changed or self.executors)

    def __str__(self) -> str:
        lines = [
            f"{sign} {namespace}/{entry_id}"
            for sign, keys in (("+", self.added), ("-", self.removed), ("~", self.changed))
            for namespace, entry_id in keys
        ]
        lines += [f"~ executor of providers/{provider_id}" for provider_id in self.executors]
        return "\n".join(lines) or "no difference"


def diff_snapshots(old: Snapshot, new: Snapshot) -> SnapshotDiff:
    """How the old state becomes the new one. Namespaces that neither changed cost nothing."""
    added: list[Key] = []
    removed: list[Key] = []
    changed: list[Key] = []
    for namespace in NAMESPACES:
        came, went, differ = getattr(old, namespace).changes_to(getattr(new, namespace))
        added.extend((namespace, entry_id) for entry_id in came)
        removed.extend((namespace, entry_id) for entry_id in went)
        changed.extend((namespace, entry_id) for entry_id in differ)
    replaced = old.executors.changes_to(new.executors)[2]
    return SnapshotDiff(
        tuple(sorted(added)),
        tuple(sorted(removed)),
        tuple(sorted(changed)),
        tuple(ProviderId(provider_id) for provider_id in sorted(replaced)),
    )
