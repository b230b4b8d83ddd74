"""Batches, drafts in a block, dry runs, versions expected, history and rollback."""

from __future__ import annotations

from functools import partial
from threading import Event, Thread

import pytest

from harness.registry import (
    AgentSpec,
    Draft,
    ModelPoolSpec,
    ModelSpec,
    NotFoundError,
    PluginSpec,
    ProviderSpec,
    Registry,
    RegistryValidationError,
    RemovalPolicy,
    VersionConflictError,
    VersionNotKeptError,
)

pytestmark = pytest.mark.portable


def test_a_batch_is_one_version(registry):
    # awaken R10
    version = registry.batch(
        [lambda draft: draft.register_plugin(PluginSpec("x")), lambda draft: draft.register_plugin(PluginSpec("y"))]
    )

    assert version == registry.version == 2
    assert list(registry.snapshot().plugins) == ["x", "y"]


def test_a_batch_is_all_or_none_and_says_which_failed(registry):
    before = registry.snapshot()

    with pytest.raises(NotFoundError) as caught:
        registry.batch(
            [lambda draft: draft.register_plugin(PluginSpec("x")), lambda draft: draft.unregister_plugin("none")]
        )

    assert caught.value.__notes__ == ["in change 2 of 2; nothing was published"]
    assert registry.snapshot() is before


def test_a_draft_in_a_block_is_published_once_at_its_end(registry):
    # awaken R10
    with registry.edit() as draft:
        draft.register_agent(AgentSpec("b", "n"))
        draft.register_model(ModelSpec("n", "p"))
        assert registry.version == 1

    assert registry.version == 2
    assert list(registry.snapshot().agents) == ["a", "b"]


