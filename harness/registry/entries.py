"""What snapshots and drafts have in common: seven namespaces and the reverse index.

Pure functions about a state (validation, removal, graph) take ``Entries``, so each rule exists once and holds for both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from harness.registry.keys import Key
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

__all__ = ["Entries", "entries_of", "maps_of", "resolve_reference", "users_of"]


class Entries(Protocol):
    """A state of the registry, published or proposed."""

    @property
    def version(self) -> int:
        """The version it is, or was drafted from."""

    @property
    def providers(self) -> SortedMap[ProviderSpec]:
        """Providers by id."""

    @property
    def models(self) -> SortedMap[ModelSpec]:
        """Models by id."""

    @property
    def model_pools(self) -> SortedMap[ModelPoolSpec]:
        """Model pools by id."""

    @property
    def agents(self) -> SortedMap[AgentSpec]:
        """Agents by id."""

    @property
    def tools(self) -> SortedMap[ToolSpec]:
        """Tools by id."""

    @property
    def plugins(self) -> SortedMap[PluginSpec]:
        """Plugins by id."""

    @property
    def backends(self) -> SortedMap[BackendSpec]:
        """Backends by id."""

    def referrers(self, key: Key) -> tuple[Key, ...]:
        """Entries that name this one, sorted."""


def entries_of(state: Entries, namespace: str) -> Mapping[str, Spec]:
    """One namespace of the state, by its name."""
    return cast("Mapping[str, Spec]", getattr(state, namespace))


def maps_of(state: Entries) -> dict[str, SortedMap[Spec]]:
    """All namespaces of the state by name, in a new dict.

    Each is named here, so that whoever explores a registry sees seven reads and not an attribute that might be any.
    """
    maps = {
        "providers": state.providers,
        "models": state.models,
        "model_pools": state.model_pools,
        "agents": state.agents,
        "tools": state.tools,
        "plugins": state.plugins,
        "backends": state.backends,
    }
    return cast("dict[str, SortedMap[Spec]]", maps)


def resolve_reference(state: Entries, key: Key) -> Key | None:
    """The entry that a reference means, ``None`` if there is none. ``models`` also stands for pools."""
    namespace, entry_id = key
    if entry_id in entries_of(state, namespace):
        return key
    if namespace == "models" and entry_id in state.model_pools:
        return ("model_pools", entry_id)
    return None


def users_of(state: Entries, key: Key) -> tuple[Key, ...]:
    """Entries that need this one directly, sorted."""
    namespace, entry_id = key
    return state.referrers(("models", entry_id) if namespace == "model_pools" else key)
