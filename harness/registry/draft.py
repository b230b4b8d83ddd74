"""Draft: a proposed next state.

Starts as a copy of a snapshot, every namespace included, in constant time. Each verb changes one entry and the
reverse index in the same step. Nothing is checked for dangling references until ``freeze``, so a draft may pass
through states that would be refused, such as an agent that comes before its model.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar, cast, final

import immutables

from harness.registry.entries import entries_of
from harness.registry.errors import (
    AlreadyRegisteredError,
    ExecutorConflictError,
    ExecutorUnavailableError,
    InvalidSpecError,
    NotFoundError,
    ProviderInUseError,
    RegistryValidationError,
    WrongTypeError,
)
from harness.registry.ids import ProviderId, check_id
from harness.registry.keys import NAMESPACES, Key, Namespace
from harness.registry.near import near_matches
from harness.registry.once import Once
from harness.registry.references import references, rename_in
from harness.registry.removal import ProviderRemovalPolicy, RemovalPreview, preview_removal
from harness.registry.snapshot import EMPTY_SNAPSHOT, Snapshot, listed
from harness.registry.sorted_map import SortedMap
from harness.registry.specs import (
    OBJECT_KIND,
    AgentSpec,
    BackendSpec,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    Spec,
    ToolSpec,
)
from harness.registry.validation import diagnose_change

__all__ = ["ANY_EXECUTOR", "Draft", "ExecutorFactory"]

S = TypeVar("S", bound=Spec)

ExecutorFactory = Callable[[ProviderSpec], object]

ANY_EXECUTOR: Final = object()  # stands for "whichever executor is registered"


@final
class Draft:
    """A proposed next state. Concurrency: *confined* to one owner at a time.

    Verbs refuse at once what is wrong in itself (a taken or unknown id); references are checked as a whole by
    ``freeze``.

    Args:
        base: Where to start. The draft copies it, references and executors included.
    """

    __slots__ = ("_changed", "_executors", "_maps", "_reverse_index", "version")

    def __init__(self, base: Snapshot = EMPTY_SNAPSHOT) -> None:
        self.version: Final = base.version  # of the base
        self._maps = {namespace: cast("SortedMap[Spec]", getattr(base, namespace)) for namespace in NAMESPACES}
        self._executors = base.executors
        self._reverse_index = base.reverse_index
        self._changed: dict[Key, None] = {}  # what freeze has to look at

    @property
    def providers(self) -> SortedMap[ProviderSpec]:
        """Providers by id, as they stand now; so for the other namespaces."""
        return cast("SortedMap[ProviderSpec]", self._maps["providers"])

    @property
    def models(self) -> SortedMap[ModelSpec]:
        """Models by id."""
        return cast("SortedMap[ModelSpec]", self._maps["models"])

    @property
    def model_pools(self) -> SortedMap[ModelPoolSpec]:
        """Model pools by id."""
        return cast("SortedMap[ModelPoolSpec]", self._maps["model_pools"])

    @property
    def agents(self) -> SortedMap[AgentSpec]:
        """Agents by id."""
        return cast("SortedMap[AgentSpec]", self._maps["agents"])

    @property
    def tools(self) -> SortedMap[ToolSpec]:
        """Tools by id."""
        return cast("SortedMap[ToolSpec]", self._maps["tools"])

    @property
    def plugins(self) -> SortedMap[PluginSpec]:
        """Plugins by id."""
        return cast("SortedMap[PluginSpec]", self._maps["plugins"])

    @property
    def backends(self) -> SortedMap[BackendSpec]:
        """Backends by id."""
        return cast("SortedMap[BackendSpec]", self._maps["backends"])

    def referrers(self, key: Key) -> tuple[Key, ...]:
        """Entries that name this one, sorted."""
        return listed(self._reverse_index, key)

    def register_provider(self, provider_id: str, executor: object) -> None:
        """Add a provider whose executor is at hand.

        Raises:
            AlreadyRegisteredError: The id is taken.
            InvalidIdError: The id is blank.
        """
        self._register(ProviderSpec(ProviderId(provider_id), OBJECT_KIND))
        self._hold_executor(provider_id, executor)

    def register_provider_spec(self, spec: ProviderSpec, make: ExecutorFactory | None = None) -> None:
        """Add a provider that is described; ``make`` gives its executor when it is first asked for.

        Raises:
            AlreadyRegisteredError: The id is taken.
            InvalidSpecError: The kind is ``object``, for which there is no recipe.
        """
        if spec.kind == OBJECT_KIND:
            problem = f"provider {spec.id!r} wants a kind that can be made, is of kind {OBJECT_KIND!r}"
            raise InvalidSpecError(problem, "name the kind, or register the executor itself with register_provider")
        self._register(spec)
        once = Once(partial(make or _refuse_executor, spec), f"executor of provider {spec.id!r}")
        self._executors = self._executors.with_entry(spec.id, once)

    def replace_provider(self, provider_id: str, executor: object, *, expected: object = ANY_EXECUTOR) -> None:
        """Give a provider another executor; the models and agents that use it stay.

        Args:
            provider_id: The provider.
            executor: Its new executor.
            expected: The very executor that it should have now.

        Raises:
            NotFoundError: No such provider.
            ExecutorConflictError: It has another executor than the expected one.
        """
        self._require("providers", provider_id)
        if expected is not ANY_EXECUTOR and not self._executors[provider_id].holds(expected):
            raise ExecutorConflictError(provider_id, self.version)
        self._put(ProviderSpec(ProviderId(provider_id), OBJECT_KIND))
        self._hold_executor(provider_id, executor)

    def remove_provider(self, provider_id: str, policy: ProviderRemovalPolicy) -> RemovalPreview:
        """Remove a provider, and under the cascading policy its unused models.

        Returns:
            What the rule said, so which models went.

        Raises:
            NotFoundError: No such provider.
            ProviderInUseError: The policy forbids it.
            WrongTypeError: ``policy`` is no policy.
        """
        if not isinstance(policy, ProviderRemovalPolicy):
            raise WrongTypeError("policy", "a ProviderRemovalPolicy", policy)
        preview = preview_removal(self, provider_id)
        if not preview.allows(policy):
            raise ProviderInUseError(
                provider_id, policy.value, preview.model_ids, preview.model_pool_ids, preview.agent_ids
            )
        for model_id in preview.model_ids:
            self._drop("models", model_id)
        self._drop("providers", provider_id)
        return preview

    def preview_remove_provider(self, provider_id: str) -> RemovalPreview:
        """Who uses a provider in this draft, and which policy would let it go; the version is that of the base.

        Raises:
            NotFoundError: No such provider.
        """
        return preview_removal(self, provider_id)

    def register_model(self, spec: ModelSpec) -> None:
        """Add a model. This and the like below raise ``AlreadyRegisteredError`` for an id that is taken."""
        self._register(_checked(spec, ModelSpec))

    def replace_model(self, spec: ModelSpec) -> None:
        """Change a model. This and the like below raise ``NotFoundError`` for an unknown id."""
        self._replace(_checked(spec, ModelSpec))

    def unregister_model(self, model_id: str) -> None:
        """Remove a model. This and the like below raise ``NotFoundError`` for an unknown id."""
        self._unregister("models", model_id)

    def register_model_pool(self, spec: ModelPoolSpec) -> None:
        """Add a model pool."""
        self._register(_checked(spec, ModelPoolSpec))

    def replace_model_pool(self, spec: ModelPoolSpec) -> None:
        """Change a model pool."""
        self._replace(_checked(spec, ModelPoolSpec))

    def unregister_model_pool(self, pool_id: str) -> None:
        """Remove a model pool."""
        self._unregister("model_pools", pool_id)

    def register_agent(self, spec: AgentSpec) -> None:
        """Add an agent."""
        self._register(_checked(spec, AgentSpec))

    def replace_agent(self, spec: AgentSpec) -> None:
        """Change an agent."""
        self._replace(_checked(spec, AgentSpec))

    def unregister_agent(self, agent_id: str) -> None:
        """Remove an agent."""
        self._unregister("agents", agent_id)

    def register_tool(self, spec: ToolSpec) -> None:
        """Add a tool."""
        self._register(_checked(spec, ToolSpec))

    def replace_tool(self, spec: ToolSpec) -> None:
        """Change a tool."""
        self._replace(_checked(spec, ToolSpec))

    def unregister_tool(self, tool_id: str) -> None:
        """Remove a tool, also while agents name it: tools may come with a run."""
        self._unregister("tools", tool_id)

    def register_plugin(self, spec: PluginSpec) -> None:
        """Add a plugin."""
        self._register(_checked(spec, PluginSpec))

    def replace_plugin(self, spec: PluginSpec) -> None:
        """Change a plugin."""
        self._replace(_checked(spec, PluginSpec))

    def unregister_plugin(self, plugin_id: str) -> None:
        """Remove a plugin."""
        self._unregister("plugins", plugin_id)

    def register_backend(self, spec: BackendSpec) -> None:
        """Add a backend."""
        self._register(_checked(spec, BackendSpec))

    def replace_backend(self, spec: BackendSpec) -> None:
        """Change a backend."""
        self._replace(_checked(spec, BackendSpec))

    def unregister_backend(self, backend_id: str) -> None:
        """Remove a backend."""
        self._unregister("backends", backend_id)

    def rename(self, namespace: Namespace, old_id: str, new_id: str) -> None:
        """Give an entry another id, in itself and in all that name it.

        Raises:
            NotFoundError: No such entry.
            AlreadyRegisteredError: The new id is taken.
            InvalidIdError: The new id is blank.
        """
        spec = self._require(namespace, old_id)
        self._refuse_taken(namespace, check_id(f"new id of {old_id!r}", new_id))
        key = (namespace, old_id)
        users = self.referrers(("models", old_id) if namespace == "model_pools" else key)
        executor = self._executors.get(old_id) if namespace == "providers" else None
        self._drop(namespace, old_id)
        self._put(rename_in(spec, key, new_id))
        if executor is not None:
            self._executors = self._executors.with_entry(new_id, executor)
        for user_namespace, user_id in users:
            if (user_namespace, user_id) != key:  # an agent that delegates to itself is renamed already
                self._put(rename_in(entries_of(self, user_namespace)[user_id], key, new_id))

    def clear(self, *namespaces: Namespace) -> None:
        """Remove every entry of these namespaces."""
        for namespace in namespaces:
            for entry_id in self._maps[namespace]:
                self._drop(namespace, entry_id)

    def freeze(self, version: int | None = None) -> Snapshot:
        """The draft as a snapshot, if it is valid. Later changes to the draft do not reach it.

        Args:
            version: Version of the snapshot; that of the base if left out.

        Raises:
            RegistryValidationError: References lead nowhere; all faults are listed.
        """
        diagnostics = diagnose_change(self, self._changed)
        if diagnostics:
            raise RegistryValidationError(diagnostics)
        return Snapshot(
            version=self.version if version is None else version,
            providers=self.providers,
            models=self.models,
            model_pools=self.model_pools,
            agents=self.agents,
            tools=self.tools,
            plugins=self.plugins,
            backends=self.backends,
            executors=self._executors,
            reverse_index=self._reverse_index,
        )

    def _register(self, spec: Spec) -> None:
        self._refuse_taken(spec.namespace, spec.id)
        self._put(spec)

    def _replace(self, spec: Spec) -> None:
        self._require(spec.namespace, spec.id)
        self._put(spec)

    def _unregister(self, namespace: Namespace, entry_id: str) -> None:
        self._require(namespace, entry_id)
        self._drop(namespace, entry_id)

    def _require(self, namespace: Namespace, entry_id: str) -> Spec:
        entries = self._maps[namespace]
        spec = entries.get(entry_id)
        if spec is None:
            raise NotFoundError(namespace, entry_id, self.version, near_matches(entry_id, entries))
        return spec

    def _refuse_taken(self, namespace: Namespace, entry_id: str) -> None:
        if entry_id in self._maps[namespace]:
            raise AlreadyRegisteredError(namespace, entry_id)

    def _hold_executor(self, provider_id: str, executor: object) -> None:
        once = Once.holding(executor, f"executor of provider {provider_id!r}")
        self._executors = self._executors.with_entry(provider_id, once)

    def _put(self, spec: Spec) -> None:
        entries = self._maps[spec.namespace]
        key = (spec.namespace, spec.id)
        self._unlink(key, entries.get(spec.id))
        self._maps[spec.namespace] = entries.with_entry(spec.id, spec)
        for _, target in references(spec):
            referrers = self._reverse_index.get(target, _NOBODY)
            self._reverse_index = self._reverse_index.set(target, referrers.set(key, None))
        self._changed[key] = None

    def _drop(self, namespace: Namespace, entry_id: str) -> None:
        entries = self._maps[namespace]
        self._unlink((namespace, entry_id), entries[entry_id])
        self._maps[namespace] = entries.without(entry_id)
        if namespace == "providers":
            self._executors = self._executors.without(entry_id)
        self._changed[namespace, entry_id] = None

    def _unlink(self, key: Key, spec: Spec | None) -> None:
        for target in {target: None for _, target in references(spec)} if spec is not None else ():
            referrers = self._reverse_index[target].delete(key)
            self._reverse_index = (
                self._reverse_index.set(target, referrers) if referrers else self._reverse_index.delete(target)
            )


_NOBODY: immutables.Map[Key, None] = immutables.Map()


def _checked(spec: S, wanted: type[S]) -> S:
    if not isinstance(spec, wanted):
        raise WrongTypeError("spec", f"a {wanted.__name__}", spec)
    return spec


def _refuse_executor(spec: ProviderSpec) -> object:
    raise ExecutorUnavailableError(spec.id, spec.kind)
