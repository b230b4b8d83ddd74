from __future__ import annotations

import random
from contextlib import suppress

import immutables
import pytest

from harness.registry import (
    NAMESPACES,
    AgentSpec,
    AlreadyRegisteredError,
    BackendSpec,
    Draft,
    InvalidIdError,
    InvalidSpecError,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    PluginSpec,
    ProviderSpec,
    RegistryError,
    RegistryValidationError,
    ToolSpec,
    WrongTypeError,
    diagnose,
)
from harness.registry.circles import strong_components
from harness.registry.fingerprint import entry_fingerprint
from harness.registry.references import references
from harness.registry.validation import find_errors

pytestmark = pytest.mark.portable

KINDS = [
    ("model", "models", ModelSpec("x", "p"), ModelSpec("x", "p", mode="chat")),
    ("model_pool", "model_pools", ModelPoolSpec("x", ("m",)), ModelPoolSpec("x", ())),
    ("agent", "agents", AgentSpec("x", "m"), AgentSpec("x", "m", "Be brief.")),
    ("tool", "tools", ToolSpec("x"), ToolSpec("x", "new")),
    ("plugin", "plugins", PluginSpec("x"), PluginSpec("x", "new")),
    ("backend", "backends", BackendSpec("x"), BackendSpec("x", "new")),
]


@pytest.mark.parametrize(("kind", "namespace", "spec", "changed"), KINDS)
def test_every_namespace_registers_replaces_and_unregisters(draft, kind, namespace, spec, changed):
    # awaken C19, R26
    getattr(draft, f"register_{kind}")(spec)
    assert getattr(draft.freeze(), namespace)["x"] == spec

    getattr(draft, f"replace_{kind}")(changed)
    assert getattr(draft.freeze(), namespace)["x"] == changed

    getattr(draft, f"unregister_{kind}")("x")
    assert "x" not in getattr(draft.freeze(), namespace)


@pytest.mark.parametrize(("kind", "namespace", "spec", "changed"), KINDS)
def test_every_namespace_refuses_taken_and_unknown_ids(draft, kind, namespace, spec, changed):
    # awaken C19
    with pytest.raises(NotFoundError):
        getattr(draft, f"replace_{kind}")(changed)
    with pytest.raises(NotFoundError):
        getattr(draft, f"unregister_{kind}")("x")
    getattr(draft, f"register_{kind}")(spec)
    with pytest.raises(AlreadyRegisteredError, match="already registered"):
        getattr(draft, f"register_{kind}")(changed)


def test_a_spec_of_another_namespace_is_refused(draft):
    with pytest.raises(WrongTypeError, match="spec wants a ModelSpec, is a AgentSpec"):
        draft.register_model(AgentSpec("b", "m"))


def test_freeze_keeps_the_version_of_the_base(registry):
    registry.register_provider("q", object())

    assert Draft(registry.snapshot()).freeze().version == 2


def test_unregistering_what_is_named_is_refused_by_freeze(draft):
    # awaken R28
    draft.unregister_model("m")

    with pytest.raises(RegistryValidationError) as caught:
        draft.freeze()

    assert [found.code for found in caught.value.diagnostics] == ["agent_missing_model"]


def test_renaming_a_provider_carries_models_and_executor_along(draft):
    # awaken R26
    draft.rename("providers", "p", "q")
    snapshot = draft.freeze()

    assert snapshot.models["m"].provider_id == "q"
    assert snapshot.executor("q") == "executor of p"
    assert list(snapshot.providers) == ["q"]


def test_renaming_reaches_every_kind_of_reference(draft):
    # awaken R26
    draft.register_plugin(PluginSpec("audit"))
    draft.register_tool(ToolSpec("ticket"))
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))
    draft.register_agent(
        AgentSpec(
            "b", "pool", plugin_ids=("audit",), active_hook_filter=("audit",), delegates=("b",), tool_ids=("ticket",)
        )
    )
    for namespace, old_id in (
        ("plugins", "audit"),
        ("tools", "ticket"),
        ("models", "m"),
        ("model_pools", "pool"),
        ("agents", "b"),
    ):
        draft.rename(namespace, old_id, f"new {old_id}")
    snapshot = draft.freeze()

    assert snapshot.agents["new b"] == AgentSpec(
        "new b",
        "new pool",
        plugin_ids=("new audit",),
        active_hook_filter=("new audit",),
        delegates=("new b",),
        tool_ids=("new ticket",),
    )
    assert snapshot.agents["a"].model_id == snapshot.model_pools["new pool"].model_ids[0] == "new m"