def test_a_block_that_raises_publishes_nothing(registry):
    before = registry.snapshot()

    with pytest.raises(ZeroDivisionError), registry.edit() as draft:
        draft.unregister_agent("a" * (1 // 0))

    assert registry.snapshot() is before


def test_a_block_overtaken_by_another_writer_is_refused(registry):
    # awaken R9
    with pytest.raises(VersionConflictError), registry.edit():
        registry.register_provider("q", object())

    assert registry.version == 2


def test_an_invalid_block_is_refused_at_its_end(registry):
    with pytest.raises(RegistryValidationError), registry.edit() as draft:
        draft.unregister_model("m")

    assert registry.version == 1


def test_a_dry_run_tells_difference_and_faults_and_publishes_nothing(registry):
    # awaken R10
    def change(draft):
        draft.unregister_model("m")
        draft.register_agent(AgentSpec("b", "m", delegates=("b",)))

    result = registry.dry_run(change)

    assert (result.base_version, result.is_valid) == (1, False)
    assert str(result.diff) == "+ agents/b\n- models/m"
    assert [found.code for found in result.diagnostics] == [
        "agent_missing_model",
        "agent_delegates_to_itself",
        "agent_missing_model",
    ]
    assert registry.version == 1
    assert "m" in registry.snapshot().models


def test_a_dry_run_with_warnings_only_would_be_published(registry):
    def change(draft):
        draft.replace_agent(AgentSpec("a", "m", delegates=("a",)))

    assert registry.dry_run(change).is_valid
    assert registry.update(change) == 2


def test_an_identical_publish_raises_the_version_unless_asked_not_to(registry):
    # awaken R5, R42, C54
    def nothing(draft):
        draft.replace_model(ModelSpec("m", "p"))

    snapshot = registry.snapshot()

    assert registry.update(nothing) == 2
    assert registry.update(nothing, if_changed=True) == 2
    assert registry.publish(snapshot) == 3
    assert registry.publish(snapshot, if_changed=True) == 3
    with registry.edit(if_changed=True) as draft:
        nothing(draft)
    assert registry.version == len(registry.history()) == 3


def test_a_change_of_executor_or_secret_is_a_change():
    registry = Registry()
    registry.update(lambda draft: draft.register_provider_spec(ProviderSpec("p", "k", {"api_key": "sk-1"})))
    other = Draft(registry.snapshot())
    other.clear("providers")
    other.register_provider_spec(ProviderSpec("p", "k", {"api_key": "sk-2"}))

    assert registry.publish(other.freeze(), if_changed=True) == 3
    registry.register_provider("q", "one")
    assert registry.update(lambda draft: draft.replace_provider("q", "two"), if_changed=True) == 5


@pytest.mark.parametrize(
    "write",
    [
        lambda registry, **options: registry.register_provider("q", object(), **options),
        lambda registry, **options: registry.replace_provider("p", object(), **options),
        lambda registry, **options: registry.register_model(ModelSpec("n", "p"), **options),
        lambda registry, **options: registry.replace_model(ModelSpec("m", "p"), **options),
        lambda registry, **options: registry.register_model_pool(ModelPoolSpec("pool", ("m",)), **options),
        lambda registry, **options: registry.rename("models", "m", "n", **options),
        lambda registry, **options: registry.update(lambda draft: None, **options),
        lambda registry, **options: registry.batch([], **options),
        lambda registry, **options: registry.publish(Draft(), **options),
        lambda registry, **options: registry.rollback(1, **options),
    ],
)
def test_every_write_accepts_an_expected_version(registry, write):
    # awaken R9, B8, C14
    registry.register_plugin(PluginSpec("x"))

    with pytest.raises(VersionConflictError):
        write(registry, expected_version=1)
    assert registry.version == 2
    assert write(registry, expected_version=2) == 3


def test_the_function_is_not_called_for_another_version_than_expected(registry):
    called = []

    with pytest.raises(VersionConflictError):
        registry.update(called.append, expected_version=7)

    assert called == []


def test_history_lists_the_last_versions(registry):
    # awaken R11
    bounded = Registry(registry.snapshot(), history_limit=3)
    for number in range(5):
        bounded.register_plugin(PluginSpec(f"x{number}"))

    assert [entry.version for entry in bounded.history()] == [4, 5, 6]
    assert bounded.history()[-1].snapshot is bounded.snapshot()
    assert list(bounded.history()[0].snapshot.plugins) == ["x0", "x1", "x2"]


def test_a_rollback_is_a_new_version_with_old_content(registry):
    # awaken R11, R43, C55
    old = registry.snapshot()
    registry.replace_provider("p", "another")
    registry.remove_agent("a", RemovalPolicy.BLOCK_IF_REFERENCED)

    assert registry.rollback(1) == 4

    assert old.diff(registry.snapshot()).is_empty
    assert registry.snapshot().executor("p") == "executor of p"
    assert [entry.restored_from for entry in registry.history()] == [None, None, None, 1]


def test_a_rollback_beyond_the_history_is_refused():
    registry = Registry(history_limit=2)
    for name in "xyz":
        registry.register_plugin(PluginSpec(name))

    with pytest.raises(VersionNotKeptError, match="no version 1 in the history, it holds 3 to 4"):
        registry.rollback(1)
    with pytest.raises(VersionNotKeptError):
        registry.rollback(9)

    assert registry.version == 4


def test_a_history_of_no_versions_is_refused():
    with pytest.raises(ValueError, match="history_limit=0 is below 1; pass the number of versions to keep"):
        Registry(history_limit=0)


def test_a_plan_resolved_at_one_version_stays_with_it(registry):
    # awaken R34, C25
    first = registry.snapshot()
    registry.replace_provider("p", "another")
    second = registry.snapshot()

    assert (first.version, first.executor("p")) == (1, "executor of p")
    assert (second.version, second.executor("p")) == (2, "another")


def test_a_derived_cache_can_tell_that_it_is_stale(registry):
    # awaken R35, C49
    snapshot = registry.snapshot()
    cache = {(snapshot.version, "p"): "derived"}
    registry.replace_provider("p", "another")

    assert (registry.version, "p") not in cache


def test_other_writers_wait_for_a_parked_update_and_lose_nothing(registry):
    # awaken R3, C9
    inside, release = Event(), Event()

    def park(draft):
        draft.register_plugin(PluginSpec("first"))
        inside.set()
        release.wait()

    threads = [Thread(target=registry.update, args=(park,))]
    threads[0].start()
    inside.wait()
    threads += [Thread(target=partial(registry.register_plugin, PluginSpec(name))) for name in "xyz"]
    for thread in threads[1:]:
        thread.start()
    release.set()
    for thread in threads:
        thread.join()

    assert list(registry.snapshot().plugins) == ["first", "x", "y", "z"]
    assert registry.version == 5


def test_all_verbs_exist_for_all_namespaces(registry):
    kinds = ["provider", "model", "model_pool", "agent", "tool", "plugin", "backend"]
    verbs = ["register", "replace", "remove", "preview_remove"]

    assert [f"{verb}_{kind}" for kind in kinds for verb in verbs if not hasattr(registry, f"{verb}_{kind}")] == []
    assert [f"{verb}_{kind}" for kind in kinds for verb in verbs if not hasattr(Draft(), f"{verb}_{kind}")] == []
