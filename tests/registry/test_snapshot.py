from __future__ import annotations

from functools import partial
from threading import Event

import pytest

from harness.registry import (
    Draft,
    ExecutorUnavailableError,
    NestedBuildError,
    NotFoundError,
    ProviderSpec,
    Registry,
)

pytestmark = pytest.mark.portable


def described(make):
    draft = Draft()
    draft.register_provider_spec(ProviderSpec("mail", "anthropic", {"region": "eu"}), make)
    return draft.freeze()


def test_namespaces_list_their_ids_sorted():
    # awaken R12, B7
    registry = Registry()
    registry.update(lambda draft: [draft.register_provider(letter, letter) for letter in "qzabm"])

    assert list(registry.snapshot().providers) == ["a", "b", "m", "q", "z"]
    assert next(iter(registry.snapshot().providers.values())).id == "a"


def test_a_registered_executor_is_given_back(registry):
    assert registry.snapshot().executor("p") == "executor of p"
    assert registry.snapshot().providers["p"] == ProviderSpec("p", "object")


def test_a_described_executor_is_made_once_and_kept_across_versions():
    # awaken R36
    made = []
    registry = Registry(described(lambda spec: made.append(spec) or object()))

    first = registry.snapshot().executor("mail")
    registry.register_provider("q", object())

    assert registry.snapshot().executor("mail") is first
    assert [spec.config["region"] for spec in made] == ["eu"]


def test_threads_that_ask_together_share_one_executor(together):
    made = []
    snapshot = described(lambda spec: made.append(spec) or object())

    executors = together([partial(snapshot.executor, "mail")] * 8)

    assert len(made) == 1
    assert len(set(executors)) == 1


def test_a_failing_factory_is_tried_again():
    attempts = []

    def make(spec):
        attempts.append(spec)
        if len(attempts) == 1:
            raise KeyError("region")
        return "executor"

    snapshot = described(make)

    with pytest.raises(KeyError, match="region"):
        snapshot.executor("mail")
    assert snapshot.executor("mail") == "executor"


def test_a_factory_that_asks_for_its_own_executor_is_refused():
    snapshot = described(lambda spec: snapshot.executor("mail"))

    with pytest.raises(NestedBuildError, match="already building the executor of provider 'mail'"):
        snapshot.executor("mail")


def test_a_described_provider_without_factory_says_what_to_do():
    with pytest.raises(ExecutorUnavailableError, match=r"of kind 'anthropic' has no executor .*; pass executors="):
        described(None).executor("mail")


def test_the_executor_of_an_unknown_provider_is_refused(registry):
    with pytest.raises(NotFoundError, match="no provider 'mail' in version 1; list snapshot"):
        registry.snapshot().executor("mail")


def test_a_replaced_executor_stays_with_the_snapshot_that_held_it(registry):
    # awaken R36
    held = registry.snapshot()
    registry.replace_provider("p", "another")

    assert held.executor("p") == "executor of p"
    assert registry.snapshot().executor("p") == "another"


def test_a_reader_is_not_held_up_by_an_executor_in_the_making(together):
    inside, release = Event(), Event()

    def make(spec):
        inside.set()
        release.wait()
        return "executor"

    snapshot = described(make)

    def read():
        inside.wait()
        kind = snapshot.providers["mail"].kind
        release.set()
        return kind

    assert together([partial(snapshot.executor, "mail"), read]) == ["executor", "anthropic"]


def test_repr_is_one_line(registry):
    assert repr(registry) == "Registry at Snapshot of version 1: 1 providers, 1 models, 1 agents"
