from __future__ import annotations

import pytest

from harness.registry import (
    AffectedEntry,
    AgentSpec,
    BackendSpec,
    ConfirmationRequiredError,
    DependencyGraph,
    Draft,
    EntryInUseError,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    PluginSpec,
    ProviderInUseError,
    Registry,
    RemovalPolicy,
    RemovalPreview,
    StalePreviewError,
    ToolSpec,
    VersionConflictError,
    preview_removal,
    report_removal,
)

BLOCK, CASCADE, ALL = RemovalPolicy

pytestmark = pytest.mark.portable


def test_preview_lists_models_and_agents_and_forbids_both(registry):
    # awaken R17, C1, C28
    preview = registry.preview_remove_provider("p")

    assert preview == RemovalPreview(
        version=1,
        key=("providers", "p"),
        dependents=(
            AffectedEntry(("agents", "a"), True, (("agents", "a"), ("models", "m"), ("providers", "p"))),
            AffectedEntry(("models", "m"), True, (("models", "m"), ("providers", "p"))),
        ),
    )
    assert (preview.model_ids, preview.model_pool_ids, preview.agent_ids) == (("m",), (), ("a",))
    assert not preview.block_if_referenced_allowed
    assert not preview.cascade_unused_allowed


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


def test_cascade_takes_a_pool_along_that_no_agent_uses(draft):
    draft.unregister_agent("a")
    draft.register_model(ModelSpec("n", "q"))
    draft.register_provider("q", object())
    draft.register_model_pool(ModelPoolSpec("pool", ("m", "n")))
    registry = Registry(draft.freeze())

    impact = registry.remove_provider("p", CASCADE)

    assert impact.removed == (("model_pools", "pool"), ("models", "m"), ("providers", "p"))
    assert list(registry.snapshot().models) == ["n"]


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
        for policy in (BLOCK, CASCADE):
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

    block, cascade, everything = report_removal(draft, "p").outcomes

    assert (everything.policy, everything.is_allowed) == (ALL, True)

    assert (block.policy, block.is_allowed, block.blocked_by, block.removed) == (BLOCK, False, (("models", "m"),), ())
    assert cascade.removed == (("models", "m"), ("providers", "p"))
    assert cascade.is_allowed
    assert cascade.blocked_by == ()


def test_report_names_the_users_that_block_cascade(draft):
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))

    _, cascade, _ = report_removal(draft, "p").outcomes

    assert cascade.blocked_by == (("agents", "a"),)


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


@pytest.fixture
def company():
    """One entry of each namespace, all in use, and a remote agent."""
    draft = Draft()
    draft.register_provider("p", object())
    draft.register_model(ModelSpec("m", "p"))
    draft.register_model_pool(ModelPoolSpec("alias", ("m",)))
    draft.register_plugin(PluginSpec("audit"))
    draft.register_tool(ToolSpec("ticket"))
    draft.register_backend(BackendSpec("night"))
    draft.register_agent(AgentSpec("a", "alias", plugin_ids=("audit",), tool_ids=("ticket",)))
    draft.register_agent(AgentSpec("chief", "m2", delegates=("a",)))
    draft.register_model(ModelSpec("m2", "p2"))
    draft.register_provider("p2", object())
    draft.register_agent(AgentSpec("far", "m", endpoint="https://elsewhere.example", plugin_ids=("audit",)))
    return Registry(draft.freeze())


@pytest.mark.parametrize(
    ("namespace", "entry_id", "needed_by"),
    [
        ("providers", "p", ["agents/a", "agents/chief", "model_pools/alias", "models/m"]),
        ("models", "m", ["agents/a", "agents/chief", "model_pools/alias"]),
        ("model_pools", "alias", ["agents/a", "agents/chief"]),
        ("agents", "a", ["agents/chief"]),
        ("agents", "chief", []),
        ("plugins", "audit", ["agents/a", "agents/chief", "agents/far"]),
        ("tools", "ticket", ["agents/a", "agents/chief"]),
        ("backends", "night", []),
    ],
)
def test_one_rule_answers_for_every_namespace(company, namespace, entry_id, needed_by):
    # awaken R17, R23
    preview = company.preview_remove(namespace, entry_id)

    assert ["/".join(found.key) for found in preview.dependents] == needed_by
    assert getattr(company, f"preview_remove_{namespace.removesuffix('s')}")(entry_id) == preview
    for policy in (BLOCK, CASCADE):
        copy = Registry(company.snapshot())
        if preview.allows(policy):
            assert copy.remove((namespace, entry_id), policy).removed[-1] == (namespace, entry_id)
        else:
            with pytest.raises(EntryInUseError, match=f"{entry_id!r} cannot be removed under {policy.value}"):
                copy.remove((namespace, entry_id), policy)


@pytest.mark.parametrize("namespace", ["providers", "models", "model_pools", "agents", "tools", "plugins", "backends"])
def test_cascade_all_takes_what_the_preview_says_and_leaves_a_valid_state(company, namespace):
    for entry_id in getattr(company.snapshot(), namespace):
        copy = Registry(company.snapshot())
        preview = copy.preview_remove(namespace, entry_id)

        impact = copy.remove((namespace, entry_id), ALL, expected_version=preview.version)

        assert impact.version == 2
        assert impact.removed == (*(found.key for found in preview.dependents), preview.key)
        assert impact.paths == tuple(found.path for found in preview.dependents)
        assert set(company.snapshot().diff(copy.snapshot()).removed) == set(impact.removed)
        assert not [found for found in copy.snapshot().diagnose() if found.severity == "error"]


def test_an_agent_reached_only_by_delegation_is_told_apart(company):
    preview = company.preview_remove_provider("p")

    assert (preview.agent_ids, preview.delegating_agent_ids) == (("a",), ("chief",))
    assert preview.dependents[1].describe_path() == ("agent chief → agent a → model pool alias → model m → provider p")


def test_cascade_all_wants_a_confirmation(company):
    with pytest.raises(ConfirmationRequiredError, match=r"wants a confirmation, has none; .* pass expected_version=1"):
        company.remove_provider("p", ALL)
    with pytest.raises(VersionConflictError):
        company.remove_provider("p", ALL, expected_version=7)

    assert company.version == 1


def test_a_preview_confirms_as_long_as_it_would_do_the_same(company):
    # awaken R23, C10
    preview = company.preview_remove_model("m")
    company.register_provider("unrelated", object())

    assert company.remove(preview, ALL).affected_agent_ids == ("a", "chief")


def test_a_preview_is_refused_once_others_need_the_entry(company):
    # awaken R23, C10, P2
    preview = company.preview_remove_model("m")
    company.register_agent(AgentSpec("late", "m"))

    with pytest.raises(StalePreviewError, match="was previewed at version 1, at version 2 others need it"):
        company.remove(preview, ALL)

    assert "m" in company.snapshot().models


def test_an_agent_that_delegates_to_itself_can_go(draft):
    draft.replace_agent(AgentSpec("a", "m", delegates=("a",)))

    assert draft.remove_agent("a", BLOCK).dependents == ()


def test_an_unknown_namespace_is_refused(company):
    with pytest.raises(TypeError, match="namespace wants one of agents, model_pools"):
        company.preview_remove("provider", "p")
