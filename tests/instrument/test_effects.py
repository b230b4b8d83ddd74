"""The table of effects names every method, and tells those that change their object from those that do not."""

from __future__ import annotations

import collections
import copy
import io
from array import array

import pytest

from harness.instrument.effects import CONTAINERS, IMMUTABLE, effect_of

pytestmark = pytest.mark.portable

# What all objects have; of these only comparison and text say something about a container.
_COMMON = set(dir(object)) - {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__repr__"}
_PROTOCOL = {"__class_getitem__", "__dict__", "__module__", "__hash__", "__buffer__", "__release_buffer__"}
PAIRS = sorted(
    ((kind, name) for kind in CONTAINERS for name in set(dir(kind)) - _COMMON - _PROTOCOL),
    key=lambda pair: (pair[0].__name__, pair[1]),
)


def sample(kind: type) -> object:
    if kind in {dict, collections.OrderedDict}:
        return kind([(1, "a"), (2, "b")])
    if kind is collections.defaultdict:
        return collections.defaultdict(list, {1: "a", 2: "b"})
    if kind is bytearray:
        return bytearray(b"ab a")
    if kind is array:
        return array("h", [3, 1, 2])
    return kind([3, 1, 2]) if kind in {list, set, collections.deque} else None


# Arguments under which a method that can change its object does.
ARGUMENTS: dict[str, list[tuple[object, ...]]] = {
    "__setitem__": [(1, "new"), (1, 9)],
    "__delitem__": [(1,)],
    "__ior__": [({7: 7},), ({7},)],
    "__iand__": [({1},)],
    "__isub__": [({1},)],
    "__ixor__": [({1, 9},)],
    "__iadd__": [([9],), (b"x",), (array("h", [9]),)],
    "__imul__": [(2,)],
    "__missing__": [(77,)],
    "update": [({7: 7},), ({7},)],
    "pop": [(), (1,)],
    "setdefault": [(8, 8)],
    "move_to_end": [(1,)],
    "append": [(9,)],
    "appendleft": [(9,)],
    "extend": [([9],)],
    "extendleft": [([9],)],
    "insert": [(0, 9)],
    "remove": [(1,), (97,)],
    "rotate": [(1,)],
    "add": [(9,)],
    "discard": [(1,)],
    "difference_update": [({1},)],
    "intersection_update": [({1},)],
    "symmetric_difference_update": [({1, 9},)],
    "frombytes": [(b"xy",)],
    "fromfile": [(io.BytesIO(b"xy"), 1)],
    "fromlist": [([9],)],
    "fromunicode": [("x",)],
}
FALLBACK: list[tuple[object, ...]] = [(), (1,), (1, 1), ({1},), ([9],), (b"a",), (io.BytesIO(),)]


def changes(kind: type, name: str) -> bool:
    """Return whether some call of the method changes a sample."""
    for arguments in ARGUMENTS.get(name, FALLBACK):
        target = sample(kind)
        before = list(target.items()) if hasattr(target, "items") else copy.copy(target)
        member = getattr(target, name)
        if not callable(member) or name == "default_factory":
            return False
        try:
            member(*arguments)
        except (TypeError, KeyError, ValueError, LookupError, AttributeError):
            continue
        after = list(target.items()) if hasattr(target, "items") else target
        if after != before:
            return True
    return False


@pytest.mark.parametrize(("kind", "name"), PAIRS, ids=lambda part: getattr(part, "__name__", part))
def test_method_is_classified_on_purpose(kind, name):
    assert name in CONTAINERS[kind]


# These need another object than the sample: an array of text, a key that is missing.
_ELSEWHERE = {(array, "fromunicode"), (collections.defaultdict, "__getitem__")}
SAMPLED = [pair for pair in PAIRS if sample(pair[0]) is not None and pair not in _ELSEWHERE]


@pytest.mark.parametrize(("kind", "name"), SAMPLED, ids=lambda part: getattr(part, "__name__", part))
def test_method_counts_as_write_exactly_if_it_can_change_its_object(kind, name):
    assert effect_of(kind, name).writes == changes(kind, name)


@pytest.mark.filterwarnings("ignore:The 'u' type code:DeprecationWarning")
def test_array_of_text_is_written_by_text():
    target = array("u", "ab")
    target.fromunicode("c")

    assert len(target) == 3
    assert effect_of(array, "fromunicode").writes


def test_reading_a_missing_key_of_a_defaultdict_writes_it():
    target = collections.defaultdict(list)
    target["new"]

    assert "new" in target
    assert effect_of(collections.defaultdict, "__getitem__").writes


@pytest.mark.parametrize("kind", list(CONTAINERS), ids=lambda kind: kind.__name__)
def test_unlisted_method_counts_as_a_write_of_the_whole_object(kind):
    effect = effect_of(kind, "method of the future")

    assert effect.writes
    assert not effect.keyed


@pytest.mark.parametrize(("kind", "name"), [(list, "__delitem__"), (list, "insert"), (collections.deque, "popleft")])
def test_operation_that_moves_other_items_writes_the_whole_object(kind, name):
    assert not effect_of(kind, name).keyed


def test_views_of_dicts_are_containers_that_cannot_be_written_through():
    views = [{}.keys(), {}.values(), {}.items(), collections.OrderedDict().keys()]

    assert all(type(view) in CONTAINERS for view in views)
    assert not any(effect.writes for view in views for effect in CONTAINERS[type(view)].values())


def test_no_type_is_both_container_and_immutable():
    assert not set(CONTAINERS) & IMMUTABLE
