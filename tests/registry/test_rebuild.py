from __future__ import annotations

import pytest

from harness.registry import (
    AgentSpec,
    AlreadyRegisteredError,
    ModelPoolSpec,
    ModelSpec,
    PluginSpec,
    RegistryUpdate,
    RegistryValidationError,
    ToolSpec,
    rebuild,
)

pytestmark = pytest.mark.portable


def test_rebuild_replaces_three_namespaces_and_keeps_the_rest(registry):
    # awaken R24
    registry.update(lambda draft: (draft.register_tool(ToolSpec("t")), draft.register_plugin(PluginSpec("audit"))))
    update = RegistryUpdate({"q": "executor"}, [ModelSpec("n", "q")], [AgentSpec("b", "n", plugin_ids=("audit",))])

    rebuilt = rebuild(registry.snapshot(), update)

    assert (list(rebuilt.providers), list(rebuilt.models), list(rebuilt.agents)) == (["q"], ["n"], ["b"])
    assert (list(rebuilt.tools), list(rebuilt.plugins)) == (["t"], ["audit"])
    assert rebuilt.executor("q") == "executor"


def test_rebuild_does_not_publish(registry):
    # awaken R24
    rebuilt = rebuild(registry.snapshot(), RegistryUpdate({}, [], []))

    assert (registry.version, rebuilt.version) == (1, 1)
    assert registry.publish(rebuilt) == 2
    assert not registry.snapshot().providers


@pytest.mark.parametrize(
    "update",
    [
        RegistryUpdate({"q": 1}, [ModelSpec("n", "q"), ModelSpec("n", "q")], []),
        RegistryUpdate({"q": 1}, [ModelSpec("n", "q")], [AgentSpec("b", "n"), AgentSpec("b", "n")]),
    ],
)
def test_rebuild_refuses_a_repeated_id(registry, update):
    # awaken R24
    with pytest.raises(AlreadyRegisteredError, match="already registered"):
        rebuild(registry.snapshot(), update)


def test_rebuild_keeps_pools_and_so_wants_their_members(registry):
    # awaken R14, R32
    registry.update(lambda draft: draft.register_model_pool(ModelPoolSpec("pool", ("m",))))

    with pytest.raises(RegistryValidationError, match="model_pools/pool names models/m"):
        rebuild(registry.snapshot(), RegistryUpdate({}, [], []))
