from __future__ import annotations

import pytest

from harness.registry import (
    AgentSpec,
    DependencyGraph,
    Draft,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    ProviderInUseError,
    ProviderRemovalPolicy,
    Registry,
    RemovalPreview,
    preview_removal,
    report_removal,
)

BLOCK, CASCADE = ProviderRemovalPolicy

pytestmark = pytest.mark.portable


def test_preview_lists_models_and_agents_and_forbids_both(registry):
    # awaken R17, C1, C28
    assert registry.preview_remove_provider("p") == RemovalPreview(
        version=1,
        provider_id="p",
        model_ids=("m",),
        model_pool_ids=(),
        agent_ids=("a",),
        block_if_referenced_allowed=False,
        cascade_unused_models_allowed=False,
    )


def test_preview_leaves_remote_agents_and_other_providers_out(draft):
    # awaken C29, C30
    draft.register_provider("other", object())
    for model_id, provider_id in (("m3", "p"), ("m2", "p"), ("far", "other")):
        draft.register_model(ModelSpec(model_id, provider_id))
    draft.register_agent(AgentSpec("c", "m3"))
    draft.register_agent(AgentSpec("b", "m2"))
    draft.register_agent(AgentSpec("elsewhere", "m", endpoint="https://elsewhere.example"))
    draft.register_agent(AgentSpec("d", "far"))

    preview = preview_removal(draft, "p")

    assert preview.model_ids == ("m", "m2", "m3")
    assert preview.agent_ids == ("a", "b", "c")


def test_preview_follows_model_pools(draft):
    # awaken R23, C13, B2
    draft.replace_agent(AgentSpec("a", "pool"))
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))
    registry = Registry(draft.freeze())

    preview = registry.preview_remove_provider("p")

    assert (preview.model_pool_ids, preview.agent_ids) == (("pool",), ("a",))
    with pytest.raises(ProviderInUseError, match=r'models \["m"\], model pools \["pool"\], agents \["a"\]'):
        registry.remove_provider("p", CASCADE)


def test_a_pool_that_no_agent_uses_still_blocks_cascade(draft):
    draft.unregister_agent("a")
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))

    assert not preview_removal(draft, "p").cascade_unused_models_allowed


def test_preview_allows_exactly_what_removal_does():
    # awaken R23: one rule. All 16 states of one provider with or without model, pool, local and remote agent.
    for choice in range(16):
        draft = Draft()
        draft.register_provider("p", object())
        if choice & 1:
            draft.register_model(ModelSpec("m", "p"))
            if choice & 2:
                draft.register_agent(AgentSpec("a", "m"))
            if choice & 4:
                draft.register_model_pool(ModelPoolSpec("pool", ("m",)))
        if choice & 8:
            draft.register_agent(AgentSpec("elsewhere", "m", endpoint="https://elsewhere.example"))
        snapshot = draft.freeze()
        for policy in ProviderRemovalPolicy:
            registry = Registry(snapshot)
            if registry.preview_remove_provider("p").allows(policy):
                assert registry.remove_provider("p", policy).version == 2
            else:
                with pytest.raises(ProviderInUseError):
                    registry.remove_provider("p", policy)


def test_message_lists_ten_referrers_and_counts_the_rest(draft):
    for number in range(12):
        draft.register_agent(AgentSpec(f"b{number:02}", "m"))

    with pytest.raises(ProviderInUseError, match=r'agents \["a", .*"b08", and 3 more\]') as caught:
        draft.remove_provider("p", CASCADE)

    assert len(caught.value.agent_ids) == 13


@pytest.fixture
def fleet(fixtures):
    return Registry.from_file(fixtures / "fleet.yaml").snapshot()


def test_report_tells_who_is_affected_and_by_which_path(fleet):
    report = report_removal(fleet, "anthropic-eu")
    affected = {entry.key: entry for entry in report.affected}

    assert affected["agents", "triage"].describe_path() == "agent triage → model fast → provider anthropic-eu"
    assert affected["agents", "incident"].describe_path() == (
        "agent incident → model pool general → model careful → provider anthropic-eu"
    )
    assert affected["agents", "incident"].is_counted


def test_report_lists_remote_agents_as_not_counted(fleet):
    report = report_removal(fleet, "anthropic-eu")

    assert [entry.key[1] for entry in report.affected if not entry.is_counted] == ["partner-support"]


def test_report_affects_exactly_the_dependents_in_the_graph_without_delegation(fleet):
    whole = fleet.graph()
    graph = DependencyGraph(whole.nodes, tuple(edge for edge in whole.edges if edge.relation != "delegate"))
    for provider_id in fleet.providers:
        report = report_removal(fleet, provider_id)

        assert tuple(entry.key for entry in report.affected) == graph.dependents(("providers", provider_id))
        for entry in report.affected:
            assert len(entry.path) == len(graph.path(entry.key, ("providers", provider_id)))


def test_report_tells_what_each_policy_would_do(draft):
    draft.unregister_agent("a")

    block, cascade = report_removal(draft, "p").outcomes

    assert (block.policy, block.is_allowed, block.blocked_by, block.removed) == (BLOCK, False, (("models", "m"),), ())
    assert cascade.removed == (("models", "m"), ("providers", "p"))
    assert cascade.is_allowed
    assert cascade.blocked_by == ()


def test_report_names_the_users_that_block_cascade(draft):
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))

    _, cascade = report_removal(draft, "p").outcomes

    assert cascade.blocked_by == (("agents", "a"), ("model_pools", "pool"))


def test_report_of_an_unknown_provider_is_refused(fleet):
    with pytest.raises(NotFoundError, match="no provider 'anthropic-uk' in version 1; near: 'anthropic-eu'"):
        fleet.report_remove_provider("anthropic-uk")


def test_frame_has_one_row_per_affected_entry(fleet):
    frame = report_removal(fleet, "voyage-vectors").to_frame()

    assert list(frame.columns) == ["namespace", "id", "counted", "distance", "path"]
    assert next(iter(frame.itertuples(index=False, name=None))) == (
        "agents",
        "catalogue-indexer",
        True,
        2,
        "agent catalogue-indexer → model embed-text → provider voyage-vectors",
    )
    assert frame["distance"].dtype == "int64"


def test_frame_of_an_unused_provider_is_empty_and_typed():
    draft = Draft()
    draft.register_provider("p", object())

    frame = report_removal(draft, "p").to_frame()

    assert frame.empty
    assert frame.dtypes[["counted", "distance"]].astype(str).to_list() == ["bool", "int64"]
