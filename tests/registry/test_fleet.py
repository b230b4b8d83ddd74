from __future__ import annotations

import pytest

from harness.registry import NAMESPACES, AgentSpec, FileContentError, FileSyntaxError, ModelSpec, Registry, diagnose

pytestmark = pytest.mark.portable


@pytest.fixture
def load(tmp_path):
    def write_and_load(text, **options):
        path = tmp_path / "fleet.yaml"
        path.write_text(text)
        return Registry.from_file(path, **options).snapshot()

    return write_and_load


def test_the_shipped_fleet_loads_in_whole(fixtures):
    snapshot = Registry.from_file(fixtures / "fleet.yaml").snapshot()

    assert {namespace: len(getattr(snapshot, namespace)) for namespace in NAMESPACES} == {
        "agents": 40,
        "model_pools": 1,
        "models": 25,
        "providers": 8,
        "tools": 12,
        "plugins": 6,
        "backends": 1,
    }
    assert sum(agent.is_remote for agent in snapshot.agents.values()) == 5
    assert [(found.code, found.severity) for found in diagnose(snapshot)] == [("agent_delegation_cycle", "warning")]


def test_two_instances_of_one_kind_keep_their_own_config(fixtures):
    # amplifier R1
    providers = Registry.from_file(fixtures / "fleet.yaml").snapshot().providers

    assert providers["anthropic-eu"].kind == providers["anthropic-batch"].kind
    assert providers["anthropic-eu"].config["region"] == "eu-central-1"
    assert providers["anthropic-batch"].config["headers"]["x-queue"] == "overnight"


def test_executors_are_made_from_the_specs_on_first_use(fixtures):
    made = []
    snapshot = Registry.from_file(
        fixtures / "fleet.yaml", executors=lambda spec: made.append(spec.id) or f"{spec.kind} executor"
    ).snapshot()

    assert made == []
    assert snapshot.executor("anthropic-eu") == "anthropic executor"
    assert made == ["anthropic-eu"]


def test_entries_are_the_specs_their_keys_describe(load):
    snapshot = load(
        "providers: [{id: mail, kind: anthropic}]\n"
        "models: [{id: fast, provider_id: mail, max_input_tokens: 8}]\n"
        "agents: [{id: far, endpoint: 'https://elsewhere.example'}]\n"
    )

    assert snapshot.models["fast"] == ModelSpec("fast", "mail", max_input_tokens=8)
    assert snapshot.agents["far"] == AgentSpec("far", endpoint="https://elsewhere.example")


def test_the_order_of_sections_does_not_matter(load):
    snapshot = load("models: [{id: fast, provider_id: mail}]\nproviders: [{id: mail, kind: anthropic}]\n")

    assert list(snapshot.models) == ["fast"]


def test_a_date_in_a_config_becomes_text(load):
    snapshot = load("providers: [{id: mail, kind: anthropic, config: {since: 2026-01-31}}]\n")

    assert snapshot.providers["mail"].config["since"] == "2026-01-31"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("providers: [{id: 1.0, kind: x}]", r"providers\[0\]\.id: wants text, is 1.0; correct it"),
        ("agents: [{id: a, model_id: 5}]", r"agents\[0\]\.model_id: wants text, is 5; correct it"),
        ("providers:\n", "providers: wants a list, is empty; correct it"),
        ("providers: [mail]", r"providers\[0\]: wants a mapping, is 'mail'; correct it"),
        ("providers: [{id: m, kind: x, config: [1]}]", r"providers\[0\]\.config: wants a mapping, is \['\*\*\*'\]"),
        (
            "models: [{id: m, provider_id: p, deprecation_date: soon}]",
            r"deprecation_date: wants a date like 2026-12-31, is 'soon'",
        ),
        ("agents: [{id: a, model_id: m, delegates: [b, 2]}]", r"agents\[0\]\.delegates\[1\]: wants text, is 2"),
    ],
)
def test_a_value_of_the_wrong_type_is_named_with_its_place(load, text, message):
    with pytest.raises(FileContentError, match=message):
        load(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("providers: [{<<: {id: mail}}]", "wants keys of its own, has the merge key <<; write the entries out"),
        ("providers: [{[a]: b}]", "wants keys that are text"),
        ("providers: !!set {a, b}", "wants a plain value, has the tag tag:yaml.org,2002:set"),
        ("providers: !!binary aGk=", "wants a plain value, has the tag tag:yaml.org,2002:binary"),
        ("providers: [", "wants YAML, the parser says"),
    ],
)
def test_what_a_fleet_cannot_use_of_yaml_is_refused(load, text, message):
    with pytest.raises(FileSyntaxError, match=message):
        load(text)
