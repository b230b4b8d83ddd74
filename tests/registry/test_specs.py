from __future__ import annotations

import pickle
from dataclasses import FrozenInstanceError
from datetime import date

import pytest

from harness.registry import (
    AgentSpec,
    BackendSpec,
    InvalidIdError,
    InvalidSpecError,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    ProviderSpec,
    ToolSpec,
    WrongTypeError,
)

pytestmark = pytest.mark.portable

SPECS = [
    ProviderSpec("p", "anthropic", {"retries": [1, 2]}),
    ModelSpec("m", "p", deprecation_date=date(2026, 12, 31)),
    ModelPoolSpec("pool", ("m",)),
    AgentSpec("a", "m", plugin_ids=("audit",)),
    ToolSpec("t"),
    PluginSpec("audit"),
    BackendSpec("b"),
]


@pytest.mark.parametrize("spec", SPECS)
def test_every_spec_is_a_frozen_value_that_pickles(spec):
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(pickle.loads(pickle.dumps(spec))) == hash(spec)
    with pytest.raises(FrozenInstanceError):
        spec.id = "other"


@pytest.mark.parametrize(
    "make",
    [
        lambda: ProviderSpec(" ", "anthropic"),
        lambda: ProviderSpec("p", ""),
        lambda: ModelSpec("", "p"),
        lambda: ModelSpec("m", ""),
        lambda: ModelPoolSpec("", ()),
        lambda: ModelPoolSpec("pool", ("",)),
        lambda: AgentSpec("", "m"),
        lambda: AgentSpec("a", ""),
        lambda: AgentSpec("a", "m", plugin_ids=(" ",)),
        lambda: AgentSpec("a", endpoint=""),
        lambda: ToolSpec(""),
        lambda: PluginSpec(""),
        lambda: BackendSpec(""),
        lambda: ToolSpec(7),
    ],
)
def test_blank_ids_are_refused_everywhere(make):
    # awaken R13, B6
    with pytest.raises(InvalidIdError, match="wants text that is not blank"):
        make()


def test_a_provider_hides_its_settings_in_repr():
    # awaken R37
    assert "secret" not in repr(ProviderSpec("p", "anthropic", {"api_key": "secret"}))


def test_settings_are_a_frozen_copy():
    config = {"headers": {"x": "1"}}
    spec = ProviderSpec("p", "anthropic", config)
    config["headers"]["x"] = "2"

    assert spec.config["headers"]["x"] == "1"


def test_a_local_agent_wants_a_model():
    with pytest.raises(InvalidSpecError, match="agent 'a' wants a model, has none and no endpoint; give it a model_id"):
        AgentSpec("a")

    assert AgentSpec("a", endpoint="https://elsewhere.example").is_remote


def test_lists_become_tuples_and_the_hook_filter_is_sorted():
    spec = AgentSpec("a", "m", plugin_ids=["b", "a"], active_hook_filter=["b", "a", "b"])

    assert (spec.plugin_ids, spec.active_hook_filter) == (("b", "a"), ("a", "b"))


def test_a_single_text_is_no_list_of_ids():
    with pytest.raises(WrongTypeError, match="delegates wants a sequence of ids, is a str"):
        AgentSpec("a", "m", delegates="billing")


def test_negative_token_counts_are_refused():
    with pytest.raises(InvalidSpecError, match="max_input_tokens wants a count of tokens, is -1"):
        ModelSpec("m", "p", max_input_tokens=-1)
