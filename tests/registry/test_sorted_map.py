from __future__ import annotations

import pickle

import pytest

from harness.registry import SortedMap, WrongTypeError
from harness.registry.sorted_map import freeze

pytestmark = pytest.mark.portable


def test_iteration_is_sorted_whatever_the_order_of_making():
    entries = SortedMap({"b": 1, "c": 2}).with_entry("a", 3)

    assert list(entries) == ["a", "b", "c"]
    assert list(entries.items()) == [("a", 3), ("b", 1), ("c", 2)]


def test_a_changed_copy_leaves_the_original():
    entries = SortedMap({"a": 1})
    list(entries)

    assert entries.with_entry("b", 2).without("a") == {"b": 2}
    assert entries == {"a": 1}


def test_looking_up_is_that_of_a_mapping():
    entries = SortedMap({"a": 1})

    assert (entries["a"], entries.get("b"), entries.get("b", 2), "a" in entries, "b" in entries) == (
        1,
        None,
        2,
        True,
        False,
    )
    with pytest.raises(KeyError):
        entries["b"]
    with pytest.raises(KeyError):
        entries.without("b")


def test_equal_maps_hash_equal_and_pickle_alike():
    one = SortedMap({"a": 1, "b": 2})
    two = SortedMap({"b": 2}).with_entry("a", 1)

    assert one == two
    assert hash(one) == hash(two)
    assert pickle.dumps(one) == pickle.dumps(two)
    assert pickle.loads(pickle.dumps(one)) == one


def test_repr_shows_keys_only():
    assert repr(SortedMap({"api_key": "secret"})) == "SortedMap of 'api_key'"
    assert repr(SortedMap()) == "empty SortedMap"


def test_freezing_is_deep_and_detached():
    plan = {"list": [1, {"x": [2]}], "set": {3}}
    frozen = freeze(plan)
    plan["list"][1]["x"].append(4)

    assert frozen["list"] == (1, {"x": (2,)})
    assert frozen["set"] == frozenset({3})
    assert hash(frozen) == hash(freeze({"set": {3}, "list": [1, {"x": [2]}]}))


def test_a_key_that_is_no_text_is_refused():
    with pytest.raises(WrongTypeError, match="a key of a configuration wants text, is a int"):
        freeze({1: "x"})


def test_iterating_an_empty_map_changes_nothing_in_it():
    # Empty maps are shared by all registries of a process, so this would change the steps of whoever comes next.
    for empty in (SortedMap(), SortedMap({"a": 1}).without("a")):
        before = empty._order
        list(empty)

        assert empty._order is before == ()