def test_renaming_to_a_taken_or_blank_id_is_refused(draft):
    draft.register_provider("q", object())

    with pytest.raises(AlreadyRegisteredError):
        draft.rename("providers", "p", "q")
    with pytest.raises(InvalidIdError):
        draft.rename("providers", "p", " ")
    with pytest.raises(NotFoundError):
        draft.rename("providers", "r", "s")


def test_a_described_provider_may_not_be_of_kind_object():
    with pytest.raises(InvalidSpecError, match="wants a kind that can be made, is of kind 'object'"):
        Draft().register_provider_spec(ProviderSpec("p", "object"))


def test_random_changes_keep_index_and_validation_in_step():
    # The reverse index must equal one made from scratch, and the check of the change one of everything.
    generator = random.Random(5)
    base = Draft().freeze()
    for _ in range(300):
        draft = Draft(base)
        for _ in range(generator.randint(1, 4)):
            change_at_random(draft, generator)

        assert index_of(draft) == {key: draft.referrers(key) for key in draft._reverse_index}
        errors = [found for found in diagnose(draft) if found.severity == "error"]
        assert set(find_errors(draft, draft._changed)) == set(errors)
        if not errors:
            assert set(draft.diagnose()) == {found for found in diagnose(draft) if is_new(found, draft)}
            assert draft.diff() == base.diff(draft.freeze())
            base = draft.freeze()
            assert base.total % 2**256 == fingerprint_from_scratch(base)
            assert base.upstream_index == upstream_index_of(base)


def is_new(found, draft):
    # A circle is new if an agent that was changed can reach it and be reached from it.
    def delegates(agent_id):
        return draft.agents[agent_id].delegates

    changed = {entry_id for namespace, entry_id in draft._changed if namespace == "agents" and entry_id in draft.agents}
    if found.code == "agent_delegates_to_itself":
        return found.resource.id in changed
    return any(
        found.resource.id in circle for circle in strong_components(draft.agents, delegates) if {*circle} & changed
    )


def fingerprint_from_scratch(snapshot):
    return sum(entry_fingerprint(spec) for name in NAMESPACES for spec in getattr(snapshot, name).values()) % 2**256


def upstream_index_of(snapshot):
    index = {}
    for model in snapshot.models.values():
        index.setdefault((model.provider_id, model.upstream_model or model.id), {})[model.id] = None
    return immutables.Map({key: immutables.Map(members) for key, members in index.items()})


def index_of(draft):
    index = {}
    for namespace in ("agents", "model_pools", "models"):
        for spec in getattr(draft, namespace).values():
            for _, target in references(spec):
                index.setdefault(target, set()).add((namespace, spec.id))
    return {target: tuple(sorted(sources)) for target, sources in index.items()}


def change_at_random(draft, generator):
    def pick(letter):
        return f"{letter}{generator.randrange(3)}"

    changes = [
        lambda: draft.register_provider(pick("p"), object()),
        lambda: draft.register_model(ModelSpec(pick("m"), pick("p"), pick("u"))),
        lambda: draft.replace_model(ModelSpec(pick("m"), pick("p"))),
        lambda: draft.unregister_model(pick("m")),
        lambda: draft.register_model_pool(ModelPoolSpec(pick("m"), (pick("m"),))),
        lambda: draft.unregister_model_pool(pick("m")),
        lambda: draft.register_plugin(PluginSpec(pick("x"))),
        lambda: draft.unregister_plugin(pick("x")),
        lambda: draft.register_agent(AgentSpec(pick("a"), pick("m"), plugin_ids=(pick("x"),), delegates=(pick("a"),))),
        lambda: draft.replace_agent(AgentSpec(pick("a"), pick("m"), endpoint="https://elsewhere.example")),
        lambda: draft.replace_agent(AgentSpec(pick("a"), pick("m"), delegates=(pick("a"), pick("a")))),
        lambda: draft.unregister_agent(pick("a")),
        lambda: draft.rename("models", pick("m"), pick("m")),
        lambda: draft.clear("providers"),
    ]
    with suppress(RegistryError):  # a taken or unknown id changes nothing
        generator.choice(changes)()
