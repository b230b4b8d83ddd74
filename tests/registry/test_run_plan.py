from __future__ import annotations

import gc

import pytest

from harness.registry import (
    AgentSpec,
    Derived,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    ProvenanceError,
    Registry,
    RemovalPolicy,
    resolve_run,
)

pytestmark = pytest.mark.portable


def test_a_plan_keeps_what_it_captured_and_the_next_one_sees_the_new(registry):
    # awaken R34, C25
    first = resolve_run(registry, "a")
    registry.replace_model(ModelSpec("m", "p", "newer"))
    second = resolve_run(registry, "a")

    assert (first.snapshot.version, first.models) == (1, (ModelSpec("m", "p"),))
    assert (second.snapshot.version, second.models) == (2, (ModelSpec("m", "p", "newer"),))


def test_a_run_within_a_run_resolves_from_what_is_current(registry):
    # awaken R34, C26
    root = resolve_run(registry, "a")
    registry.register_agent(AgentSpec("b", "m"))

    assert resolve_run(registry, "b", root=root).snapshot.version == 2


def test_a_root_of_unknown_provenance_is_refused(registry):
    # awaken R34, C27
    stranger = resolve_run(Registry(registry.snapshot()), "a")

    with pytest.raises(
        ProvenanceError, match="the plan of agent 'a' at version 1 was not resolved from a version this"
    ):
        resolve_run(registry, "a", root=stranger)


def test_a_pool_gives_its_models_in_order_and_a_remote_agent_none(registry):
    registry.register_model(ModelSpec("n", "p"))
    registry.register_model_pool(ModelPoolSpec("pool", ("n", "m")))
    registry.register_agent(AgentSpec("b", "pool"))
    registry.register_agent(AgentSpec("far", "gone", endpoint="https://elsewhere.example"))

    assert [model.id for model in resolve_run(registry, "b").models] == ["n", "m"]
    assert resolve_run(registry, "far").models == ()
    with pytest.raises(NotFoundError, match="no agent 'aa' in version 5; near: 'a'"):
        resolve_run(registry, "aa")


def test_a_snapshot_names_the_prompt_of_an_agent_by_its_content(registry):
    # awaken C18
    registry.register_agent(AgentSpec("b", "m", "Be brief."))
    registry.register_agent(AgentSpec("c", "m", "Be brief."))
    snapshot = registry.snapshot()

    assert snapshot.prompt_id("b") == snapshot.prompt_id("c")
    assert len(snapshot.prompt_id("b")) == 12
    assert snapshot.prompt_id("a") != snapshot.prompt_id("b")
    assert snapshot.prompt_id("nobody") is None


def test_a_derived_value_is_computed_once_per_version(registry):
    # awaken R35, C49, P8
    computed = []
    names = Derived(registry, lambda snapshot: computed.append(snapshot.version) or list(snapshot.agents))

    assert names.get() == names.get() == ["a"]
    registry.remove_agent("a", RemovalPolicy.BLOCK_IF_REFERENCED)
    assert names.get() == []
    assert computed == [1, 2]


def test_a_derived_value_is_gone_with_its_registry():
    # awaken R35, C49
    registry = Registry()
    names = Derived(registry, lambda snapshot: list(snapshot.agents))
    assert names.get() == []
    del registry
    gc.collect()

    assert names.get() is None
