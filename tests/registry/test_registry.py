from __future__ import annotations

from functools import partial
from threading import Event, Thread

import pytest

from harness.registry import (
    AgentSpec,
    AlreadyRegisteredError,
    Draft,
    InvalidIdError,
    ModelPoolSpec,
    ModelSpec,
    NestedUpdateError,
    NotFoundError,
    ProviderInUseError,
    ProviderRemovalPolicy,
    Registry,
    RegistryValidationError,
    VersionConflictError,
    WrongTypeError,
)

BLOCK = ProviderRemovalPolicy.BLOCK_IF_REFERENCED
CASCADE = ProviderRemovalPolicy.CASCADE_UNUSED_MODELS

pytestmark = pytest.mark.portable


def contents(snapshot):
    return {name: dict(getattr(snapshot, name)) for name in ("providers", "models", "model_pools", "agents")}


def test_new_registry_is_at_version_one(registry):
    # awaken R1, C15
    assert Registry().version == 1
    assert registry.version == 1


def test_new_registry_ignores_the_version_of_its_snapshot(registry):
    registry.register_provider("q", object())

    assert Registry(registry.snapshot()).version == 1


def test_each_success_adds_exactly_one(registry):
    # awaken R5, C16
    versions = [
        registry.register_provider("q", 1),
        registry.replace_provider("q", 1),
        registry.update(lambda draft: None),
    ]

    assert versions == [2, 3, 4]
    assert registry.snapshot().version == registry.version == 4


def test_registering_a_known_provider_is_refused(registry):
    # awaken R15, C5
    with pytest.raises(
        AlreadyRegisteredError, match="provider 'p' already registered; replace it or choose another id"
    ):
        registry.register_provider("p", object())

    assert registry.version == 1
    assert registry.snapshot().executor("p") == "executor of p"


def test_replacing_keeps_provider_models_and_agents(registry):
    # awaken R16, C3
    assert registry.replace_provider("p", "another") == 2

    snapshot = registry.snapshot()
    assert (list(snapshot.providers), list(snapshot.models), list(snapshot.agents)) == (["p"], ["m"], ["a"])
    assert snapshot.executor("p") == "another"


@pytest.mark.parametrize(
    "operation",
    [
        lambda registry: registry.replace_provider("pp", object()),
        lambda registry: registry.remove_provider("pp", BLOCK),
        lambda registry: registry.preview_remove_provider("pp"),
    ],
)
def test_an_unknown_provider_is_refused_with_near_matches(registry, operation):
    # awaken R16, R17, R18, C6
    with pytest.raises(NotFoundError, match=r"no provider 'pp' in version 1; near: 'p'"):
        operation(registry)

    assert registry.version == 1


def test_block_refuses_while_a_model_names_the_provider(draft):
    # awaken R19, B3, C7
    draft.unregister_agent("a")
    registry = Registry(draft.freeze())

    with pytest.raises(ProviderInUseError) as caught:
        registry.remove_provider("p", BLOCK)

    assert str(caught.value) == (
        "provider 'p' cannot be removed under block_if_referenced, it is in use by "
        'models ["m"], agents []; move these users first'
    )


def test_block_removes_an_unused_provider(registry):
    # awaken R19, R22, C7
    registry.register_provider("q", object())

    impact = registry.remove_provider("q", BLOCK)

    assert (impact.version, impact.provider_id, impact.removed_model_ids, impact.affected_agent_ids) == (3, "q", (), ())
    assert "q" not in registry.snapshot().providers


def test_cascade_refuses_while_an_agent_uses_a_model(registry):
    # awaken R20, R25, C1
    with pytest.raises(ProviderInUseError, match=r'agents \["a"\]') as caught:
        registry.remove_provider("p", CASCADE)

    assert caught.value.agent_ids == ("a",)
    assert registry.version == 1


def test_cascade_takes_unused_models_along(draft):
    # awaken R20, C2
    draft.unregister_agent("a")
    registry = Registry(draft.freeze())

    impact = registry.remove_provider("p", CASCADE)

    assert impact.removed_model_ids == ("m",)
    assert not registry.snapshot().providers
    assert not registry.snapshot().models


def test_remote_agents_do_not_block_a_removal(draft):
    # awaken R21, C12
    draft.replace_agent(AgentSpec("a", "m", endpoint="https://elsewhere.example"))
    registry = Registry(draft.freeze())
    agent = registry.snapshot().agents["a"]

    impact = registry.remove_provider("p", CASCADE)

    assert impact.affected_agent_ids == ()
    assert registry.snapshot().agents["a"] is agent


def test_removal_sees_a_user_added_after_the_preview(draft):
    # awaken R18, C10
    draft.unregister_agent("a")
    registry = Registry(draft.freeze())
    preview = registry.preview_remove_provider("p")
    registry.register_agent(AgentSpec("late", "m"))

    assert preview.cascade_unused_models_allowed
    with pytest.raises(ProviderInUseError, match=r'agents \["late"\]'):
        registry.remove_provider("p", CASCADE)


def test_removal_can_insist_on_the_version_of_its_preview(registry):
    # awaken R23
    registry.register_provider("q", object())
    preview = registry.preview_remove_provider("q")
    registry.register_provider("r", object())

    with pytest.raises(VersionConflictError, match="expected version 2, registry is at version 3"):
        registry.remove_provider("q", BLOCK, expected_version=preview.version)


def test_removal_has_no_default_policy(registry):
    with pytest.raises(TypeError):
        registry.remove_provider("p")
    with pytest.raises(WrongTypeError, match="policy wants a RemovalPolicy, is a str"):
        registry.remove_provider("p", "block_if_referenced")


