from __future__ import annotations

import pickle

import pytest

from harness.registry import Draft, ModelSpec, Registry, RegistryValidationError, SnapshotDiff
from harness.registry.draft import restore

pytestmark = pytest.mark.portable


def test_a_diff_tells_what_came_went_and_changed(registry):
    before = registry.snapshot()

    def change(draft):
        draft.unregister_agent("a")
        draft.register_model(ModelSpec("n", "p"))
        draft.replace_model(ModelSpec("m", "p", mode="chat"))
        draft.replace_provider("p", "another")

    registry.update(change)
    diff = before.diff(registry.snapshot())

    assert diff == SnapshotDiff((("models", "n"),), (("agents", "a"),), (("models", "m"),), ("p",))
    assert str(diff) == "+ models/n\n- agents/a\n~ models/m\n~ executor of providers/p"
    assert registry.snapshot().diff(before).added == diff.removed


def test_equal_states_do_not_differ(registry):
    snapshot = registry.snapshot()

    assert snapshot.diff(snapshot).is_empty
    assert str(SnapshotDiff()) == "no difference"


def test_snapshots_are_equal_if_version_and_specs_are(draft):
    one, two = draft.freeze(), Draft(draft.freeze()).freeze()
    draft.register_model(ModelSpec("n", "p"))

    assert one == two
    assert hash(one) == hash(two)
    assert one != one.renumbered(7)
    assert one.holds_the_entries_of(one.renumbered(7))
    assert one != draft.freeze()
    assert one != "a snapshot"


def test_a_snapshot_pickles_with_its_indexes_and_without_executors(fixtures):
    # awaken C11
    snapshot = Registry.from_file(fixtures / "fleet.yaml").snapshot()

    copy = pickle.loads(pickle.dumps(snapshot))

    assert copy == snapshot
    assert (copy.reverse_index, copy.upstream_index) == (snapshot.reverse_index, snapshot.upstream_index)
    assert pickle.dumps(copy) == pickle.dumps(snapshot)
    assert copy.graph() == snapshot.graph()


def test_a_pickle_that_was_tampered_with_does_not_give_an_invalid_snapshot():
    with pytest.raises(RegistryValidationError):
        restore(1, (ModelSpec("m", "nowhere"),))


def test_models_are_found_by_provider_and_upstream_name(draft):
    draft.register_provider("q", object())
    draft.register_model(ModelSpec("one", "p", "gpt"))
    draft.register_model(ModelSpec("two", "p", "gpt"))
    draft.register_model(ModelSpec("three", "q", "gpt"))
    snapshot = draft.freeze()
    draft.replace_model(ModelSpec("two", "q", "gpt"))
    draft.unregister_model("one")
    later = draft.freeze()

    assert snapshot.find_models("p", "gpt") == ("one", "two")
    assert snapshot.find_models("q", "gpt") == ("three",)
    assert snapshot.find_models("p", "m") == ("m",)
    assert snapshot.find_models("p", "nothing") == ()
    assert (later.find_models("p", "gpt"), later.find_models("q", "gpt")) == ((), ("three", "two"))
