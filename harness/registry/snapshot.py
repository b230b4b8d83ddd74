"""Snapshot: one published state of the registry.

Code that serves a request takes one snapshot and reads everything from it; no later publish alters it. Snapshots
share what did not change, so holding many costs little, and an executor lives as long as the last snapshot that holds
it.

A snapshot is valid by construction: the only ways to one are ``Draft.freeze`` and what is built on it.
"""

from __future__ import annotations

from typing import Final, final

import immutables

from harness.registry.display import display
from harness.registry.errors import NotFoundError
from harness.registry.graph import DependencyGraph, build_graph
from harness.registry.keys import Key
from harness.registry.near import near_matches
from harness.registry.once import Once
from harness.registry.removal import RemovalPreview, RemovalReport, preview_removal, report_removal
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

__all__ = ["EMPTY_SNAPSHOT", "ReverseIndex", "Snapshot", "listed"]

ReverseIndex = immutables.Map[Key, immutables.Map[Key, None]]  # key -> who names it; no empty inner map


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
    executors: Final[SortedMap[Once[object]]]
    reverse_index: Final[ReverseIndex]

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
        executors: SortedMap[Once[object]],
        reverse_index: ReverseIndex,
    ) -> None:
        self.version = version
        self.providers, self.models, self.model_pools = providers, models, model_pools
        self.agents, self.tools, self.plugins, self.backends = agents, tools, plugins, backends
        self.executors, self.reverse_index = executors, reverse_index

    def __repr__(self) -> str:
        return (
            f"Snapshot of version {self.version}: {len(self.providers)} providers, {len(self.models)} models, "
            f"{len(self.agents)} agents"
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, object]:  # noqa: ARG002
        # Asked for by Jupyter alone; the arguments belong to its protocol.
        return display("graph", self)

    def executor(self, provider_id: str) -> object:
        """The executor of a provider, made on first use and then kept for all snapshots that hold the entry.

        Raises:
            NotFoundError: No such provider.
            ExecutorUnavailableError: The provider is only described and nothing was given that makes its executor.
        """
        once = self.executors.get(provider_id)
        if once is None:
            near = near_matches(provider_id, self.providers)
            raise NotFoundError("providers", provider_id, self.version, near)
        return once.get()

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

    def renumbered(self, version: int) -> Snapshot:
        """The same content under another version."""
        return Snapshot(
            version=version,
            providers=self.providers,
            models=self.models,
            model_pools=self.model_pools,
            agents=self.agents,
            tools=self.tools,
            plugins=self.plugins,
            backends=self.backends,
            executors=self.executors,
            reverse_index=self.reverse_index,
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
)
