from __future__ import annotations

import pytest

from harness.registry import FileAccessError, FileContentError, FileSyntaxError, Registry, import_litellm
from harness.registry.draft import restore

pytestmark = pytest.mark.portable


@pytest.fixture
def load(tmp_path):
    def write_and_load(text):
        path = tmp_path / "config.yaml"
        path.write_text(text)
        return import_litellm(path)

    return write_and_load


def test_the_fixture_comes_over(fixtures):
    snapshot = import_litellm(fixtures / "litellm_config.yaml").snapshot

    assert list(snapshot.providers) == ["anthropic", "azure", "azure-2", "openai", "openai-2"]
    assert {model.id: (model.provider_id, model.upstream_model) for model in snapshot.models.values()} == {
        "fast": ("anthropic", "claude-haiku-4-5"),
        "careful#1": ("anthropic", "claude-sonnet-4-5"),
        "general-weu": ("azure", "gpt-5-weu"),
        "general#2": ("azure-2", "gpt-5-neu"),
        "embed": ("openai", "text-embedding-3-large"),
        "private": ("openai-2", "meta/llama-3.3-70b"),
    }
    assert {pool.id: pool.model_ids for pool in snapshot.model_pools.values()} == {
        "general": ("general-weu", "general#2"),
        "careful": ("careful#1", "general-weu", "general#2"),
        "gpt-4": ("general-weu", "general#2"),
        "house": ("private",),
    }
    assert (snapshot.models["fast"].mode, snapshot.models["fast"].max_output_tokens) == ("chat", 64000)


def test_references_stay_references(fixtures):
    providers = import_litellm(fixtures / "litellm_config.yaml").snapshot.providers

    assert providers["azure"].config["api_key"] == "os.environ/AZURE_WEU_KEY"


def test_what_did_not_come_over_is_listed_in_the_order_of_the_file(fixtures):
    assert import_litellm(fixtures / "litellm_config.yaml").not_carried == (
        "model_list[0].litellm_params.rpm",
        "model_list[2].litellm_params.rpm",
        "model_list[2].litellm_params.weight",
        "model_list[2].model_info.base_model",
        "router_settings.routing_strategy",
        "router_settings.num_retries",
        "router_settings.model_group_alias.house.hidden",
        "litellm_settings.drop_params",
        "litellm_settings.success_callback",
        "litellm_settings.context_window_fallbacks",
        "general_settings.master_key",
        "general_settings.database_url",
    )


def test_what_came_over_can_be_saved_and_loaded(fixtures, tmp_path):
    snapshot = import_litellm(fixtures / "litellm_config.yaml").snapshot
    snapshot.save(tmp_path / "fleet.yaml")

    assert Registry.from_file(tmp_path / "fleet.yaml").snapshot().holds_the_entries_of(snapshot)
    assert restore(0, [*snapshot.providers.values(), *snapshot.models.values()]).models == snapshot.models


def test_executors_are_made_by_the_function_given(fixtures):
    found = import_litellm(fixtures / "litellm_config.yaml", executors=lambda spec: spec.config["api_version"])

    assert found.snapshot.executor("azure") == "2025-04-01"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "config.yaml: wants a mapping, is missing or empty"),
        ("model_list: 7", "line 1, model_list: wants a list, is a int"),
        ("other: []", "line 1, model_list: wants a list, is missing or empty"),
        (
            "model_list:\n  - model_name: a",
            "line 2, model_list[0].litellm_params: wants a mapping, is missing or empty",
        ),
        (
            "model_list:\n  - model_name: a\n    litellm_params: {api_key: sk-1}",
            "line 3, model_list[0].litellm_params.model: wants text, is missing or empty",
        ),
        (
            "model_list:\n  - {model_name: a, litellm_params: {model: [sk-1]}}",
            "line 2, model_list[0].litellm_params.model: wants text, is a list",
        ),
        (
            "model_list:\n  - {model_name: <b>, litellm_params: {model: k/m}}",
            "line 2, model_list[0]: model id wants no < and no >, is '<b>'",
        ),
        (
            "model_list:\n  - {model_name: a, litellm_params: {model: k/m}, model_info: {max_input_tokens: many}}",
            "line 2, model_list[0].model_info.max_input_tokens: wants a whole number, is a str",
        ),
        (
            "model_list: []\nrouter_settings:\n  fallbacks:\n    - a: [b]",
            "line 4, router_settings.fallbacks[0].a: wants models of the list, names 'a'",
        ),
        (
            "model_list: []\nrouter_settings:\n  model_group_alias:\n    a: b",
            "line 4, router_settings.model_group_alias.a: wants a model of the list, names 'b'",
        ),
        (
            "model_list:\n  - {model_name: a, litellm_params: {model: k/m}}\n"
            "router_settings:\n  model_group_alias: {a: a}",
            "config.yaml, line 1: registry validation failed: model_pools/a has the id of a model",
        ),
    ],
)
def test_each_fault_is_named_with_line_and_place(load, text, message):
    with pytest.raises(FileContentError) as caught:
        load(text)

    assert message in str(caught.value)
    assert "sk-1" not in str(caught.value)


def test_deployments_with_the_same_id_are_refused(load):
    entry = "  - {model_name: a, litellm_params: {model: k/m}, model_info: {id: one}}\n"

    with pytest.raises(FileContentError, match=r"line 3, model_list\[1\]: model 'one' already registered"):
        load(f"model_list:\n{entry}{entry}")


@pytest.mark.parametrize(
    "text",
    [
        "model_list: &a [*a]",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nmodel_list: [*c, *c]",
        "model_list: !!python/object/apply:os.system [echo]",
        "[" * 4_000,
    ],
)
def test_bombs_tags_and_deep_nesting_are_refused(load, text):
    with pytest.raises(FileSyntaxError):
        load(text)


def test_a_large_file_is_refused_before_parsing(fixtures):
    with pytest.raises(FileAccessError, match="wants at most 10 bytes"):
        import_litellm(fixtures / "litellm_config.yaml", max_bytes=10)
