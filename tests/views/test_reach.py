from __future__ import annotations

from harness.views.reach import providers_by_entry

from .pictures import entry, source


def test_agent_depends_on_the_providers_of_its_pool() -> None:
    graph = source(
        [entry("agents", "a"), entry("model_pools", "p"), *(entry("models", m) for m in "mn")]
        + [entry("providers", p) for p in "xyz"],
        [
            (("agents", "a"), ("model_pools", "p"), "model"),
            (("model_pools", "p"), ("models", "m"), "member"),
            (("model_pools", "p"), ("models", "n"), "member"),
            (("models", "m"), ("providers", "y"), "provider"),
            (("models", "n"), ("providers", "x"), "provider"),
        ],
    ).graph()

    assert providers_by_entry(graph)["agents", "a"] == ["x", "y"]


def test_providers_of_a_delegate_are_not_those_of_the_delegating_agent() -> None:
    graph = source(
        [entry("agents", "boss"), entry("agents", "hand"), entry("models", "m"), entry("providers", "x")],
        [
            (("agents", "boss"), ("agents", "hand"), "delegate"),
            (("agents", "hand"), ("models", "m"), "model"),
            (("models", "m"), ("providers", "x"), "provider"),
        ],
    ).graph()

    assert ("agents", "hand") in providers_by_entry(graph)
    assert ("agents", "boss") not in providers_by_entry(graph)


def test_remote_agent_is_no_user_of_its_model() -> None:
    graph = source(
        [entry("agents", "far", remote=True), entry("models", "m"), entry("providers", "x")],
        [(("agents", "far"), ("models", "m"), "model"), (("models", "m"), ("providers", "x"), "provider")],
    ).graph()

    assert ("agents", "far") not in providers_by_entry(graph)
