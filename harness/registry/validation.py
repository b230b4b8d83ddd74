"""Validation: every reference of a state must lead somewhere.

All faults are collected, each with a stable code, in sorted order of the entries at fault. A state differs from a
valid one by a few entries, so only those are looked at, and those that name them: the cost is that of the change, not
of the registry.

*Errors* (a reference leads nowhere) keep a state from being published. *Warnings* (an agent delegates to itself, or
agents delegate in a circle) do not: delegation is decided anew at each hand-over.

Not checked, deliberately: tools (they may come with a run), the model of a remote agent, unused providers.

Source: the codes are those of Awaken's registry; ``model_pool_hides_model`` and the warnings are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, final

from harness.registry.circles import find_circle, strong_components
from harness.registry.entries import Entries, entries_of, users_of
from harness.registry.keys import NAMESPACES, Key
from harness.registry.specs import AgentSpec, ModelPoolSpec, ModelSpec

__all__ = ["Diagnostic", "Resource", "check_agent", "diagnose", "diagnose_change", "find_errors"]


@final
@dataclass(frozen=True, slots=True, order=True)
class Resource:
    """One entry of a registry, as diagnostics name it. Immutable."""

    namespace: str
    id: str


@final
@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One fault of a state. Immutable; ``dataclasses.asdict`` gives its serial form.

    Attributes:
        code: Stable name of the kind of fault.
        resource: The entry at fault.
        depends_on: What it names and is not there, if that is the fault.
        message: The fault in words.
        severity: ``error`` keeps the state from being published, ``warning`` does not.
    """

    code: str
    resource: Resource
    depends_on: Resource | None
    message: str
    severity: Literal["error", "warning"] = "error"


def diagnose(state: Entries) -> tuple[Diagnostic, ...]:
    """All that is wrong or odd about a state. Looks at every entry."""
    keys = ((namespace, entry_id) for namespace in NAMESPACES for entry_id in entries_of(state, namespace))
    return _in_order([*_errors_of(state, keys), *circle_warnings(state, state.agents)])


def diagnose_change(state: Entries, changed: Iterable[Key]) -> tuple[Diagnostic, ...]:
    """All that is wrong or odd about a state because of the changed keys, if it was valid without the change."""
    agents = [key[1] for key in changed if key[0] == "agents"]
    return _in_order([*find_errors(state, changed), *circle_warnings(state, agents)])


def find_errors(state: Entries, changed: Iterable[Key]) -> tuple[Diagnostic, ...]:
    """All errors of a state that differs from a valid one in the changed keys only.

    Looks at these entries and, of those that are gone, at those that name them.
    """
    suspects: set[Key] = set()
    for key in changed:
        suspects.add(key)
        if key[1] not in entries_of(state, key[0]):
            suspects.update(users_of(state, key))
    return _errors_of(state, sorted(suspects))


def check_agent(state: Entries, agent: AgentSpec) -> tuple[Diagnostic, ...]:
    """The faults an agent would have in this state, without adding it."""
    return tuple(dict.fromkeys(_agent_faults(state, agent)))


def _in_order(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    return tuple(sorted(found, key=lambda fault: (fault.resource, fault.code, fault.depends_on or fault.resource)))


def _errors_of(state: Entries, keys: Iterable[Key]) -> tuple[Diagnostic, ...]:
    found: dict[Diagnostic, None] = {}  # equal faults once, the first stays
    for namespace, entry_id in keys:
        spec = entries_of(state, namespace).get(entry_id)
        if isinstance(spec, ModelSpec):
            found.update(dict.fromkeys(_model_faults(state, spec)))
        elif isinstance(spec, ModelPoolSpec):
            found.update(dict.fromkeys(_pool_faults(state, spec)))
        elif isinstance(spec, AgentSpec):
            found.update(dict.fromkeys(_agent_faults(state, spec)))
    return tuple(found)


def _model_faults(state: Entries, model: ModelSpec) -> Iterator[Diagnostic]:
    if model.provider_id not in state.providers:
        yield _missing("model_missing_provider", ("models", model.id), ("providers", model.provider_id))
    if model.id in state.model_pools:
        yield _pool_hides_model(model.id)


def _pool_faults(state: Entries, pool: ModelPoolSpec) -> Iterator[Diagnostic]:
    for model_id in pool.model_ids:
        if model_id not in state.models:
            yield _missing("model_pool_missing_model", ("model_pools", pool.id), ("models", model_id))
    if pool.id in state.models:
        yield _pool_hides_model(pool.id)


def _agent_faults(state: Entries, agent: AgentSpec) -> Iterator[Diagnostic]:
    key = ("agents", agent.id)
    if not agent.is_remote and agent.model_id is not None and agent.model_id not in state.model_pools:
        model = state.models.get(agent.model_id)
        if model is None:
            yield _missing("agent_missing_model", key, ("models", agent.model_id))
        else:
            yield from _model_faults(state, model)
    for plugin_id in agent.plugin_ids:
        if plugin_id not in state.plugins:
            yield _missing("agent_missing_plugin", key, ("plugins", plugin_id))
    for plugin_id in agent.active_hook_filter:
        if plugin_id not in agent.plugin_ids:
            yield _hook_filter_not_loaded(agent, plugin_id)
    for agent_id in agent.delegates:
        if agent_id not in state.agents and agent_id != agent.id:
            yield _missing("agent_missing_delegate", key, ("agents", agent_id))


def circle_warnings(state: Entries, agent_ids: Iterable[str]) -> Iterator[Diagnostic]:
    """One warning per agent that delegates to itself and per circle, of those that one of these agents is in."""

    def delegates(agent_id: str) -> tuple[str, ...]:
        agent = state.agents.get(agent_id)
        return () if agent is None else agent.delegates

    asked = frozenset(agent_ids)
    for members in strong_components(sorted(asked), delegates):
        if asked.isdisjoint(members):
            continue
        for agent_id in asked.intersection(members):
            if agent_id in delegates(agent_id):
                named = Resource("agents", agent_id)
                message = f"agents/{agent_id} delegates to itself"
                yield Diagnostic("agent_delegates_to_itself", named, named, message, "warning")
        if len(members) > 1:
            circle = find_circle(min(members), delegates)
            message = f"agents/{circle[0]} delegates in a circle: {' → '.join(circle)}"
            resources = Resource("agents", circle[0]), Resource("agents", circle[1])
            yield Diagnostic("agent_delegation_cycle", *resources, message, "warning")


def _missing(code: str, resource: Key, depends_on: Key) -> Diagnostic:
    message = f"{_named(resource)} names {_named(depends_on)}, which is not registered"
    return Diagnostic(code, Resource(*resource), Resource(*depends_on), message)


def _named(key: Key) -> str:
    return f"{key[0]}/{key[1]}"


def _pool_hides_model(entry_id: str) -> Diagnostic:
    pool, model = Resource("model_pools", entry_id), Resource("models", entry_id)
    message = f"model_pools/{entry_id} has the id of a model, so agents naming it would be ambiguous"
    return Diagnostic("model_pool_hides_model", pool, model, message)


def _hook_filter_not_loaded(agent: AgentSpec, plugin_id: str) -> Diagnostic:
    message = f"agents/{agent.id} filters hooks of plugins/{plugin_id}, which is not among its plugin_ids"
    code = "agent_hook_filter_plugin_not_loaded"
    return Diagnostic(code, Resource("agents", agent.id), Resource("plugins", plugin_id), message)
