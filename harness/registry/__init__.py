"""Registry of LLM providers, models and agents in immutable, versioned snapshots.

How the pieces meet: a ``Registry`` is a handle on the current ``Snapshot``. A ``Snapshot`` maps ids to specs
(``ProviderSpec``, ``ModelSpec``, ``AgentSpec`` …) and never changes. Every write makes a ``Draft`` of the current
snapshot, changes it, validates it as a whole and publishes the next version. Readers take one snapshot and no lock.

Questions about a state are pure functions of it: ``preview_removal`` is the one rule for removing an entry,
``report_removal`` tells who is hurt and by which path, ``diagnose`` lists dangling references and circles,
``snapshot.graph()`` gives the ``DependencyGraph``, ``old.diff(new)`` what came, went and changed.

A write may be tried before (``dry_run``), refused if the registry moved on (``expected_version=``), told to others
(``subscribe``) and taken back (``rollback``).

``mounts`` turns modules into configured instances; ``clients`` brings users to a shared registry. The package imports
nothing from its neighbours, and neither pandas nor pydantic before a frame or a file is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.registry.derived import Derived
from harness.registry.diff import SnapshotDiff
from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.entries import Entries
from harness.registry.errors import (
    AlreadyRegisteredError,
    CloseError,
    ConfirmationRequiredError,
    DrainTimeoutError,
    EntryInUseError,
    ExecutorClosedError,
    ExecutorConflictError,
    ExecutorUnavailableError,
    FileAccessError,
    FileContentError,
    FileReferenceError,
    FileSyntaxError,
    InvalidIdError,
    InvalidSpecError,
    MissingExtraError,
    MissingVariableError,
    NestedBuildError,
    NestedUpdateError,
    NoRunningLoopError,
    NotFoundError,
    NotSavableError,
    ProvenanceError,
    ProviderInUseError,
    RegistryClosedError,
    RegistryError,
    RegistryFileError,
    RegistryValidationError,
    StalePreviewError,
    UnknownNodeError,
    VersionConflictError,
    VersionNotKeptError,
    WrongTypeError,
)
from harness.registry.graph import DependencyGraph, Edge, Node
from harness.registry.ids import AgentId, BackendId, ModelId, ModelPoolId, PluginId, ProviderId, ToolId
from harness.registry.keys import NAMESPACES, Key, Namespace
from harness.registry.lifetimes import Lease, Statistics
from harness.registry.publication import DryRun, HistoryEntry, Publication
from harness.registry.rebuild import RegistryUpdate, rebuild
from harness.registry.registry import Registry
from harness.registry.removal import (
    AffectedEntry,
    PolicyOutcome,
    ProviderRemovalPolicy,
    RemovalImpact,
    RemovalPolicy,
    RemovalPreview,
    RemovalReport,
    preview_removal,
    report_removal,
)
from harness.registry.run_plan import RunPlan, resolve_run
from harness.registry.secrets import resolve_environment
from harness.registry.snapshot import Snapshot
from harness.registry.sorted_map import SortedMap
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    ToolSpec,
)
from harness.registry.subscriptions import Subscription
from harness.registry.validation import Diagnostic, Resource, check_agent, diagnose

if TYPE_CHECKING:
    from harness.registry.litellm import LitellmImport, import_litellm

__all__ = [
    "NAMESPACES",
    "AffectedEntry",
    "AgentId",
    "AgentSpec",
    "AlreadyRegisteredError",
    "BackendId",
    "BackendSpec",
    "CloseError",
    "ConfirmationRequiredError",
    "DependencyGraph",
    "Derived",
    "Diagnostic",
    "Draft",
    "DrainTimeoutError",
    "DryRun",
    "Edge",
    "Entries",
    "EntryInUseError",
    "ExecutorClosedError",
    "ExecutorConflictError",
    "ExecutorFactory",
    "ExecutorUnavailableError",
    "FileAccessError",
    "FileContentError",
    "FileReferenceError",
    "FileSyntaxError",
    "HistoryEntry",
    "InvalidIdError",
    "InvalidSpecError",
    "Key",
    "Lease",
    "LitellmImport",
    "MissingExtraError",
    "MissingVariableError",
    "ModelId",
    "ModelPoolId",
    "ModelPoolSpec",
    "ModelSpec",
    "Namespace",
    "NestedBuildError",
    "NestedUpdateError",
    "NoRunningLoopError",
    "Node",
    "NotFoundError",
    "NotSavableError",
    "PluginId",
    "PluginSpec",
    "PolicyOutcome",
    "ProvenanceError",
    "ProviderId",
    "ProviderInUseError",
    "ProviderRemovalPolicy",
    "ProviderSpec",
    "Publication",
    "Registry",
    "RegistryClosedError",
    "RegistryError",
    "RegistryFileError",
    "RegistryUpdate",
    "RegistryValidationError",
    "RemovalImpact",
    "RemovalPolicy",
    "RemovalPreview",
    "RemovalReport",
    "Resource",
    "RunPlan",
    "Snapshot",
    "SnapshotDiff",
    "SortedMap",
    "StalePreviewError",
    "Statistics",
    "Subscription",
    "ToolId",
    "ToolSpec",
    "UnknownNodeError",
    "VersionConflictError",
    "VersionNotKeptError",
    "WrongTypeError",
    "check_agent",
    "diagnose",
    "import_litellm",
    "preview_removal",
    "rebuild",
    "report_removal",
    "resolve_environment",
    "resolve_run",
]


def __getattr__(name: str) -> object:
    # Needs YAML, which the rest of the package does without.
    if name not in ("LitellmImport", "import_litellm"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from harness.registry import litellm

    return getattr(litellm, name)
