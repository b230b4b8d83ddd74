from __future__ import annotations

import pytest

from harness.registry import NestedBuildError, Registry
from harness.registry.clients import LazyRegistry

BUILT_IN = ["anthropic", "google", "openai"]

pytestmark = pytest.mark.portable


def build():
    registry = Registry()
    registry.update(lambda draft: [draft.register_provider(provider_id, object()) for provider_id in BUILT_IN])
    return registry


def test_a_second_call_gives_the_same_registry():
    # flocks R5, C15
    lazy = LazyRegistry(build)

    assert lazy.get() is lazy.get()


def test_nothing_is_built_before_it_is_asked_for():
    lazy = LazyRegistry(build)

    assert not lazy.is_initialised


def test_twenty_threads_each_see_every_built_in_provider(together):
    # flocks R1, C16, P1
    lazy = LazyRegistry(build)

    seen = together([lambda: list(lazy.get().snapshot().providers)] * 20)

    assert seen == [BUILT_IN] * 20


def test_it_is_initialised_only_after_the_build():
    # flocks R1, R2, C17, C20, P2
    seen = []

    def watch():
        registry = Registry()
        for provider_id in BUILT_IN:
            seen.append(lazy.is_initialised)
            registry.register_provider(provider_id, object())
        return registry

    lazy = LazyRegistry(watch)
    lazy.get()

    assert seen == [False, False, False]
    assert lazy.is_initialised


def test_a_failed_build_leaves_nothing_and_the_next_call_is_complete():
    # flocks R3, C18
    attempts = []

    def fail_once():
        registry = Registry()
        registry.register_provider("anthropic", object())
        attempts.append(registry)
        if len(attempts) == 1:
            raise OSError("flocks.json")
        return registry

    lazy = LazyRegistry(fail_once)

    with pytest.raises(OSError, match=r"flocks\.json"):
        lazy.get()
    assert not lazy.is_initialised
    assert lazy.get() is attempts[1]


def test_a_constructor_that_calls_back_gets_an_error():
    # flocks R4, C19, P3
    lazy = LazyRegistry(lambda: lazy.get())

    with pytest.raises(NestedBuildError, match="already building the registry; let the build work without"):
        lazy.get()
    assert not lazy.is_initialised


def test_a_snapshot_can_be_built_lazily(registry):
    lazy = LazyRegistry(registry.snapshot)

    assert list(lazy.get().providers) == ["p"]
