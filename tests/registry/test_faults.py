"""A fault before and after each step of an update: before the swap all is as it was, after it all is published."""

from __future__ import annotations

from contextlib import suppress

import pytest

from harness.registry import Draft, ModelSpec, Registry, draft, lifetimes, subscriptions, writing

BEFORE_THE_SWAP = [
    (writing, "Draft"),
    (Draft, "register_model"),
    (draft, "entry_fingerprint"),
    (draft, "references"),
    (Draft, "freeze"),
    (draft, "find_errors"),
    (draft, "Snapshot"),
    (Draft, "touched_providers"),
    (writing, "Next"),
    (writing, "HistoryEntry"),
    (writing, "_State"),
    (writing, "Publication"),
    (writing, "_unlinked"),
]
AFTER_THE_SWAP = [
    (lifetimes.Lifetimes, "close_all"),
    (subscriptions.Subscriptions, "drain"),
    (subscriptions.Subscriptions, "_next"),
    (subscriptions.Subscription, "deliver"),
    (subscriptions.Subscription, "_call"),
]


class InjectedError(Exception):
    pass


class Client:
    def close(self): ...


def break_once(monkeypatch, owner, name, when):
    real = getattr(owner, name)

    def broken(*args, **kwargs):
        monkeypatch.setattr(owner, name, real)
        if when == "after":
            real(*args, **kwargs)
        raise InjectedError

    monkeypatch.setattr(owner, name, broken)


@pytest.fixture
def state():
    """A registry with a provider that can be closed, and two subscribers that note what they are told."""
    shared = Registry()
    shared.register_provider("p", Client())
    told = [], []
    for heard in told:
        shared.subscribe(lambda publication, heard=heard: heard.append(publication.version))
    return shared, told


def change(shared):
    def fill(proposal):
        proposal.register_model(ModelSpec("m", "p"))
        proposal.replace_provider("p", Client())

    shared.update(fill)


def contents(shared):
    return shared.version, shared.snapshot(), shared.history(), shared.statistics()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), BEFORE_THE_SWAP, ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_before_the_swap_changes_nothing(state, monkeypatch, owner, name, when):
    # awaken R3, R8, C8
    shared, told = state
    before = contents(shared)
    break_once(monkeypatch, owner, name, when)

    with pytest.raises(InjectedError):
        change(shared)

    assert contents(shared) == before
    assert told == ([], [])
    change(shared)
    assert shared.version == 3
    assert told == ([3], [3])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize(("owner", "name"), AFTER_THE_SWAP, ids=lambda value: getattr(value, "__name__", value))
def test_a_fault_after_the_swap_leaves_it_published_and_everyone_else_told_once(state, monkeypatch, owner, name, when):
    # awaken R37
    shared, (first, second) = state
    break_once(monkeypatch, owner, name, when)

    with suppress(InjectedError):  # a subscriber's own fault is reported, not raised
        change(shared)

    assert shared.version == 3
    assert "m" in shared.snapshot().models
    assert [entry.version for entry in shared.history()] == [1, 2, 3]
    change_again(shared)
    assert second == [3, 4]
    assert first in ([3, 4], [4])  # it is the first that a fault in telling hits
    assert shared.statistics().leases == 0


def change_again(shared):
    with suppress(InjectedError):
        shared.update(lambda proposal: proposal.unregister_model("m"))
