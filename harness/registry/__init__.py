"""Registry of LLM providers, models and agents in immutable, versioned snapshots.

How the pieces meet: a ``Registry`` is a handle on the current ``Snapshot``. A ``Snapshot`` maps ids to specs
(``ProviderSpec``, ``ModelSpec``, ``AgentSpec`` …) and never changes. Every write makes a ``Draft`` of the current
snapshot, changes it, validates it as a whole and publishes the next version. Readers take one snapshot and no lock.

Questions about a state are pure functions of it: ``preview_removal`` is the one rule for removing a provider,
``report_removal`` tells who is hurt and by which path, ``diagnose`` lists dangling references, ``snapshot.graph()``
gives the ``DependencyGraph``.

``mounts`` turns modules into configured instances; ``clients`` brings users to a shared registry. The package imports
nothing from its neighbours, and neither pandas nor pydantic before a frame or a file is asked for.
"""

from __future__ import annotations

from harness.registry.draft import Draft, ExecutorFactory
from harness.registry.entries import Entries
from harness.registry.errors import (
    AlreadyRegisteredError,
    ExecutorConflictError,
    ExecutorUnavailableError,
    FileAccessError,
    FileContentError,
    FileReferenceError,
    FileSyntaxError,
    InvalidIdError,
    InvalidSpecError,
    NestedBuildError,
    NestedUpdateError,
    NotFoundError,
    ProviderInUseError,
    RegistryError,
    RegistryFileError,
    RegistryValidationError,
    UnknownNodeError,
    VersionConflictError,
    WrongTypeError,
)
from harness.registry.graph import DependencyGraph, Edge, Node
from harness.registry.ids import AgentId, BackendId, ModelId, ModelPoolId, PluginId, ProviderId, ToolId
from harness.registry.keys import NAMESPACES, Key, Namespace
from harness.registry.rebuild import RegistryUpdate, rebuild
from harness.registry.registry import Registry
from harness.registry.removal import (
    AffectedEntry,
    PolicyOutcome,
    ProviderRemovalPolicy,
    RemovalImpact,
    RemovalPreview,
    RemovalReport,
    preview_removal,
    report_removal,
)
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
from harness.registry.validation import Diagnostic, Resource, check_agent, diagnose

__all__ = [
    "NAMESPACES",
    "AffectedEntry",
    "AgentId",
    "AgentSpec",
    "AlreadyRegisteredError",
    "BackendId",
    "BackendSpec",
    "DependencyGraph",
    "Diagnostic",
    "Draft",
    "Edge",
    "Entries",
    "ExecutorConflictError",
    "ExecutorFactory",
    "ExecutorUnavailableError",
    "FileAccessError",
    "FileContentError",
    "FileReferenceError",
    "FileSyntaxError",
    "InvalidIdError",
    "InvalidSpecError",
    "Key",
    "ModelId",
    "ModelPoolId",
    "ModelPoolSpec",
    "ModelSpec",
    "Namespace",
    "NestedBuildError",
    "NestedUpdateError",
    "Node",
    "NotFoundError",
    "PluginId",
    "PluginSpec",
    "PolicyOutcome",
    "ProviderId",
    "ProviderInUseError",
    "ProviderRemovalPolicy",
    "ProviderSpec",
    "Registry",
    "RegistryError",
    "RegistryFileError",
    "RegistryUpdate",
    "RegistryValidationError",
    "RemovalImpact",
    "RemovalPreview",
    "RemovalReport",
    "Resource",
    "Snapshot",
    "SortedMap",
    "ToolId",
    "ToolSpec",
    "UnknownNodeError",
    "VersionConflictError",
    "WrongTypeError",
    "check_agent",
    "diagnose",
    "preview_removal",
    "rebuild",
    "report_removal",
]
