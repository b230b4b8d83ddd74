from __future__ import annotations

import pytest

from harness.registry import (
    NAMESPACES,
    AgentSpec,
    Key,
    ModelPoolSpec,
    ModelSpec,
    Registry,
    RemovalPolicy,
    Snapshot,
    preview_removal,
    report_removal,
)
from harness.views.consequences import STATES, Consequences, removal_consequences

from .pictures import FIXTURES

FLEET = Registry.from_file(FIXTURES / "fleet.yaml").snapshot()
CATALOGUE = Registry.from_file(FIXTURES / "model_catalogue.csv").snapshot()
ENTRIES = [(namespace, entry) for namespace in NAMESPACES for entry in getattr(FLEET, namespace)]
CASES = [(FLEET, key) for key in ENTRIES]
CASES += [(CATALOGUE, ("providers", provider)) for provider in list(CATALOGUE.providers)[::10]]


def keys(found: Consequences, *states: str) -> list[tuple[str, str]]:
    return sorted(consequence.key for consequence in found.touched if consequence.state in states)


def causes(found: Consequences) -> dict[str, str]:
    return {consequence.key[1]: f"{consequence.state}: {consequence.cause}" for consequence in found.touched}


@pytest.mark.parametrize(
    ("snapshot", "key"), CASES, ids=lambda value: "/".join(value) if isinstance(value, tuple) else ""
)
def test_numbers_are_those_of_the_preview(snapshot: Snapshot, key: Key) -> None:
    preview = snapshot.preview_remove(*key)
    counted = [("models", name) for name in preview.model_ids]
    counted += [("model_pools", name) for name in preview.model_pool_ids]
    counted += [("agents", name) for name in preview.agent_ids]

    found = removal_consequences(snapshot, [key])

    assert keys(found, "broken") == sorted(counted)


@pytest.mark.parametrize("provider", list(FLEET.providers))
def test_paths_and_remote_agents_are_those_of_the_report(provider: str) -> None:
    affected = {entry.key: entry for entry in report_removal(FLEET, provider).affected}

    touched = {entry.key: entry for entry in removal_consequences(FLEET, [("providers", provider)]).touched}

    assert {key: touched[key].path for key in affected} == {key: entry.path for key, entry in affected.items()}
    assert all(touched[key].state == ("broken" if entry.is_counted else "kept") for key, entry in affected.items())


@pytest.mark.parametrize("policy", list(RemovalPolicy))
def test_policy_says_what_the_registry_says(policy: RemovalPolicy) -> None:
    for namespace, entry in ENTRIES:
        outcomes = report_removal(FLEET, entry, namespace).outcomes
        outcome = next(found for found in outcomes if found.policy is policy)

        found = removal_consequences(FLEET, [(namespace, entry)], policy)

        assert found.is_allowed == outcome.is_allowed
        assert found.blocked_by == tuple(sorted(outcome.blocked_by))
        assert keys(found, "removed", "cascaded") == sorted(outcome.removed or [(namespace, entry)])


def test_cascade_takes_unused_models_along() -> None:
    found = removal_consequences(CATALOGUE, [("providers", "bedrock")], RemovalPolicy.CASCADE_UNUSED)

    assert found.counts == {"removed": 1, "cascaded": 331, "broken": 0, "kept": 0}
    assert found.verdict == "cascade_unused lets it through"


def test_cascade_takes_unused_pools_along() -> None:
    registry = Registry()
    registry.register_provider("mail", object())
    registry.register_model(ModelSpec("letter", "mail"))  # type: ignore[arg-type]
    registry.register_model_pool(ModelPoolSpec("post", ("letter",)))  # type: ignore[arg-type]
    registry.register_agent(AgentSpec("elsewhere", "post", endpoint="https://partner.example"))  # type: ignore[arg-type]

    found = removal_consequences(registry.snapshot(), [("providers", "mail")], RemovalPolicy.CASCADE_UNUSED)

    assert causes(found) == {
        "mail": "removed: asked for",
        "letter": "cascaded: no agent needs it",
        "post": "cascaded: no agent needs it",
        "elsewhere": "kept: runs elsewhere",
    }


@pytest.mark.parametrize("key", ENTRIES, ids="/".join)
def test_cascade_to_agents_takes_along_what_the_registry_does(key: Key) -> None:
    dependents = {entry.key: entry.path for entry in preview_removal(FLEET, key[1], key[0]).dependents}

    found = removal_consequences(FLEET, [key], RemovalPolicy.CASCADE_ALL)

    cascaded = {entry.key: entry for entry in found.touched if entry.state == "cascaded"}
    assert {key: entry.path for key, entry in cascaded.items()} == dependents
    assert found.counts["broken"] == 0
    assert "no agent needs it" not in {entry.cause for entry in cascaded.values()}
    assert found.verdict == "cascade_all lets it through"


def test_refusal_says_who_stands_in_the_way() -> None:
    found = removal_consequences(FLEET, [("providers", "mistral-docs")], RemovalPolicy.CASCADE_UNUSED)

    assert found.verdict == "cascade_unused refuses: 2 agents in the way"


def test_each_kind_of_reference_has_its_cause() -> None:
    wanted = [("providers", "anthropic-eu"), ("plugins", "citations"), ("tools", "pager"), ("agents", "carrier-desk")]

    found = causes(removal_consequences(FLEET, wanted))

    assert found["fast"] == "broken: its provider goes"
    assert found["general"] == "broken: loses a member"
    assert found["product-advice"] == "broken: its pool loses a model"
    assert found["billing"] == "broken: its model goes"
    assert found["policy-search"] == "broken: its plugin goes"
    assert found["partner-support"] == "kept: runs elsewhere"
    assert found["code-review"] == "kept: only its delegate is hurt"
    assert found["carrier-desk"] == "removed: asked for"
    assert causes(removal_consequences(FLEET, [("agents", "carrier-desk")]))["shipping"] == (
        "broken: delegates to what goes"
    )
    assert causes(removal_consequences(FLEET, [("tools", "pager")]))["incident"] == "broken: its tool goes"


def test_entry_that_is_gone_is_missing() -> None:
    found = removal_consequences(FLEET, [("providers", "gone")])

    assert found.touched == ()
    assert found.verdict == "nothing to remove: provider gone is not in version 1"


def test_agents_that_delegate_in_a_circle_go_together_only_with_cascade_to_agents() -> None:
    registry = Registry()
    with registry.edit() as draft:
        draft.register_agent(AgentSpec("a", delegates=("b",), endpoint="https://a.example"))  # type: ignore[arg-type]
        draft.register_agent(AgentSpec("b", delegates=("a",), endpoint="https://b.example"))  # type: ignore[arg-type]
    both = [("agents", "a"), ("agents", "b")]

    allowed = {policy: removal_consequences(registry.snapshot(), both, policy).is_allowed for policy in RemovalPolicy}

    assert list(allowed.values()) == [False, False, True]


def test_frame_has_one_row_per_entry_with_its_cause_and_path() -> None:
    frame = removal_consequences(FLEET, [("providers", "mistral-docs")]).to_frame()

    assert {name: str(kind) for name, kind in frame.dtypes.items() if name in ("state", "distance")} == {
        "state": "category",
        "distance": "int64",
    }
    assert frame.columns.tolist() == ["state", "namespace", "id", "cause", "distance", "path"]
    assert frame.state.cat.categories.tolist() == list(STATES)
    assert frame.path.tolist()[1] == "agent invoice-reader → model scan → provider mistral-docs"
