"""Draft: a proposed next state.

Starts as a copy of a snapshot, every namespace included, in constant time. Each verb changes one entry and the
reverse index in the same step. Nothing is checked for dangling references until ``freeze``, so a draft may pass
through states that would be refused, such as an agent that comes before its model.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import partial
from typing import Final, TypeAlias, TypeVar, cast, final

import immutables

from harness.registry.diff import SnapshotDiff
from harness.registry.draft_verbs import DraftVerbs
from harness.registry.entries import entries_of, maps_of
from harness.registry.errors import (
    AlreadyRegisteredError,
    ConfirmationRequiredError,
    ExecutorConflictError,
    ExecutorUnavailableError,
    InvalidSpecError,
    NotFoundError,
    RegistryValidationError,
    VersionConflictError,
    WrongTypeError,
)
from harness.registry.executor_cell import ExecutorCell
from harness.registry.fingerprint import entry_fingerprint
from harness.registry.ids import ProviderId, check_id
from harness.registry.keys import Key, Namespace
from harness.registry.near import near_matches
from harness.registry.references import references, rename_in
from harness.registry.removal import RemovalPolicy, RemovalPreview, in_use, plan_removal, preview_removal
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
from harness.registry.validation import Diagnostic, diagnose_change, find_errors

__all__ = ["ANY_EXECUTOR", "Draft", "ExecutorFactory"]

K = TypeVar("K", bound=Hashable)

Index: TypeAlias = immutables.Map[Key, immutables.Map[K, None]]
ExecutorFactory = Callable[[ProviderSpec], object]

ANY_EXECUTOR: Final = object()  # stands for "whichever executor is registered"


@final
class Draft(DraftVerbs):
    """A proposed next state. Concurrency: *confined* to one owner at a time.

    Verbs refuse at once what is wrong in itself (a taken or unknown id); references are checked as a whole by
    ``freeze``.

    Args:
        base: Where to start. The draft copies it, references and executors included.
    """

    __slots__ = ("_base", "_changed", "_executors", "_maps", "_reverse_index", "_total", "_upstream_index", "version")

    def __init__(self, base: Snapshot = EMPTY_SNAPSHOT) -> None:
        self.version: Final = base.version  # of the base
        self._base: Final = base
        self._maps = maps_of(base)
        self._executors = base.executors
        self._reverse_index = base.reverse_index
        self._upstream_index = base.upstream_index
        self._total = base.total
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
        self._describe_executor(spec, make)

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

    def remove(
        self, namespace: str, entry_id: str, policy: RemovalPolicy, *, expected_version: int | None = None
    ) -> RemovalPreview:
        """Remove an entry, and what the policy takes along.

        Args:
            namespace: Where the entry is registered.
            entry_id: Its id.
            policy: What may be taken along.
            expected_version: Version of the preview that was looked at. ``CASCADE_ALL`` wants it as confirmation.

        Returns:
            What the rule said, so what went and why.

        Raises:
            NotFoundError: No such entry.
            EntryInUseError: The policy forbids it.
            ConfirmationRequiredError: ``CASCADE_ALL`` without a version.
            VersionConflictError: The draft is based on another version.
            WrongTypeError: ``policy`` is no policy.
        """
        if not isinstance(policy, RemovalPolicy):
            raise WrongTypeError("policy", "a RemovalPolicy", policy)
        if expected_version is not None and expected_version != self.version:
            raise VersionConflictError(expected_version, self.version)
        preview = preview_removal(self, entry_id, namespace)
        if policy is RemovalPolicy.CASCADE_ALL and expected_version is None:
            raise ConfirmationRequiredError(namespace, entry_id, self.version)
        if not preview.allows(policy):
            raise in_use(preview, policy)
        for key in plan_removal(preview, policy).removed:
            self._drop(*key)
        return preview

    def preview_remove(self, namespace: str, entry_id: str) -> RemovalPreview:
        """Who needs an entry in this draft, and which policy would let it go; the version is that of the base.

        Raises:
            NotFoundError: No such entry.
        """
        return preview_removal(self, entry_id, namespace)

    def is_based_on(self, snapshot: Snapshot) -> bool:
        """Whether the draft was taken from this very snapshot."""
        return self._base is snapshot

    def touched_providers(self) -> list[str]:
        """Ids of providers that came, went or changed, in no promised order."""
        return [entry_id for namespace, entry_id in self._changed if namespace == "providers"]

    def diff(self) -> SnapshotDiff:
        """What has changed since the base. Cost grows with the change only."""
        added, removed, changed, executors = [], [], [], []
        for key in sorted(self._changed):
            namespace, entry_id = key
            before = entries_of(self._base, namespace).get(entry_id)
            after = self._maps[namespace].get(entry_id)
            if before is None and after is not None:
                added.append(key)
            elif before is not None and after is None:
                removed.append(key)
            elif before != after:
                changed.append(key)
            is_kept = before is not None and after is not None
            if namespace == "providers" and is_kept and self._base.executors[entry_id] is not self._executors[entry_id]:
                executors.append(ProviderId(entry_id))
        return SnapshotDiff(tuple(added), tuple(removed), tuple(changed), tuple(executors))

    def diagnose(self) -> tuple[Diagnostic, ...]:
        """What is wrong (errors, which ``freeze`` refuses) or odd (warnings) because of the changes so far."""
        return diagnose_change(self, self._changed)

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
        errors = find_errors(self, self._changed)
        if errors:
            raise RegistryValidationError(errors)
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
            upstream_index=self._upstream_index,
            total=self._total,
        )

    def _register(self, spec: Spec) -> None:
        self._refuse_taken(spec.namespace, spec.id)
        self._put(spec)

    def _replace(self, spec: Spec) -> None:
        self._require(spec.namespace, spec.id)
        self._put(spec)

    def _unregister(self, namespace: str, entry_id: str) -> None:
        self._require(namespace, entry_id)
        self._drop(namespace, entry_id)

    def _require(self, namespace: str, entry_id: str) -> Spec:
        entries = self._maps[namespace]
        spec = entries.get(entry_id)
        if spec is None:
            raise NotFoundError(namespace, entry_id, self.version, near_matches(entry_id, entries))
        return spec

    def _refuse_taken(self, namespace: str, entry_id: str) -> None:
        if entry_id in self._maps[namespace]:
            raise AlreadyRegisteredError(namespace, entry_id)

    def _describe_executor(self, spec: ProviderSpec, make: ExecutorFactory | None) -> None:
        cell = ExecutorCell(spec.id, partial(make or _refuse_executor, spec))
        self._executors = self._executors.with_entry(spec.id, cell)

    def _hold_executor(self, provider_id: str, executor: object) -> None:
        self._executors = self._executors.with_entry(provider_id, ExecutorCell.holding(provider_id, executor))

    def _put(self, spec: Spec) -> None:
        entries = self._maps[spec.namespace]
        key = (spec.namespace, spec.id)
        self._unlink(key, entries.get(spec.id))
        self._maps[spec.namespace] = entries.with_entry(spec.id, spec)
        for _, target in references(spec):
            self._reverse_index = _with(self._reverse_index, target, key)
        if isinstance(spec, ModelSpec):
            self._upstream_index = _with(self._upstream_index, _upstream(spec), spec.id)
        self._total += entry_fingerprint(spec)
        self._changed[key] = None

    def _drop(self, namespace: str, entry_id: str) -> None:
        entries = self._maps[namespace]
        self._unlink((namespace, entry_id), entries[entry_id])
        self._maps[namespace] = entries.without(entry_id)
        if namespace == "providers":
            self._executors = self._executors.without(entry_id)
        self._changed[namespace, entry_id] = None

    def _unlink(self, key: Key, spec: Spec | None) -> None:
        if spec is None:
            return
        for target in {target: None for _, target in references(spec)}:
            self._reverse_index = _without(self._reverse_index, target, key)
        if isinstance(spec, ModelSpec):
            self._upstream_index = _without(self._upstream_index, _upstream(spec), spec.id)
        self._total -= entry_fingerprint(spec)


def restore(version: int, specs: Sequence[Spec]) -> Snapshot:
    """A snapshot of these entries; providers are described only. For unpickling.

    Raises:
        RegistryValidationError: References lead nowhere.
    """
    draft = Draft()
    for spec in specs:
        draft._register(spec)
        if isinstance(spec, ProviderSpec):
            draft._describe_executor(spec, None)
    return draft.freeze(version)


def _upstream(model: ModelSpec) -> Key:
    return (model.provider_id, model.upstream_model or model.id)


def _with(index: Index[K], key: Key, member: K) -> Index[K]:
    members = index.get(key)
    return index.set(key, immutables.Map({member: None}) if members is None else members.set(member, None))


def _without(index: Index[K], key: Key, member: K) -> Index[K]:
    members = index[key].delete(member)
    return index.set(key, members) if members else index.delete(key)


def _refuse_executor(spec: ProviderSpec) -> object:
    raise ExecutorUnavailableError(spec.id, spec.kind)
