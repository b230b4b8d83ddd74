"""What is said about a publish: to subscribers, in the history, and before it happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from harness.registry.diff import SnapshotDiff
from harness.registry.snapshot import Snapshot
from harness.registry.validation import Diagnostic

__all__ = ["DryRun", "HistoryEntry", "Publication"]


@final
@dataclass(frozen=True, slots=True)
class Publication:
    """One publish, or several in a row for a coalescing subscriber. Immutable.

    Attributes:
        old: What was current before.
        new: What became current; by the time a subscriber is told, it or a newer one is.
        restored_from: The version whose content it takes back, for a rollback.
    """

    old: Snapshot
    new: Snapshot
    restored_from: int | None = None

    @property
    def version(self) -> int:
        """The version published."""
        return self.new.version

    def diff(self) -> SnapshotDiff:
        """What changed."""
        return self.old.diff(self.new)


@final
@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One version that was current. Immutable.

    Attributes:
        snapshot: What was current then.
        restored_from: The version whose content it took back, if it was a rollback.
    """

    snapshot: Snapshot
    restored_from: int | None = None

    @property
    def version(self) -> int:
        """Its number."""
        return self.snapshot.version


@final
@dataclass(frozen=True, slots=True)
class DryRun:
    """What an update would do. Immutable.

    Attributes:
        base_version: The version it was tried on.
        diff: What it would change.
        diagnostics: What would be wrong (errors, which refuse the update) or odd (warnings) because of it.
    """

    base_version: int
    diff: SnapshotDiff
    diagnostics: tuple[Diagnostic, ...]

    @property
    def is_valid(self) -> bool:
        """Whether the update would be published."""
        return all(found.severity != "error" for found in self.diagnostics)
