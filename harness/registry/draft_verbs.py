"""Verbs of a draft, one set per namespace.

They say which namespace and which type; what happens is in ``Draft``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TypeVar

from harness.registry.errors import WrongTypeError
from harness.registry.removal import RemovalPolicy, RemovalPreview
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    Spec,
    ToolSpec,
)

__all__ = ["DraftVerbs", "checked"]

S = TypeVar("S", bound=Spec)


class DraftVerbs(ABC):
    """Register, replace, unregister and remove, for each namespace.

    Each verb refuses at once what is wrong in itself: ``AlreadyRegisteredError`` for an id that is taken,
    ``NotFoundError`` for an unknown one, ``WrongTypeError`` for a spec of another namespace. ``unregister`` looks at
    nobody who needs the entry, ``freeze`` does; ``remove`` goes by a policy and takes along what that allows.
    """

    __slots__ = ()

    @abstractmethod
    def _register(self, spec: Spec) -> None: ...
    @abstractmethod
    def _replace(self, spec: Spec) -> None: ...
    @abstractmethod
    def _unregister(self, namespace: str, entry_id: str) -> None: ...

    @abstractmethod
    def remove(
        self, namespace: str, entry_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove an entry, and what the policy takes along."""

    @abstractmethod
    def preview_remove(self, namespace: str, entry_id: str) -> RemovalPreview:
        """Who needs an entry in this draft, and which policy would let it go."""

    def unregister_provider(self, provider_id: str) -> None:
        """Drop a provider."""
        self._unregister("providers", provider_id)

    def remove_provider(
        self, provider_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a provider, and what the policy takes along."""
        return self.remove("providers", provider_id, policy, expected_version=expected_version)

    def preview_remove_provider(self, provider_id: str) -> RemovalPreview:
        """Who needs a provider in this draft, and which policy would let it go."""
        return self.preview_remove("providers", provider_id)

    def register_model(self, spec: ModelSpec) -> None:
        """Add a model."""
        self._register(checked(spec, ModelSpec))

    def replace_model(self, spec: ModelSpec) -> None:
        """Change a model."""
        self._replace(checked(spec, ModelSpec))

    def unregister_model(self, model_id: str) -> None:
        """Drop a model."""
        self._unregister("models", model_id)

    def remove_model(
        self, model_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a model, and what the policy takes along."""
        return self.remove("models", model_id, policy, expected_version=expected_version)

    def preview_remove_model(self, model_id: str) -> RemovalPreview:
        """Who needs a model in this draft, and which policy would let it go."""
        return self.preview_remove("models", model_id)

    def register_model_pool(self, spec: ModelPoolSpec) -> None:
        """Add a model pool."""
        self._register(checked(spec, ModelPoolSpec))

    def replace_model_pool(self, spec: ModelPoolSpec) -> None:
        """Change a model pool."""
        self._replace(checked(spec, ModelPoolSpec))

    def unregister_model_pool(self, pool_id: str) -> None:
        """Drop a model pool."""
        self._unregister("model_pools", pool_id)

    def remove_model_pool(
        self, pool_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a model pool, and what the policy takes along."""
        return self.remove("model_pools", pool_id, policy, expected_version=expected_version)

    def preview_remove_model_pool(self, pool_id: str) -> RemovalPreview:
        """Who needs a model pool in this draft, and which policy would let it go."""
        return self.preview_remove("model_pools", pool_id)

    def register_agent(self, spec: AgentSpec) -> None:
        """Add an agent."""
        self._register(checked(spec, AgentSpec))

    def replace_agent(self, spec: AgentSpec) -> None:
        """Change an agent."""
        self._replace(checked(spec, AgentSpec))

    def unregister_agent(self, agent_id: str) -> None:
        """Drop an agent."""
        self._unregister("agents", agent_id)

    def remove_agent(
        self, agent_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove an agent, and what the policy takes along."""
        return self.remove("agents", agent_id, policy, expected_version=expected_version)

    def preview_remove_agent(self, agent_id: str) -> RemovalPreview:
        """Who needs an agent in this draft, and which policy would let it go."""
        return self.preview_remove("agents", agent_id)

    def register_tool(self, spec: ToolSpec) -> None:
        """Add a tool."""
        self._register(checked(spec, ToolSpec))

    def replace_tool(self, spec: ToolSpec) -> None:
        """Change a tool."""
        self._replace(checked(spec, ToolSpec))

    def unregister_tool(self, tool_id: str) -> None:
        """Drop a tool, also while agents name it: tools may come with a run."""
        self._unregister("tools", tool_id)

    def remove_tool(
        self, tool_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a tool, and what the policy takes along."""
        return self.remove("tools", tool_id, policy, expected_version=expected_version)

    def preview_remove_tool(self, tool_id: str) -> RemovalPreview:
        """Who needs a tool in this draft, and which policy would let it go."""
        return self.preview_remove("tools", tool_id)

    def register_plugin(self, spec: PluginSpec) -> None:
        """Add a plugin."""
        self._register(checked(spec, PluginSpec))

    def replace_plugin(self, spec: PluginSpec) -> None:
        """Change a plugin."""
        self._replace(checked(spec, PluginSpec))

    def unregister_plugin(self, plugin_id: str) -> None:
        """Drop a plugin."""
        self._unregister("plugins", plugin_id)

    def remove_plugin(
        self, plugin_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a plugin, and what the policy takes along."""
        return self.remove("plugins", plugin_id, policy, expected_version=expected_version)

    def preview_remove_plugin(self, plugin_id: str) -> RemovalPreview:
        """Who needs a plugin in this draft, and which policy would let it go."""
        return self.preview_remove("plugins", plugin_id)

    def register_backend(self, spec: BackendSpec) -> None:
        """Add a backend."""
        self._register(checked(spec, BackendSpec))

    def replace_backend(self, spec: BackendSpec) -> None:
        """Change a backend."""
        self._replace(checked(spec, BackendSpec))

    def unregister_backend(self, backend_id: str) -> None:
        """Drop a backend."""
        self._unregister("backends", backend_id)

    def remove_backend(
        self, backend_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove a backend, and what the policy takes along."""
        return self.remove("backends", backend_id, policy, expected_version=expected_version)

    def preview_remove_backend(self, backend_id: str) -> RemovalPreview:
        """Who needs a backend in this draft, and which policy would let it go."""
        return self.preview_remove("backends", backend_id)


def checked(spec: S, wanted: type[S]) -> S:
    """The spec, if it is of that type.

    Raises:
        WrongTypeError: It is of another.
    """
    if not isinstance(spec, wanted):
        raise WrongTypeError("spec", f"a {wanted.__name__}", spec)
    return spec
