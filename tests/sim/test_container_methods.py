"""Looking up a method of a built-in container touches none of its items; calling it does."""

from __future__ import annotations

import threading

import pytest

from harness.explore import explore

pytestmark = pytest.mark.portable


class Names(dict):
    """A registry whose attributes may be stored under any name."""

    def entry(self, name):
        if name not in self:
            self[name] = object()
        return self[name]

    def mark(self, name):
        setattr(self, name, True)


def entries_are_listed():
    names, found = Names(), []
    threads = [threading.Thread(target=lambda: found.append(names.entry("a"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found[0] is found[1]


def test_list_that_collects_results_is_not_what_raced():
    explanation = explore(entries_are_listed).failure.explain()

    assert "writes Names#1['a']" in explanation.splitlines()[1]
    assert "reads list#1" not in explanation


def lists_are_extended():
    found = []
    threads = [threading.Thread(target=lambda: found.append(1)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_each_call_of_a_method_is_one_access():
    result = explore(lists_are_extended, strategy="dpor")

    assert result.verdict.name == "PROVED"
    assert result.schedules == 2