def test_a_failed_update_leaves_version_and_content(registry):
    # awaken R3, R8, C8, C14
    before = registry.snapshot()

    def fail(draft):
        draft.register_provider("q", object())
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        registry.update(fail)

    assert registry.snapshot() is before
    assert registry.register_provider("q", object()) == 2


def test_an_invalid_update_publishes_nothing(registry):
    # awaken R14
    before = registry.snapshot()

    with pytest.raises(RegistryValidationError, match="models/n names providers/q, which is not registered"):
        registry.register_model(ModelSpec("n", "q"))

    assert registry.snapshot() is before


def test_update_may_pass_through_invalid_states(registry):
    def change(draft):
        draft.register_agent(AgentSpec("b", "n"))
        draft.register_model(ModelSpec("n", "q"))
        draft.register_provider("q", object())

    assert registry.update(change) == 2


def test_a_nested_write_is_refused_at_once(registry):
    # awaken R7, B5, C14, P4
    def nest(draft):
        for write in (
            lambda: registry.update(lambda inner: None),
            lambda: registry.register_provider("q", object()),
            lambda: registry.publish(draft),
        ):
            with pytest.raises(NestedUpdateError, match="already updating this registry"):
                write()

    assert registry.update(nest) == 2


def test_an_update_may_write_to_another_registry(registry):
    other = Registry()

    registry.update(lambda draft: other.register_provider("q", object()))

    assert (registry.version, other.version) == (2, 2)


def test_a_reader_reads_on_while_an_update_is_parked(registry):
    # awaken R4, C17, P3
    inside, release = Event(), Event()

    def park(draft):
        inside.set()
        release.wait()

    writer = Thread(target=registry.update, args=(park,))
    writer.start()
    inside.wait()
    during = registry.snapshot().version
    release.set()
    writer.join()

    assert during == 1
    assert registry.snapshot().version == 2


def test_sixteen_threads_register_sixteen_providers(together):
    # awaken C4, P1
    registry = Registry()
    ids = [f"p{number:02}" for number in range(16)]

    versions = together([partial(registry.register_provider, provider_id, object()) for provider_id in ids])

    assert list(registry.snapshot().providers) == ids
    assert sorted(versions) == list(range(2, 18))


def test_replace_and_remove_together_fit_one_of_the_two_orders(together):
    # awaken C9, P5
    registry = Registry()
    registry.register_provider("p", "old")

    replaced, removed = together(
        [lambda: registry.replace_provider("p", "new"), lambda: registry.remove_provider("p", BLOCK)]
    )

    assert not registry.snapshot().providers
    assert isinstance(replaced, NotFoundError) or replaced == 3
    assert removed.version == (3 if isinstance(replaced, NotFoundError) else 4)


def test_a_held_snapshot_never_changes(registry):
    # awaken R2, C11
    held = registry.snapshot()
    before = contents(held), held.executor("p"), held.graph()
    registry.replace_provider("p", "another")
    registry.register_model(ModelSpec("n", "p"))
    registry.update(lambda draft: draft.unregister_agent("a"))

    assert (contents(held), held.executor("p"), held.graph()) == before


def test_a_draft_that_escaped_does_not_reach_what_was_published(registry):
    escaped = []
    registry.update(escaped.append)
    escaped[0].register_provider("q", object())

    assert list(registry.snapshot().providers) == ["p"]


@pytest.mark.parametrize("blank", ["", "  ", None])
def test_a_blank_id_is_refused(registry, blank):
    # awaken R13, C14
    with pytest.raises(InvalidIdError, match=r"provider id wants text that is not blank, is .*; name the entry"):
        registry.register_provider(blank, object())


def test_pools_survive_provider_operations(draft):
    # awaken R14, C13, B1
    draft.register_model_pool(ModelPoolSpec("pool", ("m",)))
    registry = Registry(draft.freeze())
    registry.register_provider("q", object())
    registry.replace_provider("q", object())
    registry.remove_provider("q", BLOCK)

    assert list(registry.snapshot().model_pools) == ["pool"]


def test_publish_swaps_whatever_is_current(registry):
    # awaken P1: the broken form of an update
    draft = Draft(registry.snapshot())
    registry.register_provider("lost", object())
    draft.register_provider("kept", object())

    assert registry.publish(draft) == 3
    assert list(registry.snapshot().providers) == ["kept", "p"]


def test_publish_with_a_stale_expected_version_is_refused(registry):
    # awaken R9, C14
    draft = Draft(registry.snapshot())
    registry.register_provider("q", object())

    with pytest.raises(VersionConflictError) as caught:
        registry.publish(draft, expected_version=draft.version)

    assert (caught.value.expected, caught.value.current) == (1, 2)
    assert list(registry.snapshot().providers) == ["p", "q"]


def test_publish_takes_an_old_snapshot_back(registry):
    old = registry.snapshot()
    registry.register_provider("q", object())

    assert registry.publish(old, expected_version=2) == 3
    assert list(registry.snapshot().providers) == ["p"]


def test_publish_validates_a_draft(registry):
    # awaken R6, B4
    draft = Draft(registry.snapshot())
    draft.unregister_model("m")

    with pytest.raises(RegistryValidationError, match="agents/a names models/m"):
        registry.publish(draft)


def test_publish_refuses_what_is_no_content(registry):
    with pytest.raises(WrongTypeError, match="proposal wants a Snapshot or a Draft, is a dict"):
        registry.publish({})


def test_a_replacement_can_insist_on_the_executor_it_replaces(registry):
    # awaken R16
    from harness.registry import ExecutorConflictError

    current = registry.snapshot().executor("p")

    assert registry.replace_provider("p", "new", expected=current) == 2
    with pytest.raises(ExecutorConflictError, match="another executor than expected in version 2"):
        registry.replace_provider("p", "newer", expected=current)
