from __future__ import annotations

from dataclasses import asdict

import pytest

from harness.registry import (
    AgentSpec,
    Draft,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    Registry,
    RegistryValidationError,
    check_agent,
    diagnose,
)

pytestmark = pytest.mark.portable


def codes(state):
    return [(found.code, found.resource.id, found.depends_on.id) for found in diagnose(state)]


def test_an_unknown_model_and_an_unknown_provider_are_reported(draft):
    # awaken R27, R28, C20
    draft.register_model(ModelSpec("n", "nowhere"))
    draft.register_agent(AgentSpec("b", "nothing"))

    assert codes(draft) == [("agent_missing_model", "b", "nothing"), ("model_missing_provider", "n", "nowhere")]


def test_a_provider_missed_by_model_and_agent_is_reported_once(draft):
    # awaken R28, C21
    draft.clear("providers")

    assert codes(draft) == [("model_missing_provider", "m", "p")]


def test_remote_agents_need_no_model_but_their_plugins(draft):
    # awaken R28, R29
    draft.register_agent(AgentSpec("b", "nothing", plugin_ids=("audit",), endpoint="https://elsewhere.example"))

    assert codes(draft) == [("agent_missing_plugin", "b", "audit")]


def test_a_hook_filter_entry_that_is_not_loaded_is_reported(draft):
    # awaken R30, C22
    draft.register_plugin(PluginSpec("audit"))
    draft.register_agent(AgentSpec("b", "m", active_hook_filter=("audit",)))

    assert codes(draft) == [("agent_hook_filter_plugin_not_loaded", "b", "audit")]


def test_an_unknown_delegate_is_an_error_and_circles_are_warnings(draft):
    # awaken R31, B10
    draft.register_agent(AgentSpec("b", "m", delegates=("b", "c")))
    draft.register_agent(AgentSpec("c", "m", delegates=("b", "nobody")))

    assert [(found.severity, found.message) for found in diagnose(draft)] == [
        ("warning", "agents/b delegates to itself"),
        ("warning", "agents/b delegates in a circle: b → c → b"),
        ("error", "agents/c names agents/nobody, which is not registered"),
    ]


def test_a_circle_is_published_and_can_be_asked_for(draft):
    # awaken R31, B10
    draft.register_agent(AgentSpec("b", "m", delegates=("c",)))
    draft.register_agent(AgentSpec("c", "m", delegates=("d",)))
    draft.register_agent(AgentSpec("d", "m", delegates=("b", "c")))
    registry = Registry(draft.freeze())

    (found,) = registry.snapshot().diagnose()

    assert (found.code, found.message) == (
        "agent_delegation_cycle",
        "agents/b delegates in a circle: b → c → d → b",
    )


def test_two_circles_are_two_warnings_and_a_change_is_asked_for_its_own(draft):
    for one, other in ("bc", "de"):
        draft.register_agent(AgentSpec(one, "m", delegates=(other,)))
        draft.register_agent(AgentSpec(other, "m", delegates=(one,)))
    later = Draft(draft.freeze())
    later.replace_agent(AgentSpec("e", "m", "Be brief.", delegates=("d",)))

    assert [found.resource.id for found in diagnose(later)] == ["b", "d"]
    assert [found.resource.id for found in later.diagnose()] == ["d"]


def test_a_chain_of_delegates_longer_than_the_stack_is_no_trouble():
    draft = Draft()
    draft.register_provider("p", object())
    draft.register_model(ModelSpec("m", "p"))
    for number in range(3_000):
        draft.register_agent(AgentSpec(f"a{number:04}", "m", delegates=(f"a{(number + 1) % 3_000:04}",)))

    (found,) = diagnose(draft.freeze())

    assert found.code == "agent_delegation_cycle"


def test_an_agent_may_name_a_pool_whose_members_must_exist(draft):
    # awaken R32, C24
    draft.register_model_pool(ModelPoolSpec("pool", ("m", "gone")))
    draft.register_agent(AgentSpec("b", "pool"))

    assert codes(draft) == [("model_pool_missing_model", "pool", "gone")]


def test_a_pool_with_the_id_of_a_model_is_reported_once(draft):
    draft.register_model_pool(ModelPoolSpec("m", ()))

    assert codes(draft) == [("model_pool_hides_model", "m", "m")]


def test_unused_providers_and_unknown_tools_are_valid(draft):
    # awaken R33
    draft.register_provider("unused", object())
    draft.register_agent(AgentSpec("b", "m", tool_ids=("comes with the run",)))

    assert not diagnose(draft)


def test_a_candidate_agent_is_checked_without_being_added(registry):
    # awaken R33
    snapshot = registry.snapshot()

    found = check_agent(snapshot, AgentSpec("b", "m", delegates=("b", "nobody")))

    assert [fault.code for fault in found] == ["agent_missing_delegate"]
    assert "b" not in snapshot.agents


def test_the_serial_form_has_code_resource_and_dependency(draft):
    # awaken C23
    draft.register_model(ModelSpec("n", "nowhere"))

    assert [asdict(found) for found in diagnose(draft)] == [
        {
            "code": "model_missing_provider",
            "resource": {"namespace": "models", "id": "n"},
            "depends_on": {"namespace": "providers", "id": "nowhere"},
            "message": "models/n names providers/nowhere, which is not registered",
            "severity": "error",
        }
    ]


def test_all_faults_are_in_one_error(draft):
    # awaken section 3, Validation
    draft.register_model(ModelSpec("n", "nowhere"))
    draft.register_agent(AgentSpec("b", "nothing"))

    with pytest.raises(RegistryValidationError) as caught:
        draft.freeze()

    assert str(caught.value) == (
        "registry validation failed: agents/b names models/nothing, which is not registered; "
        "models/n names providers/nowhere, which is not registered"
    )


def test_a_long_list_of_faults_is_cut_in_the_text_only():
    draft = Draft()
    for number in range(12):
        draft.register_model(ModelSpec(f"m{number}", "nowhere"))

    with pytest.raises(RegistryValidationError, match=r"; and 2 more$") as caught:
        draft.freeze()

    assert len(caught.value.diagnostics) == 12
