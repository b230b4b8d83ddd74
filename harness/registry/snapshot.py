"""Snapshot: one published state of the registry.

Code that serves a request takes one snapshot and reads everything from it; no later publish alters it. Snapshots
share what did not change, so holding many costs little, and an executor lives as long as the last snapshot that holds
it.

A snapshot is valid by construction: the only ways to one are ``Draft.freeze`` and what is built on it, unpickling
included.

Two snapshots are equal if version and specs are. Executors are not compared and do not travel: a snapshot that was
pickled has described providers only.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Final, final

import immutables

from harness.registry.diff import SnapshotDiff, diff_snapshots
from harness.registry.display import display
from harness.registry.entries import entries_of
from harness.registry.errors import NotFoundError
from harness.registry.executor_cell import ExecutorCell
from harness.registry.fingerprint import describe_fingerprint, entry_fingerprint
from harness.registry.graph import DependencyGraph, build_graph
from harness.registry.ids import ModelId
from harness.registry.keys import NAMESPACES, Key
from harness.registry.near import near_matches
from harness.registry.removal import RemovalPreview, RemovalReport, preview_removal, report_removal
from harness.registry.sorted_map import SortedMap
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    Spec,
    ToolSpec,
)
from harness.registry.validation import Diagnostic, diagnose

__all__ = ["EMPTY_SNAPSHOT", "ReverseIndex", "Snapshot", "UpstreamIndex", "listed"]

ReverseIndex = immutables.Map[Key, immutables.Map[Key, None]]  # key -> who names it; no empty inner map
UpstreamIndex = immutables.Map[Key, immutables.Map[ModelId, None]]  # (provider, upstream model) -> models; likewise


@final
class Snapshot:
    """An immutable, valid state of the registry. Concurrency: *immutable*.

    Attributes:
        version: Its number.
        providers: Providers by id. Looking up costs some 50 ns at any size; iteration is sorted, here and below.
        models: Models by id.
        model_pools: Model pools by id.
        agents: Agents by id.
        tools: Tools by id.
        plugins: Plugins by id.
        backends: Backends by id.
        executors: By provider id the cell that holds or makes the executor; ``executor(id)`` looks into it.
        reverse_index: Who names whom; ``referrers(key)`` lists it.
        upstream_index: Models by provider and upstream model; ``find_models`` looks into it.
        total: Sum of the entries' fingerprints; ``fingerprint`` shows it.
    """

    __slots__ = (
        "agents",
        "backends",
        "executors",
        "model_pools",
        "models",
        "plugins",
        "providers",
        "reverse_index",
        "tools",
        "total",
        "upstream_index",
        "version",
    )

    version: Final[int]
    providers: Final[SortedMap[ProviderSpec]]
    models: Final[SortedMap[ModelSpec]]
    model_pools: Final[SortedMap[ModelPoolSpec]]
    agents: Final[SortedMap[AgentSpec]]
    tools: Final[SortedMap[ToolSpec]]
    plugins: Final[SortedMap[PluginSpec]]
    backends: Final[SortedMap[BackendSpec]]
    executors: Final[SortedMap[ExecutorCell]]
    reverse_index: Final[ReverseIndex]
    upstream_index: Final[UpstreamIndex]
    total: Final[int]

    def __init__(
        self,
        *,
        version: int,
        providers: SortedMap[ProviderSpec],
        models: SortedMap[ModelSpec],
        model_pools: SortedMap[ModelPoolSpec],
        agents: SortedMap[AgentSpec],
        tools: SortedMap[ToolSpec],
        plugins: SortedMap[PluginSpec],
        backends: SortedMap[BackendSpec],
        executors: SortedMap[ExecutorCell],
        reverse_index: ReverseIndex,
        upstream_index: UpstreamIndex,
        total: int,
    ) -> None:
        self.version = version
        self.providers, self.models, self.model_pools = providers, models, model_pools
        self.agents, self.tools, self.plugins, self.backends = agents, tools, plugins, backends
        self.executors, self.reverse_index = executors, reverse_index
        self.upstream_index, self.total = upstream_index, total

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Snapshot):
            return NotImplemented
        return self.version == other.version and self.holds_the_entries_of(other)

    def __hash__(self) -> int:
        return hash((self.version, *(len(entries_of(self, namespace)) for namespace in NAMESPACES)))

    def __reduce__(self) -> tuple[Callable[[int, tuple[Spec, ...]], Snapshot], tuple[int, tuple[Spec, ...]]]:
        from harness.registry.draft import restore  # which imports this module

        specs = [spec for namespace in NAMESPACES for spec in entries_of(self, namespace).values()]
        return restore, (self.version, tuple(specs))

    def __repr__(self) -> str:
        return (
            f"Snapshot of version {self.version}: {len(self.providers)} providers, {len(self.models)} models, "
            f"{len(self.agents)} agents"
        )

    @property
    def fingerprint(self) -> str:
        """What it holds, as text: the same in every process. Version, executors and values of secrets are not in it."""
        return describe_fingerprint(self.total)

    def fingerprint_of(self, key: Key) -> str:
        """The same for one entry.

        Raises:
            NotFoundError: No such entry.
        """
        entries = entries_of(self, key[0])
        if key[1] not in entries:
            raise NotFoundError(*key, self.version, near_matches(key[1], entries))
        return describe_fingerprint(entry_fingerprint(entries[key[1]]))

    def prompt_id(self, agent_id: str) -> str | None:
        """A stable name of 12 characters for an agent's prompt, the same wherever the text is; ``None`` if unknown."""
        agent = self.agents.get(agent_id)
        return None if agent is None else sha256(agent.system_prompt.encode()).hexdigest()[:12]

    def holds_the_entries_of(self, other: Snapshot) -> bool:
        """Whether the specs are equal, whatever the version. Values of secrets are compared as well."""
        return self.total == other.total and all(
            entries_of(self, namespace) == entries_of(other, namespace) for namespace in NAMESPACES
        )

    def diff(self, other: Snapshot) -> SnapshotDiff:
        """How this state becomes the other. Looks at every entry of the namespaces that differ."""
        return diff_snapshots(self, other)

    def diagnose(self) -> tuple[Diagnostic, ...]:
        """What is odd about this state, in sorted order: warnings only, a snapshot has no errors."""
        return diagnose(self)

    def save(self, path: str | Path, *, overwrite: bool = False, include_secrets: bool = False) -> None:
        """Write a fleet file that loads as an equal snapshot, version apart; whole or not at all.

        Args:
            path: Where to, ending in ``.yaml`` or ``.yml``.
            overwrite: Replace a file that is there.
            include_secrets: Save secrets that are written out in settings. Only the owner may read the file.

        Raises:
            NotSavableError: A provider's executor was handed over as an object, a setting cannot be written, or a
                secret would be.
            FileAccessError: The file cannot be written.
        """
        from harness.registry.saving import save_fleet  # YAML is needed here only

        save_fleet(self, Path(path), overwrite=overwrite, include_secrets=include_secrets)

    def find_models(self, provider_id: str, upstream_model: str) -> tuple[ModelId, ...]:
        """Models that stand for this model of this provider, sorted. Costs the same at any size."""
        return tuple(sorted(self.upstream_index.get((provider_id, upstream_model), ())))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        # Asked for by Jupyter alone; the arguments belong to its protocol.
        return display("graph", self)

    def executor(self, provider_id: str) -> object:
        """The executor of a provider, made on first use and then kept for all snapshots that hold the entry.

        Raises:
            NotFoundError: No such provider.
            ExecutorUnavailableError: The provider is only described and nothing was given that makes its executor.
        """
        cell = self.executors.get(provider_id)
        if cell is None:
            near = near_matches(provider_id, self.providers)
            raise NotFoundError("providers", provider_id, self.version, near)
        return cell.get()

    def preview_remove(self, namespace: str, entry_id: str) -> RemovalPreview:
        """Who needs an entry, and which removal policy would let it go.

        Raises:
            NotFoundError: No such entry.
        """
        return preview_removal(self, entry_id, namespace)

    def report_remove(self, namespace: str, entry_id: str) -> RemovalReport:
        """What each policy would do to an entry, and everyone who needs it, with the way there.

        Raises:
            NotFoundError: No such entry.
        """
        return report_removal(self, entry_id, namespace)

    def preview_remove_provider(self, provider_id: str) -> RemovalPreview:
        """Who uses a provider, and which removal policy would let it go.

        Raises:
            NotFoundError: No such provider.
        """
        return preview_removal(self, provider_id)

    def report_remove_provider(self, provider_id: str) -> RemovalReport:
        """What each policy would do to a provider, and everyone who needs it, with the way there.

        Raises:
            NotFoundError: No such provider.
        """
        return report_removal(self, provider_id)

    def graph(self) -> DependencyGraph:
        """Who needs whom, as a plain value. Looks at every entry."""
        return build_graph(self)

    def referrers(self, key: Key) -> tuple[Key, ...]:
        """Entries that name this one, sorted."""
        return listed(self.reverse_index, key)

    def renumbered(self, version: int, executors: SortedMap[ExecutorCell] | None = None) -> Snapshot:
        """The same content under another version, and with other executors if they are given."""
        return Snapshot(
            version=version,
            providers=self.providers,
            models=self.models,
            model_pools=self.model_pools,
            agents=self.agents,
            tools=self.tools,
            plugins=self.plugins,
            backends=self.backends,
            executors=self.executors if executors is None else executors,
            reverse_index=self.reverse_index,
            upstream_index=self.upstream_index,
            total=self.total,
        )


def listed(index: ReverseIndex, key: Key) -> tuple[Key, ...]:
    """Who names the key, sorted."""
    referrers = index.get(key)
    return () if referrers is None else tuple(sorted(referrers))


EMPTY_SNAPSHOT: Final = Snapshot(
    version=0,
    providers=SortedMap(),
    models=SortedMap(),
    model_pools=SortedMap(),
    agents=SortedMap(),
    tools=SortedMap(),
    plugins=SortedMap(),
    backends=SortedMap(),
    executors=SortedMap(),
    reverse_index=immutables.Map(),
    upstream_index=immutables.Map(),
    total=0,
)
