"""Verbs of a registry, one set per namespace.

Each publishes one version and says which; what happens is in ``Draft``, how it is published in ``Registry``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from harness.registry.draft import ANY_EXECUTOR, Draft, ExecutorFactory
from harness.registry.keys import Namespace
from harness.registry.removal import RemovalImpact, RemovalPolicy, RemovalPreview
from harness.registry.specs import (
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    ToolSpec,
)

__all__ = ["RegistryVerbs"]


class RegistryVerbs(ABC):
    """Register, replace, remove and preview, for each namespace.

    Registering, replacing and renaming return the version published, removing the impact. All raise:
    ``AlreadyRegisteredError`` for an id that is taken, ``NotFoundError`` for an unknown one, ``WrongTypeError`` for a
    spec of another namespace, ``RegistryValidationError`` where a reference would lead nowhere, ``NestedUpdateError``
    inside an update of this registry. Nothing is published then.
    """

    @abstractmethod
    def update(
        self, fn: Callable[[Draft], object], *, expected_version: int | None = None, if_changed: bool = False
    ) -> int:
        """Change several things in one version."""

    @abstractmethod
    def remove(
        self,
        target: tuple[str, str] | RemovalPreview,
        policy: RemovalPolicy,
        *,
        expected_version: int | None = None,
    ) -> RemovalImpact:
        """Remove an entry, and what the policy takes along."""

    @abstractmethod
    def preview_remove(self, namespace: str, entry_id: str) -> RemovalPreview:
        """Who needs an entry now, and which removal policy would let it go."""

    def register_provider(self, provider_id: str, executor: object, *, expected_version: int | None = None) -> int:
        """Add a provider whose executor is at hand."""
        return self.update(
            lambda draft: draft.register_provider(provider_id, executor), expected_version=expected_version
        )

    def register_provider_spec(
        self, spec: ProviderSpec, make: ExecutorFactory | None = None, *, expected_version: int | None = None
    ) -> int:
        """Add a provider that is described; ``make`` gives its executor when it is first asked for."""
        return self.update(lambda draft: draft.register_provider_spec(spec, make), expected_version=expected_version)

    def replace_provider(
        self,
        provider_id: str,
        executor: object,
        *,
        expected: object = ANY_EXECUTOR,
        expected_version: int | None = None,
    ) -> int:
        """Give a provider another executor; the models and agents that use it stay.

        Args:
            provider_id: The provider. An unknown one is refused: a replacement never creates.
            executor: Its new executor.
            expected: The very executor that it should have now.
            expected_version: Replace only if this is the current version; so for the other verbs.

        Raises:
            ExecutorConflictError: It has another executor than the expected one.
        """
        return self.update(
            lambda draft: draft.replace_provider(provider_id, executor, expected=expected),
            expected_version=expected_version,
        )

    def preview_remove_provider(self, provider_id: str) -> RemovalPreview:
        """Who needs a provider now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("providers", provider_id)

    def remove_provider(
        self, provider_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a provider, and what the policy takes along; see ``remove``."""
        return self.remove(("providers", provider_id), policy, expected_version=expected_version)

    def rename(self, namespace: Namespace, old_id: str, new_id: str, *, expected_version: int | None = None) -> int:
        """Give an entry another id, in itself and in all that name it."""
        return self.update(lambda draft: draft.rename(namespace, old_id, new_id), expected_version=expected_version)

    def register_model(self, spec: ModelSpec, *, expected_version: int | None = None) -> int:
        """Add a model."""
        return self.update(lambda draft: draft.register_model(spec), expected_version=expected_version)

    def replace_model(self, spec: ModelSpec, *, expected_version: int | None = None) -> int:
        """Change a model."""
        return self.update(lambda draft: draft.replace_model(spec), expected_version=expected_version)

    def preview_remove_model(self, model_id: str) -> RemovalPreview:
        """Who needs a model now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("models", model_id)

    def remove_model(
        self, model_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a model, and what the policy takes along; see ``remove``."""
        return self.remove(("models", model_id), policy, expected_version=expected_version)

    def register_model_pool(self, spec: ModelPoolSpec, *, expected_version: int | None = None) -> int:
        """Add a model pool."""
        return self.update(lambda draft: draft.register_model_pool(spec), expected_version=expected_version)

    def replace_model_pool(self, spec: ModelPoolSpec, *, expected_version: int | None = None) -> int:
        """Change a model pool."""
        return self.update(lambda draft: draft.replace_model_pool(spec), expected_version=expected_version)

    def preview_remove_model_pool(self, pool_id: str) -> RemovalPreview:
        """Who needs a model pool now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("model_pools", pool_id)

    def remove_model_pool(
        self, pool_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a model pool, and what the policy takes along; see ``remove``."""
        return self.remove(("model_pools", pool_id), policy, expected_version=expected_version)

    def register_agent(self, spec: AgentSpec, *, expected_version: int | None = None) -> int:
        """Add an agent."""
        return self.update(lambda draft: draft.register_agent(spec), expected_version=expected_version)

    def replace_agent(self, spec: AgentSpec, *, expected_version: int | None = None) -> int:
        """Change an agent."""
        return self.update(lambda draft: draft.replace_agent(spec), expected_version=expected_version)

    def preview_remove_agent(self, agent_id: str) -> RemovalPreview:
        """Who needs an agent now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("agents", agent_id)

    def remove_agent(
        self, agent_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove an agent, and what the policy takes along; see ``remove``."""
        return self.remove(("agents", agent_id), policy, expected_version=expected_version)

    def register_tool(self, spec: ToolSpec, *, expected_version: int | None = None) -> int:
        """Add a tool."""
        return self.update(lambda draft: draft.register_tool(spec), expected_version=expected_version)

    def replace_tool(self, spec: ToolSpec, *, expected_version: int | None = None) -> int:
        """Change a tool."""
        return self.update(lambda draft: draft.replace_tool(spec), expected_version=expected_version)

    def preview_remove_tool(self, tool_id: str) -> RemovalPreview:
        """Who needs a tool now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("tools", tool_id)

    def remove_tool(self, tool_id: str, policy: RemovalPolicy, *, expected_version: int | None = None) -> RemovalImpact:
        """Remove a tool, and what the policy takes along; see ``remove``."""
        return self.remove(("tools", tool_id), policy, expected_version=expected_version)

    def register_plugin(self, spec: PluginSpec, *, expected_version: int | None = None) -> int:
        """Add a plugin."""
        return self.update(lambda draft: draft.register_plugin(spec), expected_version=expected_version)

    def replace_plugin(self, spec: PluginSpec, *, expected_version: int | None = None) -> int:
        """Change a plugin."""
        return self.update(lambda draft: draft.replace_plugin(spec), expected_version=expected_version)

    def preview_remove_plugin(self, plugin_id: str) -> RemovalPreview:
        """Who needs a plugin now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("plugins", plugin_id)

    def remove_plugin(
        self, plugin_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a plugin, and what the policy takes along; see ``remove``."""
        return self.remove(("plugins", plugin_id), policy, expected_version=expected_version)

    def register_backend(self, spec: BackendSpec, *, expected_version: int | None = None) -> int:
        """Add a backend."""
        return self.update(lambda draft: draft.register_backend(spec), expected_version=expected_version)

    def replace_backend(self, spec: BackendSpec, *, expected_version: int | None = None) -> int:
        """Change a backend."""
        return self.update(lambda draft: draft.replace_backend(spec), expected_version=expected_version)

    def preview_remove_backend(self, backend_id: str) -> RemovalPreview:
        """Who needs a backend now, and which removal policy would let it go. Takes no lock."""
        return self.preview_remove("backends", backend_id)

    def remove_backend(
        self, backend_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalImpact:
        """Remove a backend, and what the policy takes along; see ``remove``."""
        return self.remove(("backends", backend_id), policy, expected_version=expected_version)
